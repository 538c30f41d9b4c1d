/** Debian's Chromium without a window, driven by its DevTools protocol. */
import { assert } from "@std/assert";

const START_MS_MAX = 60_000;
const WAIT_MS_MAX = 30_000;
/** Keys that a page acts on by itself, as the browser numbers them. */
const KEY_CODES: Readonly<Record<string, number>> = {
  Tab: 9,
  Enter: 13,
  Escape: 27,
  ArrowLeft: 37,
  ArrowUp: 38,
  ArrowRight: 39,
  ArrowDown: 40,
};

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  // deno-lint-ignore no-explicit-any -- the protocol has hundreds of shapes
  readonly params?: any;
  // deno-lint-ignore no-explicit-any -- as above
  readonly result?: any;
  readonly error?: { readonly message: string };
}

/** What a page shows itself on. */
export interface Screen {
  readonly width: number;
  readonly height: number;
  readonly dark?: boolean;
  readonly touch?: boolean;
  /** Whether certificates of unknown authorities will do. */
  readonly trusting?: boolean;
}

/** The browser; `await using` ends it. */
export class Chromium implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Message>>();
  readonly #pages = new Map<string, (message: Message) => void>();
  #lastId = 0;

  private constructor(child: Deno.ChildProcess, profile: string, socket: WebSocket) {
    this.#child = child;
    this.#profile = profile;
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
  }

  /** Starts it with a profile of its own. Fails where there is none installed. */
  static async start(): Promise<Chromium> {
    const profile = await Deno.makeTempDir({ prefix: "relayq-chromium-" });
    const child = new Deno.Command("chromium", {
      args: [
        "--headless=new",
        "--no-sandbox", // tests run as root, in containers
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--hide-scrollbars",
        "--remote-debugging-port=0",
        `--user-data-dir=${profile}`,
        "about:blank",
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const socket = new WebSocket(await debuggerOf(profile));
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("Cannot drive Chromium: no connection"));
    });
    return new Chromium(child, profile, socket);
  }

  /** Opens a page that shares nothing with the others. */
  async open(screen: Screen = { width: 1280, height: 800 }): Promise<Page> {
    const { browserContextId } = await this.send("Target.createBrowserContext", {});
    const { targetId } = await this.send("Target.createTarget", {
      url: "about:blank",
      browserContextId,
    });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page((method, params) => this.send(method, params, sessionId));
    this.#pages.set(sessionId, (message) => page.take(message.method ?? "", message.params));
    await page.begin(screen);
    return page;
  }

  /** Sends a command of the protocol, and gives its result. */
  // deno-lint-ignore no-explicit-any -- as above
  async send(method: string, params: unknown, sessionId?: string): Promise<any> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<Message>();
    this.#waiting.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    const { error, result } = await answer.promise;
    if (error !== undefined) throw new Error(`Cannot drive Chromium: ${method}: ${error.message}`);
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    await this.send("Browser.close", {}).catch(() => {});
    await closed;
    await this.#child.status;
    await Deno.remove(this.#profile, { recursive: true });
  }

  #take(message: Message): void {
    if (message.id !== undefined) {
      this.#waiting.get(message.id)?.resolve(message);
      this.#waiting.delete(message.id);
    } else this.#pages.get(message.sessionId ?? "")?.(message);
  }
}

/** One page, and what it said and asked for. */
export class Page {
  /** What it wrote to its console, and what the browser had to complain about. */
  readonly complaints: string[] = [];
  /** Addresses that it asked for. */
  readonly requests: string[] = [];
  readonly #send: (method: string, params: unknown) => Promise<{
    readonly result: { readonly value: unknown };
    readonly data: string;
    readonly exceptionDetails?: { readonly exception?: { readonly description?: string } };
  }>;

  constructor(send: (method: string, params: unknown) => ReturnType<Chromium["send"]>) {
    this.#send = send;
  }

  /** Sets it up. */
  async begin({ width, height, dark = false, touch = false, trusting = false }: Screen) {
    for (const domain of ["Page", "Runtime", "Network", "Log"]) {
      await this.#send(`${domain}.enable`, {});
    }
    await this.#send("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: touch,
    });
    await this.#send("Security.setIgnoreCertificateErrors", { ignore: trusting });
    await this.#send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }],
    });
  }

  /** An event of the protocol. */
  // deno-lint-ignore no-explicit-any -- as above
  take(method: string, params: any): void {
    if (method === "Network.requestWillBeSent") this.requests.push(params.request.url);
    if (method === "Log.entryAdded") this.complaints.push(params.entry.text);
    if (method === "Runtime.exceptionThrown") {
      const { text, exception } = params.exceptionDetails;
      this.complaints.push(`${text} ${exception?.description ?? ""}`);
    }
    if (method === "Runtime.consoleAPICalled") {
      this.complaints.push(params.args.map((arg: { value: unknown }) => arg.value).join(" "));
    }
  }

  /** Goes to an address; what comes of it has to be waited for. */
  async visit(url: string): Promise<void> {
    await this.#send("Page.navigate", { url });
  }

  /** The value of an expression in the page; a promise is awaited. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.#send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
      userGesture: true,
    });
    if (exceptionDetails !== undefined) {
      throw new Error(`Cannot evaluate ${expression}: ${exceptionDetails.exception?.description}`);
    }
    return result.value;
  }

  /** Waits until an expression is true in the page. */
  async until(expression: string): Promise<void> {
    const deadline = performance.now() + WAIT_MS_MAX;
    for (;;) {
      // While a page is being left there is nothing to evaluate in.
      if (await this.evaluate(expression).catch(() => false)) return;
      if (performance.now() > deadline) {
        const text = await this.evaluate("document.body.innerText").catch(() => "");
        throw new Error(`Not in ${WAIT_MS_MAX} ms: ${expression}\n${text}\n${this.complaints}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Waits until this text can be seen. */
  async untilText(text: string): Promise<void> {
    await this.until(`document.body.innerText.includes(${JSON.stringify(text)})`);
  }

  /** Waits until an element of this selector has this text in it, seen or not. */
  async untilShown(selector: string, text: string): Promise<void> {
    await this.until(`[...document.querySelectorAll(${JSON.stringify(selector)})]
      .some((element) => element.textContent.includes(${JSON.stringify(text)}))`);
  }

  /** Presses the first visible element of a selector that has this text. */
  async press(selector: string, text = ""): Promise<void> {
    const found = `[...document.querySelectorAll(${JSON.stringify(selector)})].find((element) =>
      element.checkVisibility() && element.textContent.includes(${JSON.stringify(text)}))`;
    await this.until(`${found} !== undefined`);
    await this.evaluate(`${found}.click()`);
  }

  /** Writes into a field, as typing does. */
  async type(selector: string, text: string): Promise<void> {
    const field = `document.querySelector(${JSON.stringify(selector)})`;
    await this.until(`${field} !== null`);
    await this.evaluate(`${field}.focus(), ${field}.select?.()`);
    await this.#send("Input.insertText", { text });
  }

  /** Presses a key, such as "Tab" or "Enter", on what has the focus. */
  async key(key: string): Promise<void> {
    const text = key === "Enter" ? "\r" : "";
    for (const type of [text === "" ? "rawKeyDown" : "keyDown", "keyUp"]) {
      const windowsVirtualKeyCode = KEY_CODES[key];
      await this.#send("Input.dispatchKeyEvent", {
        type,
        key,
        code: key,
        windowsVirtualKeyCode,
        text,
      });
    }
  }

  /** What it looks like, as PNG. */
  async picture({ whole = false } = {}): Promise<Uint8Array> {
    const { data } = await this.#send("Page.captureScreenshot", {
      format: "png",
      captureBeyondViewport: whole,
    });
    return Uint8Array.fromBase64(data);
  }
}

/** Where the browser listens: it says so in its profile. */
async function debuggerOf(profile: string): Promise<string> {
  const deadline = performance.now() + START_MS_MAX;
  for (;;) {
    const text = await Deno.readTextFile(`${profile}/DevToolsActivePort`).catch(() => "");
    const [port, path] = text.split("\n");
    if (path !== undefined && path !== "") return `ws://127.0.0.1:${port}${path}`;
    assert(performance.now() < deadline, "Chromium did not start");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
