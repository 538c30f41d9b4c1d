/** The inputs that are kept for each target: the shortest ones that together take every known way. */
import { tapeFromText } from "./tape.ts";

/** Where the tapes of a target are, one a line. */
export function corpusFile(target: string): URL {
  return new URL(`./corpus/${target}.txt`, import.meta.url);
}

/** The tapes of a target; none if nothing is kept for it. */
export function readCorpus(target: string): Uint32Array[] {
  try {
    const lines = Deno.readTextFileSync(corpusFile(target)).split("\n");
    return lines.filter((line) => line !== "").map(tapeFromText);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
