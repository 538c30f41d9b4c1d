/** A broker whose admin API lets three callers in, and how they call. */
import type { Role } from "../../src/security/mod.ts";
import { newToken, ROLES, tokenLine } from "../../src/security/mod.ts";
import type { ConfigChanges, TestOptions } from "../support/test_broker.ts";
import { TestBroker } from "../support/test_broker.ts";
import { type Answer, ask } from "./_http_client.ts";

/** An answer whose body has been read; undefined where it is none of JSON. */
export interface ApiAnswer extends Answer {
  // deno-lint-ignore no-explicit-any -- a test says what it expects
  readonly json: any;
}

/** What a call says besides method and path. */
export interface CallOptions {
  /** By default who may do everything; null for nobody. */
  readonly as?: Role | null;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A running broker; `await using` ends it. */
export class ApiBroker implements AsyncDisposable {
  readonly broker: TestBroker;
  readonly tokens: Readonly<Record<Role, string>>;
  readonly tokensFile: string;
  readonly #directory: string;

  private constructor(
    broker: TestBroker,
    files: { tokens: Readonly<Record<Role, string>>; tokensFile: string; directory: string },
  ) {
    this.broker = broker;
    this.tokens = files.tokens;
    this.tokensFile = files.tokensFile;
    this.#directory = files.directory;
  }

  /** Starts one, with a token for each role. */
  static async start(changes: ConfigChanges = {}, options: TestOptions = {}): Promise<ApiBroker> {
    const directory = await Deno.makeTempDir({ prefix: "relayq-test-" });
    const tokensFile = `${directory}/tokens`;
    const tokens = { read: newToken(), operate: newToken(), admin: newToken() };
    await writeTokens(tokensFile, tokens);
    const admin = {
      address: "127.0.0.1:0",
      tokensFile,
      requestsPerSecond: 0,
      ...changes.admin,
    };
    const broker = await TestBroker.start({ ...changes, admin }, options);
    return new ApiBroker(broker, { tokens, tokensFile, directory });
  }

  /** One request, such as `call("GET /api/v1/status")`. */
  async call(line: string, options: CallOptions = {}): Promise<ApiAnswer> {
    const [method = "", path = ""] = line.split(" ");
    const { as = "admin", body, headers = {} } = options;
    const answer = await ask(this.broker, path, {
      method,
      headers: {
        ...as === null ? {} : { Authorization: `Bearer ${this.tokens[as]}` },
        ...body === undefined ? {} : { "Content-Type": "application/json" },
        ...headers,
      },
      ...body === undefined ? {} : { body: JSON.stringify(body) },
    });
    const isJson = /json$/.test(answer.headers.get("content-type") ?? "");
    return { ...answer, json: isJson && answer.body !== "" ? JSON.parse(answer.body) : undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker[Symbol.asyncDispose]();
    await Deno.remove(this.#directory, { recursive: true });
  }
}

/** Writes a tokens file that others may not read. */
export async function writeTokens(
  path: string,
  tokens: Readonly<Partial<Record<Role, string>>>,
  more = "",
): Promise<void> {
  const lines = await Promise.all(
    ROLES.flatMap((role) => {
      const token = tokens[role];
      return token === undefined ? [] : [tokenLine({ name: `${role}er`, role, token })];
    }),
  );
  await Deno.writeTextFile(path, `${lines.join("\n")}\n${more}`, { mode: 0o600 });
}
