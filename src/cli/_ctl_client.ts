/** The admin API of a running broker, as a client sees it. */
import { parseListenAddress } from "../config/mod.ts";
import type { ParsedArguments } from "./_command.ts";
import type { CliIo } from "./cli_io.ts";
import { fileProblem, readText } from "./_files.ts";
import { readConfig } from "./_read_config.ts";

const TOKEN_LENGTH_MAX = 1_024;
const PEM_LENGTH_MAX = 1_048_576;
const REQUEST_MS = 60_000;
/** Names the token file where no option does. */
export const TOKEN_VARIABLE = "RELAYQ_TOKEN_FILE";
/** Names hosts that are asked without a proxy of the environment. */
const DIRECT_VARIABLE = "NO_PROXY";

/** An answer. */
export interface CtlAnswer {
  readonly status: number;
  /** What the body says; null where there is none. */
  readonly json: unknown;
}

/** A request. */
export interface CtlRequest {
  readonly method: string;
  /** With parameters and query, encoded. */
  readonly target: string;
  readonly body?: unknown;
}

/** Asks one broker. */
export class CtlClient {
  readonly #base: string;
  readonly #token: string | null;
  readonly #http: Deno.HttpClient | null;

  private constructor(base: string, token: string | null, http: Deno.HttpClient | null) {
    this.#base = base;
    this.#token = token;
    this.#http = http;
  }

  /** Where the options say; or what is wrong with them. Undefined where that has been told. */
  static async open(
    { values }: ParsedArguments,
    io: CliIo,
  ): Promise<CtlClient | { problem: string } | undefined> {
    const option = (name: string): string | undefined => values.get(name)?.[0];
    const base = await baseOf(option("address"), option("config"), io);
    if (base === undefined || typeof base === "object") return base;
    const token = await readToken(option("token-file") ?? variable(TOKEN_VARIABLE));
    if (token !== null && typeof token === "object") return token;
    const pems: Record<string, string> = {};
    for (const name of ["ca", "cert", "key"]) {
      const path = option(name);
      if (path === undefined) continue;
      const reading = await readText(path, PEM_LENGTH_MAX);
      if (!reading.ok) return { problem: `--${name} ${path}: ${reading.problem}` };
      pems[name] = reading.text;
    }
    askDirectly(base);
    const { ca, cert, key } = pems;
    if ((cert === undefined) !== (key === undefined)) {
      return { problem: "--cert and --key go together" };
    }
    if (ca === undefined && cert === undefined) return new CtlClient(base, token, null);
    try {
      const http = Deno.createHttpClient({
        ...ca === undefined ? {} : { caCerts: [ca] },
        ...cert === undefined ? {} : { cert, key: key! },
      });
      return new CtlClient(base, token, http);
    } catch (error) {
      return { problem: `--ca, --cert or --key: ${fileProblem(error)}` };
    }
  }

  /** Asks; gives why there is no answer instead. */
  async ask({ method, target, body }: CtlRequest): Promise<CtlAnswer | { problem: string }> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (this.#token !== null) headers["authorization"] = `Bearer ${this.#token}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    try {
      const response = await fetch(this.#base + target, {
        method,
        headers,
        redirect: "manual",
        signal: AbortSignal.timeout(REQUEST_MS),
        ...body === undefined ? {} : { body: JSON.stringify(body) },
        ...this.#http === null ? {} : { client: this.#http },
      });
      const text = await response.text();
      return { status: response.status, json: parsed(text) };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { problem: `${this.#base}: ${reason}` };
    }
  }

  close(): void {
    this.#http?.close();
  }
}

/**
 * Without TLS no proxy of the environment is asked, which would read the token, on its way to this
 * machine, too. With TLS nobody in between reads anything.
 */
function askDirectly(base: string): void {
  const { protocol, hostname } = new URL(base);
  const { state } = Deno.permissions.querySync({ name: "env", variable: DIRECT_VARIABLE });
  if (protocol === "https:" || state !== "granted") return;
  Deno.env.set(DIRECT_VARIABLE, hostname.replace(/^\[|\]$/g, ""));
}

/** The beginning of every address, without a slash at its end. */
async function baseOf(
  written: string | undefined,
  configPath: string | undefined,
  io: CliIo,
): Promise<string | { problem: string } | undefined> {
  if (written !== undefined) {
    const url = /^https?:\/\//.test(written) ? written : `http://${written}`;
    if (!URL.canParse(url)) return { problem: `--address ${written}: it is no address` };
    const { origin, pathname, search, username } = new URL(url);
    if (pathname !== "/" || search !== "" || username !== "") {
      return { problem: `--address ${written}: only scheme, host and port` };
    }
    return origin;
  }
  const config = await readConfig(configPath, io);
  if (config === undefined) return undefined;
  const { address: text, certificateFile } = config.admin;
  if (text === "") {
    return {
      problem: "admin.address is empty: give --address, or --config with the broker's file",
    };
  }
  const address = parseListenAddress(text);
  if ("problem" in address) return { problem: `admin.address: ${address.problem}` };
  const anyHost: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  const host = anyHost[address.host] ?? address.host;
  const shown = host.includes(":") ? `[${host}]` : host;
  return `${certificateFile === "" ? "http" : "https"}://${shown}:${address.port}`;
}

async function readToken(path: string | null): Promise<string | null | { problem: string }> {
  if (path === null) return null;
  const reading = await readText(path, TOKEN_LENGTH_MAX);
  if (!reading.ok) return { problem: `token file ${path}: ${reading.problem}` };
  const token = reading.text.trim();
  return /^[!-~]+$/.test(token)
    ? token
    : { problem: `token file ${path}: there is no token in it` };
}

/** A variable of the environment; null where it is not set, or may not be read. */
function variable(name: string): string | null {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) || null : null;
}

function parsed(text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return { detail: text.slice(0, 1_000) };
  }
}
