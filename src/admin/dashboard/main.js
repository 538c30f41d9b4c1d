/** The page: who is there, where they are in it, and whether the broker is alive. */
import { Api, ApiProblem } from "./api.js";
import { fill } from "./dom.js";
import { failure, loading } from "./dialogs.js";
import { Live } from "./live.js";
import { signIn } from "./sign_in.js";
import { Shell } from "./shell.js";
import { VIEWS } from "./views.js";

/** @typedef {import("./fields.js").Role} Role */
/** @typedef {{ name: string, role: Role }} Identity */
/**
 * @typedef {object} View
 * @property {HTMLElement} element
 * @property {() => void} [stop] called when another view takes its place
 * @property {() => void} [refresh] called when the broker has come back
 */
/**
 * @typedef {object} Context what views work with
 * @property {Api} api
 * @property {Live} live
 * @property {Identity} identity
 * @property {string} path what follows the name of the view in the address
 */

const api = new Api();
const live = new Live(api);

/** Shows the page to whoever has a token, and asks for one otherwise. */
async function begin() {
  fill(document.body, [loading()]);
  try {
    if (!api.hasToken && location.protocol === "http:") return askForToken("");
    // Without a token there may still be a client certificate.
    const identity = /** @type {Identity} */ (await api.get("whoami"));
    showShell(identity);
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 401) {
      askForToken(api.hasToken ? error.message : "");
    } else fill(document.body, [failure(error, () => void begin())]);
  }
}

/** @param {string} problem */
function askForToken(problem) {
  api.signOut();
  live.stop();
  fill(document.body, [
    signIn(problem, (token) => {
      api.signIn(token);
      void begin();
    }),
  ]);
}

/** @param {Identity} identity */
function showShell(identity) {
  const shell = new Shell({ identity, live, views: VIEWS, signOut: () => location.reload() });
  const ended = new AbortController();
  /** @type {View | null} */
  let view = null;
  function route() {
    const [name = "", ...rest] = location.hash.replace(/^#\/?/, "").split("/");
    const entry = VIEWS.find((candidate) => candidate.name === name) ??
      VIEWS[0];
    if (entry === undefined) return;
    view?.stop?.();
    for (const dialog of document.querySelectorAll("dialog")) dialog.close();
    const path = rest.map((part) => decoded(part)).join("/");
    view = entry.open({ api, live, identity, path });
    shell.show(entry, view.element);
  }
  const { signal } = ended;
  addEventListener("hashchange", route, { signal });
  live.addEventListener("state", () => {
    if (live.state === "refused") leave(live.reason);
  }, { signal });
  let wasOffline = false;
  live.addEventListener("state", () => {
    if (live.state === "live" && wasOffline) view?.refresh?.();
    wasOffline = live.state === "offline";
  }, { signal });
  api.addEventListener("unauthorized", () => leave("The token is no longer valid."), { signal });
  /** @param {string} reason */
  function leave(reason) {
    ended.abort();
    view?.stop?.();
    askForToken(reason);
  }
  shell.onSignOut = () => leave("");
  route();
  live.start();
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

void begin();
