/** Paths with parameters: `/api/v1/clients/{client_id}`. */

const PARAMETER = /^\{(?<name>[a-z_]+)\}$/;

/** One path, taken apart once. */
export class PathPattern {
  /** Literal texts, and names of parameters in objects. */
  readonly #segments: readonly (string | { readonly name: string })[];
  readonly parameters: readonly string[];

  constructor(path: string) {
    this.#segments = path.split("/").map((segment) => {
      const name = PARAMETER.exec(segment)?.groups?.["name"];
      return name === undefined ? segment : { name };
    });
    this.parameters = this.#segments.flatMap((part) => typeof part === "string" ? [] : [part.name]);
  }

  /** How many segments a path has to have. */
  get length(): number {
    return this.#segments.length;
  }

  /** Whether the segments of a path, still encoded, are these. */
  fits(segments: readonly string[]): boolean {
    return segments.length === this.#segments.length &&
      this.#segments.every((part, index) =>
        typeof part === "string" ? part === segments[index] : segments[index] !== ""
      );
  }

  /** The parameters of a path that fits, decoded; null where they are no encoded UTF-8. */
  read(segments: readonly string[]): Readonly<Record<string, string>> | null {
    try {
      return Object.fromEntries(
        this.#segments.flatMap((part, index) =>
          typeof part === "string" ? [] : [[part.name, decodeURIComponent(segments[index]!)]]
        ),
      );
    } catch {
      return null;
    }
  }
}
