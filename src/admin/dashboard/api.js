/** Requests to the admin API, with the token that was typed in. */

const BASE = new URL("../api/v1/", import.meta.url);
const KEPT_AS = "relayq-token";
const REQUEST_MS_MAX = 20_000;

/** An answer that says what is wrong. */
export class ApiProblem extends Error {
  /**
   * @param {number} status 0 where the broker does not answer
   * @param {string} detail
   */
  constructor(status, detail) {
    super(detail);
    this.name = "ApiProblem";
    this.status = status;
  }
}

/** The API, as the bearer of a token. */
export class Api extends EventTarget {
  #token = readToken();

  /** Whether there is a token to try. */
  get hasToken() {
    return this.#token !== "";
  }

  /**
   * Takes a token for as long as this tab is open.
   * @param {string} token
   */
  signIn(token) {
    this.#token = token;
    keepToken(token);
  }

  /** Forgets the token. */
  signOut() {
    this.#token = "";
    keepToken("");
  }

  /**
   * Asks for something.
   * @param {string} path below `/api/v1/`
   * @param {Record<string, string | number | boolean | null | undefined>} [query] empty values are left out
   * @returns {Promise<any>}
   */
  get(path, query = {}) {
    return this.#send("GET", path, { query });
  }

  /**
   * Changes something.
   * @param {"POST" | "PUT" | "DELETE"} method
   * @param {string} path
   * @param {{ query?: Record<string, string | number | boolean | null | undefined>, body?: unknown }} [options]
   * @returns {Promise<any>}
   */
  change(method, path, options = {}) {
    return this.#send(method, path, options);
  }

  /**
   * An answer that goes on; the caller reads its body.
   * @param {string} path
   * @param {AbortSignal} signal
   * @returns {Promise<Response>}
   */
  stream(path, signal) {
    return this.#fetch(new URL(path, BASE), {
      headers: this.#headers("text/event-stream"),
      signal,
    });
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {{ query?: Record<string, unknown>, body?: unknown }} options
   */
  async #send(method, path, { query = {}, body }) {
    const url = new URL(path, BASE);
    for (const [name, value] of Object.entries(query)) {
      if (value === "" || value === null || value === undefined) continue;
      url.searchParams.set(name, String(value));
    }
    const headers = this.#headers("application/json");
    if (body !== undefined) headers["content-type"] = "application/json";
    const response = await this.#fetch(url, {
      method,
      headers,
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return text === "" ? null : JSON.parse(text);
  }

  /**
   * @param {URL} url
   * @param {RequestInit} init
   */
  async #fetch(url, init) {
    let response;
    try {
      response = await fetch(url, { ...init, cache: "no-store", credentials: "omit" });
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") {
        throw error;
      }
      throw new ApiProblem(0, "The broker does not answer.");
    }
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    if (response.status === 401) this.dispatchEvent(new Event("unauthorized"));
    throw new ApiProblem(
      response.status,
      problem.detail ?? problem.title ?? `Status ${response.status}`,
    );
  }

  /**
   * @param {string} accept
   * @returns {Record<string, string>}
   */
  #headers(accept) {
    return this.#token === "" ? { accept } : { accept, authorization: `Bearer ${this.#token}` };
  }
}

/**
 * One part of a path, whatever is in it.
 * @param {string} text
 */
export function segment(text) {
  // A browser would take `.` and `..` for places in the path, and `%2E` as well.
  return encodeURIComponent(text);
}

function readToken() {
  try {
    return sessionStorage.getItem(KEPT_AS) ?? "";
  } catch {
    return "";
  }
}

/** @param {string} token */
function keepToken(token) {
  try {
    if (token === "") sessionStorage.removeItem(KEPT_AS);
    else sessionStorage.setItem(KEPT_AS, token);
  } catch {
    // Then it is for this page only.
  }
}
