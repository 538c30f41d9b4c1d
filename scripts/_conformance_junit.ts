/** Reads what `deno test --reporter=junit` prints. */

/** One test as it ended. */
export interface TestResult {
  readonly name: string;
  readonly file: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** First line of the error; empty unless the test failed. */
  readonly message: string;
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["quot", '"'],
  ["apos", "'"],
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
]);

/** The test cases of a report, in its order. */
export function parseJunit(xml: string): TestResult[] {
  const cases = xml.matchAll(/<testcase ([^>]*)>([\s\S]*?)<\/testcase>/g);
  return [...cases].map(([, attributes, content]): TestResult => {
    const failure = content!.match(/<(?:failure|error)\b([^>]*)>/);
    const skipped = content!.includes("<skipped");
    return {
      name: attribute(attributes!, "name"),
      file: attribute(attributes!, "classname"),
      outcome: failure !== null ? "failed" : skipped ? "skipped" : "passed",
      message: failure === null ? "" : attribute(failure[1]!, "message").split("\n")[0]!,
    };
  });
}

function attribute(attributes: string, key: string): string {
  const match = attributes.match(new RegExp(`(?:^| )${key}="([^"]*)"`));
  return unescape(match?.[1] ?? "");
}

function unescape(text: string): string {
  return text.replaceAll(/&(#x?[0-9a-f]+|\w+);/gi, (whole, code: string) => {
    if (!code.startsWith("#")) return ENTITIES.get(code) ?? whole;
    const hexadecimal = code[1] === "x" || code[1] === "X";
    const number = hexadecimal ? parseInt(code.slice(2), 16) : parseInt(code.slice(1), 10);
    return String.fromCodePoint(number);
  });
}
