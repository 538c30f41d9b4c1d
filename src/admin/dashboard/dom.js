/**
 * Elements of the page. What is written on them is text, whoever sent it: there is no way here from
 * a string to markup.
 */

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * @typedef {object} Properties
 * @property {string} [class]
 * @property {Record<string, string>} [data] `data-…` attributes
 * @property {Record<string, (event: Event) => void>} [on] listeners by name of the event
 */

/** Attributes that a string of somebody else may not get to. */
const FORBIDDEN = /^(?:on|style$|href$|src|formaction|action)/i;

/**
 * An element with attributes and children; `false` and absent ones are left out.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Properties & Record<string, unknown>} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  const { class: className, data, on, ...attributes } = properties;
  if (className !== undefined) element.className = className;
  for (const [name, value] of Object.entries(data ?? {})) {
    element.dataset[name] = value;
  }
  for (const [name, listener] of Object.entries(on ?? {})) {
    element.addEventListener(name, listener);
  }
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === undefined || value === null) continue;
    if (FORBIDDEN.test(name)) {
      throw new TypeError(`Cannot set attribute: ${name} is not for text`);
    }
    element.setAttribute(name, value === true ? "" : String(value));
  }
  fill(element, children);
  return element;
}

/**
 * Gives an element these children, and no others.
 * @template {Element} E
 * @param {E} element
 * @param {readonly Child[]} children
 * @returns {E}
 */
export function fill(element, children) {
  const nodes = [];
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    nodes.push(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  element.replaceChildren(...nodes);
  return element;
}

/**
 * A link to a view of this page.
 * @param {string} route what follows `#`
 * @param {Properties & Record<string, unknown>} properties
 * @param {...Child} children
 */
export function link(route, properties, ...children) {
  const element = make("a", properties, ...children);
  element.href = `#${route}`;
  return element;
}

/**
 * Writes text only where it has changed, so that what is selected stays selected.
 * @param {Element} element
 * @param {string} text
 */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
