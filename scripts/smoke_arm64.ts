/** `deno task smoke:arm64`: the bundle on aarch64, emulated, passes the smoke test. */
import { emulatedDeno } from "./ship/arm64.ts";
import { ENTRY, makeBundle } from "./ship/bundle.ts";
import { sourceCommit } from "./ship/commit.ts";
import { runtimeFlags } from "./ship/flags.ts";
import { must } from "./ship/run.ts";
import { smoke } from "./ship/smoke.ts";

const LIMIT_MS = 1_500_000;
/** Emulated, a start takes 20 s of a core, and the machine may have others to serve. */
const PATIENCE_MS = 400_000;

async function main([given]: readonly string[]): Promise<void> {
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`;
  const cache = given ?? `${home}/relayq-arm64`;
  const wanted = Deno.version.deno;
  const { command, version } = await emulatedDeno(cache, { wanted, say });
  const directory = await Deno.makeTempDir({ prefix: "relayq-arm64-" });
  const late = setTimeout(() => fail("Cannot pass smoke test: not done in time"), LIMIT_MS);
  try {
    const bundle = `${directory}/bundle`;
    const work = `${directory}/work`;
    for (const path of [bundle, work]) await Deno.mkdir(path);
    await makeBundle({ directory: bundle, commit: await sourceCommit() });
    const sealed = ["--no-config", "--no-lock", "--no-remote", "--no-npm", "--cached-only"];
    const flags = runtimeFlags({ small: false, heapMb: null });
    const broker = [...command, "run", ...sealed, ...flags, `${bundle}/${ENTRY}`];
    const args = [...broker.slice(1), "version"];
    say((await must(broker[0]!, { args, limitMs: PATIENCE_MS })).trim().replaceAll("\n", ", "));
    await smoke({
      command: broker,
      env: { DENO_DIR: `${directory}/deno` },
      directory: work,
      tls: true,
      patienceMs: PATIENCE_MS,
      passed: (what) => say(`aarch64, Deno ${version}: ${what}`),
    });
  } finally {
    clearTimeout(late);
    await Deno.remove(directory, { recursive: true });
  }
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

function fail(text: string): never {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
  Deno.exit(1);
}

if (import.meta.main) {
  await main(Deno.args).catch((error) => fail(error instanceof Error ? error.message : `${error}`));
}
