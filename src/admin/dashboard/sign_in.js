/** Where a token is typed in. */
import { make } from "./dom.js";
import { mark } from "./shapes.js";

/**
 * The form.
 * @param {string} problem why there is no way in; empty at the first time
 * @param {(token: string) => void} take
 */
export function signIn(problem, take) {
  const token = make("input", {
    type: "password",
    id: "token",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
    "aria-describedby": problem === "" ? "token-hint" : "token-problem",
  });
  const form = make(
    "form",
    { class: "sign-in" },
    make("p", { class: "brand" }, "RelayQ"),
    make("h1", {}, "Sign in to this broker"),
    make("label", { for: "token" }, "Access token"),
    token,
    problem === "" ? null : make(
      "p",
      { class: "sign-in-problem", role: "alert", id: "token-problem" },
      mark("bad"),
      problem,
    ),
    make("button", { class: "button primary", type: "submit" }, "Sign in"),
    make(
      "p",
      { class: "muted", id: "token-hint" },
      "Make one on the gateway with ",
      make("code", {}, "relayq admin token NAME --role read"),
      ". It is kept until this tab is closed.",
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = token.value.trim();
    if (text !== "") take(text);
  });
  queueMicrotask(() => token.focus());
  return make("main", { class: "sign-in-page" }, form);
}
