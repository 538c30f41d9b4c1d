/** What an Application Message carries, as text, JSON or bytes. */
import { make } from "./dom.js";
import { segments } from "./fields.js";
import { bytes } from "./format.js";

const SHOWN_BYTES_MAX = 65_536;
const ROW_BYTES = 16;
const HEX_ROWS_MAX = 1_024;

/**
 * A payload with a choice of how it is shown.
 * @param {{ payload_base64: string, payload_bytes: number }} message as the API tells it
 */
export function payloadView({ payload_base64, payload_bytes }) {
  const payload = Uint8Array.from(atob(payload_base64), (character) => character.charCodeAt(0));
  const forms = formsOf(payload, payload_bytes);
  const output = make("pre", { class: "payload", tabindex: "0", "aria-label": "Payload" });
  /** @param {string} form */
  function show(form) {
    output.textContent = forms.get(form) ?? "";
  }
  const names = [...forms.keys()];
  const first = names.includes("JSON") ? "JSON" : /** @type {string} */ (names[0]);
  show(first);
  return make(
    "div",
    { class: "payload-box" },
    make(
      "div",
      { class: "payload-head" },
      segments("Form of the payload", {
        choices: names.map((name) => [name, name]),
        chosen: first,
        changed: show,
      }),
      make("span", { class: "muted" }, payload_bytes === 0 ? "empty" : bytes(payload_bytes)),
    ),
    output,
  );
}

/**
 * What is cut may end within a character, and is no JSON.
 * @param {Uint8Array} payload perhaps only its beginning
 * @param {number} length of the whole
 * @returns {Map<string, string>}
 */
export function formsOf(payload, length) {
  const shown = payload.subarray(0, SHOWN_BYTES_MAX);
  const cut = length > shown.length ? `\n… the first ${bytes(shown.length)} of it` : "";
  const forms = new Map();
  const text = textOf(shown, cut !== "");
  if (text !== null) {
    forms.set("Text", text + cut);
    const json = cut === "" ? jsonOf(text) : null;
    if (json !== null) forms.set("JSON", json);
  }
  forms.set("Hex", hexOf(shown));
  return forms;
}

/**
 * @param {Uint8Array} payload
 * @param {boolean} isCut
 */
function textOf(payload, isCut) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(payload, { stream: isCut });
  } catch {
    return null;
  }
}

/** @param {string} text */
function jsonOf(text) {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

/** @param {Uint8Array} payload */
function hexOf(payload) {
  const rows = [];
  for (
    let at = 0;
    at < payload.length && rows.length < HEX_ROWS_MAX;
    at += ROW_BYTES
  ) {
    const row = [...payload.subarray(at, at + ROW_BYTES)];
    const digits = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const letters = row.map((byte) => byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : "·")
      .join("");
    rows.push(
      `${at.toString(16).padStart(6, "0")}  ${digits.padEnd(ROW_BYTES * 3 - 1)}  ${letters}`,
    );
  }
  return rows.join("\n");
}
