/**
 * `deno task sbom`: what is in the binary, and what its tests are made of, as CycloneDX and SPDX in
 * `dist/`. The same sources give the same bytes; SOURCE_DATE_EPOCH sets the time in them.
 */
import deno from "../deno.json" with { type: "json" };
import { type BillFacts, cycloneDx, spdx } from "./ship/bill.ts";
import { sourceCommit, sourceTimeMs } from "./ship/commit.ts";
import { licences, lockedPackages } from "./ship/packages.ts";
import { sha256Hex } from "./ship/sums.ts";

/** Reads the lock file and what belongs to it. */
export async function billFacts(
  { commit, timeMs }: { commit: string; timeMs: number },
): Promise<BillFacts> {
  const packages = await lockedPackages();
  const { deno: version, v8 } = Deno.version;
  const lock = await Deno.readTextFile(new URL("../deno.lock", import.meta.url));
  const identity = await sha256Hex(new TextEncoder().encode(`${version}\n${commit}\n${lock}`));
  const runtime = { deno: version, v8 };
  return { packages, licences: await licences(packages), runtime, commit, timeMs, identity };
}

if (import.meta.main) {
  const [output = "dist", ...more] = Deno.args;
  if (output.startsWith("-") || more.length > 0) {
    Deno.stderr.writeSync(new TextEncoder().encode("Usage: deno task sbom [FOLDER]   (dist)\n"));
    Deno.exit(2);
  }
  const epoch = Deno.env.get("SOURCE_DATE_EPOCH");
  const timeMs = epoch === undefined ? await sourceTimeMs() : Number(epoch) * 1000;
  const facts = await billFacts({ commit: await sourceCommit(), timeMs });
  await Deno.mkdir(output, { recursive: true });
  for (const [form, bill] of [["cdx", cycloneDx(facts)], ["spdx", spdx(facts)]] as const) {
    const path = `${output}/relayq-${deno.version}.${form}.json`;
    await Deno.writeTextFile(path, `${JSON.stringify(bill, null, 2)}\n`);
    Deno.stdout.writeSync(new TextEncoder().encode(`${path}\n`));
  }
}
