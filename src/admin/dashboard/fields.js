/** Things to type into and to press. */
import { toast } from "./dialogs.js";
import { make } from "./dom.js";
import { icon } from "./shapes.js";

/** @typedef {"read" | "operate" | "admin"} Role */

const ROLES = ["read", "operate", "admin"];
const TYPING_MS = 250;

/**
 * Whether who has one role may do what another is needed for.
 * @param {Role} role
 * @param {Role} needed
 */
export function mayDo(role, needed) {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/**
 * A button for which a role is needed. Without it the button can be reached and says why it does nothing.
 * @param {string} text
 * @param {{ role: Role, needs: Role, press: () => unknown, class?: string }} options
 */
export function roleButton(text, { role, needs, press, class: className = "button" }) {
  const allowed = mayDo(role, needs);
  const reason = `Needs the role “${needs}”; this token has “${role}”.`;
  const button = make("button", {
    type: "button",
    class: className,
    "aria-disabled": allowed ? undefined : "true",
    title: allowed ? undefined : reason,
  }, text);
  button.addEventListener("click", async () => {
    if (!allowed) return toast("info", reason);
    try {
      await press();
    } catch (error) {
      toast("bad", error instanceof Error ? error.message : String(error));
    }
  });
  return button;
}

/**
 * A field to search with; tells what stands in it when the typing pauses.
 * @param {string} label
 * @param {(text: string) => void} changed
 * @param {{ value?: string }} [options]
 */
export function searchField(label, changed, { value = "" } = {}) {
  const input = make("input", {
    type: "search",
    placeholder: label,
    "aria-label": label,
    autocomplete: "off",
    spellcheck: "false",
  });
  input.value = value;
  let timer = 0;
  let told = value;
  function tell() {
    clearTimeout(timer);
    const text = input.value.trim();
    if (text === told) return;
    told = text;
    changed(text);
  }
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(tell, TYPING_MS);
  });
  // Whoever goes on to a button means what stands here now.
  input.addEventListener("change", tell);
  return make("label", { class: "search" }, icon("search"), input);
}

/**
 * A choice of few, of which all are seen.
 * @param {string} label
 * @param {{ choices: readonly (readonly [string, string])[], chosen: string, changed: (value: string) => void }} options
 */
export function segments(label, { choices, chosen, changed }) {
  const group = make("div", { class: "segments", role: "group", "aria-label": label });
  for (const [value, text] of choices) {
    const button = make("button", {
      type: "button",
      "aria-pressed": String(value === chosen),
    }, text);
    button.addEventListener("click", () => {
      for (const other of group.children) {
        other.setAttribute("aria-pressed", String(other === button));
      }
      changed(value);
    });
    group.append(button);
  }
  return group;
}

/**
 * A choice of many.
 * @param {string} label
 * @param {{ choices: readonly (readonly [string, string])[], chosen?: string, changed: (value: string) => void }} options
 */
export function select(label, { choices, chosen = "", changed }) {
  const field = make("select", { "aria-label": label });
  for (const [value, text] of choices) {
    field.append(make("option", { value, selected: value === chosen }, text));
  }
  field.addEventListener("change", () => changed(field.value));
  return field;
}

/**
 * A field with its name above.
 * @param {string} label
 * @param {HTMLElement} field
 */
export function labelled(label, field) {
  return make("label", { class: "field" }, make("span", {}, label), field);
}
