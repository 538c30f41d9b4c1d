/** Spin and the verifiers that it makes: generated and compiled in a folder of their own, and run. */
import { MissingTool } from "./verify_row.ts";
import { type PanResult, parsePan, parseStatements } from "./_pan_output.ts";
import type { Defines } from "./_spin_model.ts";

const MODELS = new URL("./models/", import.meta.url);
/** Deep enough for all models. */
const DEPTH_MAX = 1_000_000;
/** How long one program may run. */
const RUN_MS_MAX = 900_000;

/** How a verifier is compiled. `steps`: it prints every step of every state, once. */
export type PanKind = "safety" | "steps" | "formulas";

const COMPILER_FLAGS: Readonly<Record<PanKind, readonly string[]>> = {
  safety: ["-DSAFETY", "-DNOCLAIM"],
  steps: ["-DSAFETY", "-DNOCLAIM", "-DNOREDUCE", "-DPRINTF"],
  formulas: ["-DNFAIR=3"],
};

/** A verifier that runs for long is worth the time of a compiler; small ones take less than that. */
const THOROUGH = [["gcc", "-O2"]];
const FAST = [["tcc"], ["gcc", "-O0"]];

/** A model that was translated to C. */
export class Pan {
  readonly #folder: string;
  readonly #compilers: readonly (readonly string[])[];
  readonly #compiled = new Map<PanKind, Promise<string>>();

  private constructor(folder: string, compilers: readonly (readonly string[])[]) {
    this.#folder = folder;
    this.#compilers = compilers;
  }

  /**
   * Translates a model, in a folder below `parent`. Statements are not merged, so that each is
   * counted. `long`: the verifier is worth the time of the compiler.
   */
  static async generate(
    model: string,
    defines: Defines,
    { parent, long }: { parent: string; long: boolean },
  ): Promise<Pan> {
    const folder = await Deno.makeTempDir({ dir: parent });
    const macros = Object.entries(defines).map(([name, value]) => `-D${name}=${value}`);
    const path = decodeURIComponent(new URL(`${model}.pml`, MODELS).pathname);
    const { code, text } = await program("spin", ["-o3", "-a", ...macros, path], folder);
    if (code !== 0) throw new Error(`Cannot translate ${model}.pml: ${text}`);
    return new Pan(folder, long ? THOROUGH : FAST);
  }

  /** Compiles it, once; gives the path of the verifier. */
  compile(kind: PanKind): Promise<string> {
    const known = this.#compiled.get(kind);
    if (known !== undefined) return known;
    const made = this.#compile(kind);
    this.#compiled.set(kind, made);
    return made;
  }

  /** Runs a verifier; `options` are its own. */
  async run(path: string, options: readonly string[] = []): Promise<PanResult> {
    const { text } = await program(path, [`-m${DEPTH_MAX}`, "-w20", ...options], this.#folder);
    return parsePan(text);
  }

  /** All statements of the model, by place and text, and how often each stands in a process. */
  async statements(path: string): Promise<Map<string, number>> {
    return parseStatements((await program(path, ["-d"], this.#folder)).text);
  }

  async #compile(kind: PanKind): Promise<string> {
    const path = `${this.#folder}/pan_${kind}`;
    const flags = ["-w", "-DMEMLIM=4000", ...COMPILER_FLAGS[kind], "-o", path, "pan.c"];
    for (const [name, ...options] of this.#compilers) {
      const done = await program(name!, [...options, ...flags], this.#folder).catch(unlessMissing);
      if (done === null) continue;
      if (done.code !== 0) throw new Error(`Cannot compile verifier: ${done.text}`);
      return path;
    }
    throw new MissingTool("gcc", "gcc");
  }
}

/** The version of Spin that is installed. Throws MissingTool if there is none, or no compiler. */
export async function spinVersion(): Promise<string> {
  const { text } = await program("spin", ["-V"], "/");
  await program("gcc", ["--version"], "/");
  return /Version (\S+)/.exec(text)?.[1] ?? "?";
}

function unlessMissing(error: unknown): null {
  if (error instanceof MissingTool) return null;
  throw error;
}

async function program(
  name: string,
  args: readonly string[],
  cwd: string,
): Promise<{ code: number; text: string }> {
  const signal = AbortSignal.timeout(RUN_MS_MAX);
  try {
    const command = new Deno.Command(name, { args: [...args], cwd, signal });
    const { code, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new MissingTool(name, name);
    throw error;
  }
}
