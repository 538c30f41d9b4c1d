/** Debian's mosquitto with a configuration of the test's own. */

/** A broker that runs until it is disposed of, with its files in a directory of its own. */
export class Mosquitto implements AsyncDisposable {
  readonly port: number;
  readonly #directory: string;
  readonly #process: Deno.ChildProcess;

  private constructor(directory: string, port: number, process: Deno.ChildProcess) {
    this.#directory = directory;
    this.port = port;
    this.#process = process;
  }

  /** Starts one with these files; `DIR/` in the configuration is where they are. */
  static async start(config: string, files: Readonly<Record<string, string>>): Promise<Mosquitto> {
    const directory = await Deno.makeTempDir({ dir: "/tmp", prefix: "relayq-mosquitto-" });
    const port = freePort();
    const conf = `listener ${port} 127.0.0.1\n${config.replaceAll("DIR/", `${directory}/`)}`;
    for (const [name, text] of Object.entries({ ...files, conf })) {
      await Deno.writeTextFile(`${directory}/${name}`, text);
      await Deno.chmod(`${directory}/${name}`, 0o644); // It gives up the rights of root.
    }
    await Deno.chmod(directory, 0o755);
    const args = ["-c", `${directory}/conf`];
    const process = new Deno.Command("mosquitto", { args, stdout: "null", stderr: "null" }).spawn();
    const broker = new Mosquitto(directory, port, process);
    await broker.#listening();
    return broker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await this.#process.status;
    await Deno.remove(this.#directory, { recursive: true });
  }

  async #listening(): Promise<void> {
    const deadline = performance.now() + 10_000;
    for (;;) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port: this.port })).close();
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}
