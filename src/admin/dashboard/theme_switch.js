/** The switch between light and dark. */
import { fill, make } from "./dom.js";
import { icon } from "./shapes.js";

const KEPT_AS = "relayq-theme";

/** Told when the colours have changed. */
export const themeChanges = new EventTarget();

/** A button that turns the page to the other theme. */
export function themeSwitch() {
  const button = make("button", { class: "icon-button", type: "button" });
  function show() {
    const other = isDark() ? "light" : "dark";
    fill(button, [icon(isDark() ? "sun" : "moon")]);
    button.setAttribute("aria-label", `Use the ${other} theme`);
    button.title = `Use the ${other} theme`;
  }
  button.addEventListener("click", () => {
    const chosen = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = chosen;
    try {
      localStorage.setItem(KEPT_AS, chosen);
    } catch {
      // Then it is for this page only.
    }
    show();
    themeChanges.dispatchEvent(new Event("change"));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    show();
    themeChanges.dispatchEvent(new Event("change"));
  });
  show();
  return button;
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen === undefined
    ? matchMedia("(prefers-color-scheme: dark)").matches
    : chosen === "dark";
}
