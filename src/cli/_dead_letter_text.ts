import type { StoredLetter } from "../store/mod.ts";
import { asJson, printable, quote } from "./_format.ts";

const TOPIC_WIDTH = 48;

/** One line of JSON. The payload is text where it is UTF-8, else in base64. */
export function letterJson(letter: StoredLetter): string {
  const { id, reason, wallMs, publisher, session, topic, qos, retain, payload } = letter;
  const text = asText(payload);
  const content = text === null ? { payload_base64: payload.toBase64() } : { payload: text };
  const time = new Date(wallMs).toISOString();
  return `${asJson({ id, time, reason, publisher, session, topic, qos, retain, ...content })}\n`;
}

/** A table, and how many of them it shows. */
export function letterTable(letters: readonly StoredLetter[], count: number): string {
  if (letters.length === 0) return "no dead letters\n";
  const rows = letters.map(({ id, wallMs, reason, qos, payload, session, topic }) => [
    String(id),
    new Date(wallMs).toISOString().replace("T", " ").slice(0, 19),
    reason,
    String(qos),
    String(payload.length),
    shortened(printable(session) || "-"),
    shortened(printable(topic)),
  ]);
  const all = [["ID", "TIME (UTC)", "REASON", "QOS", "BYTES", "SESSION", "TOPIC"], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const lines = all.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()
  );
  const rest = count > letters.length ? `${letters.length} of ${count}, the newest\n` : "";
  return `${lines.join("\n")}\n${rest}`;
}

/** Everything about one, for people. */
export function letterDetails(letter: StoredLetter): string {
  const { id, reason, wallMs, publisher, session, topic, qos, retain, payload } = letter;
  const text = asText(payload);
  return `dead letter ${id}
  time       ${new Date(wallMs).toISOString()}
  reason     ${reason}
  topic      ${quote(topic)}
  qos        ${qos}${retain ? ", to be retained" : ""}
  publisher  ${publisher === "" ? "unknown, or the server" : quote(publisher)}
  session    ${session === "" ? "none" : quote(session)}
  payload    ${payload.length} bytes${text === null ? ", in base64" : ""}
${text === null ? payload.toBase64() : printable(text, "\t\n")}
`;
}

/** The text that bytes are, or null if they are none. */
function asText(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function shortened(text: string): string {
  return text.length > TOPIC_WIDTH ? `${text.slice(0, TOPIC_WIDTH - 1)}…` : text;
}
