/** CONNACK return codes in words. */

const TEXTS: readonly string[] = [
  "accepted",
  "unacceptable protocol version",
  "Client Identifier rejected",
  "server unavailable",
  "bad user name or password",
  "not authorized",
];

/** What a return code of CONNACK says (table 3.1). */
export function refusalText(returnCode: number): string {
  return `refused: ${TEXTS[returnCode] ?? "reserved"} (CONNACK return code ${returnCode})`;
}
