/** Text of clients in lines that people and programs read. */

/** Characters of a client's text that a line shows at most. */
const SHOWN_MAX = 128;

/**
 * Quotes what a client chose, so that it cannot forge a line or a field of one, seem to stand elsewhere
 * in it, nor reach the terminal of whoever reads it with a control sequence.
 */
export function quote(text: string): string {
  const shown = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
  return escapeControls(JSON.stringify(shown));
}

/** As much of a text as a line shows, and one character more where it was cut. */
export function shorten(text: string): string {
  // Parsed anew: a slice alone would hold on to the whole.
  return text.length <= SHOWN_MAX ? text : JSON.parse(JSON.stringify(text.slice(0, SHOWN_MAX + 1)));
}

/** Escapes what JSON lets stand, but acts on a terminal, ends a line or turns the text around it. */
export function escapeControls(json: string): string {
  return json.replace(CONTROLS, escapeControl);
}

const CONTROLS = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

function escapeControl(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
