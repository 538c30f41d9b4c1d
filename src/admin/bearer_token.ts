/** A bearer token, of which only the hash is known here. */
import { createHash, timingSafeEqual } from "node:crypto";
import { problem } from "./problem.ts";

/** Longest token that is looked at, in characters. */
const TOKEN_LENGTH_MAX = 1_024;

/** Lets requests pass that bring the token. */
export class BearerToken {
  readonly #sha256: Uint8Array;

  /** `sha256` is the hash of the token in hexadecimal digits. */
  constructor(sha256: string) {
    this.#sha256 = Uint8Array.fromHex(sha256);
  }

  /** Gives the refusal of a request without the token; null where it may go on. */
  refusal(request: Request): Response | null {
    const header = request.headers.get("authorization") ?? "";
    const token = /^Bearer +(?<token>[!-~]+) *$/i.exec(header)?.groups?.["token"];
    if (token !== undefined && token.length <= TOKEN_LENGTH_MAX && this.#isRight(token)) {
      return null;
    }
    const headers = { "www-authenticate": 'Bearer realm="relayq"' };
    return problem(401, "a bearer token is needed", { headers });
  }

  #isRight(token: string): boolean {
    return timingSafeEqual(createHash("sha256").update(token).digest(), this.#sha256);
  }
}
