/** The bills of materials say what the lock file says, and what is in the binary. */
import { assert, assertEquals } from "@std/assert";
import deno from "../../deno.json" with { type: "json" };
import { billFacts } from "../../scripts/sbom.ts";
import { cycloneDx, spdx } from "../../scripts/ship/bill.ts";
import { shippedRoots } from "../../scripts/ship/packages.ts";

const ROOT = new URL("../../", import.meta.url);
const LOCK = JSON.parse(await Deno.readTextFile(new URL("deno.lock", ROOT)));
const SOURCES = { commit: "abc123", timeMs: 1_700_000_000_000 };
const FACTS = await billFacts(SOURCES);

interface Component {
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly type: string;
  readonly scope: string;
  readonly purl: string;
  readonly hashes?: readonly { alg: string; content: string }[];
  readonly licenses: readonly ({ license: { id: string } } | { expression: string })[];
}

interface CycloneDx {
  readonly serialNumber: string;
  readonly metadata: { timestamp: string; component: { licenses: unknown; version: string } };
  readonly components: readonly Component[];
  readonly dependencies: readonly { ref: string; dependsOn: readonly string[] }[];
}

interface Spdx {
  readonly SPDXID: string;
  readonly packages: readonly {
    SPDXID: string;
    name: string;
    versionInfo: string;
    licenseDeclared: string;
    checksums?: readonly { checksumValue: string }[];
  }[];
  readonly relationships: readonly {
    spdxElementId: string;
    relationshipType: string;
    relatedSpdxElement: string;
  }[];
}

const CYCLONE = cycloneDx(FACTS) as unknown as CycloneDx;
const SPDX = spdx(FACTS) as unknown as Spdx;

function fullName({ group, name, version }: Component): string {
  return `${group === undefined ? "" : `${group}/`}${name}@${version}`;
}

Deno.test("every package of the lock file is in both bills, with its hash and a licence, and no other", () => {
  const locked = Object.keys(LOCK.npm).toSorted();
  const libraries = CYCLONE.components.filter(({ type }) => type === "library");
  assertEquals(libraries.map(fullName).toSorted(), locked);
  const inSpdx = SPDX.packages.filter(({ SPDXID }) => SPDXID.startsWith("SPDXRef-npm-"));
  assertEquals(inSpdx.map((each) => `${each.name}@${each.versionInfo}`).toSorted(), locked);
  for (const library of libraries) {
    const { integrity } = LOCK.npm[fullName(library)];
    const content = Uint8Array.fromBase64(integrity.slice(7)).toHex();
    assertEquals(library.hashes, [{ alg: "SHA-512", content }]);
    assertEquals(content.length, 128);
    const twin = inSpdx.find((each) => `${each.name}@${each.versionInfo}` === fullName(library))!;
    assertEquals(twin.checksums?.[0]?.checksumValue, content);
    const [licence] = library.licenses;
    assert(licence !== undefined);
    assertEquals(
      "license" in licence ? licence.license.id : licence.expression,
      twin.licenseDeclared,
    );
  }
});

Deno.test("what is shipped is told from what only tests need", async () => {
  const roots = await shippedRoots();
  for (const root of ["deno-std@1.4.0", "protobufjs@8.8.1"]) assert(roots.has(root), root);
  const shipped = CYCLONE.components.filter(({ scope }) => scope === "required");
  const names = shipped.map(fullName);
  const runtime = [`deno@${Deno.version.deno}`, `v8@${Deno.version.v8}`];
  for (const name of [...roots, "long@5.3.2", ...runtime]) assert(names.includes(name), name);
  // Packages of tests and scripts, with what these bring along.
  for (const name of ["mqtt", "sparkplug-client", "kraken-sparkplug-client", "debug"]) {
    assertEquals(shipped.filter((component) => component.name === name), []);
    assert(CYCLONE.components.some((component) => component.name === name), name);
  }
  const scopes = new Set(CYCLONE.components.map(({ scope }) => scope));
  assertEquals([...scopes].toSorted(), ["excluded", "required"]);
  const development = SPDX.relationships.filter((each) =>
    each.relationshipType === "DEV_DEPENDENCY_OF"
  );
  const excluded = CYCLONE.components.filter(({ scope }) => scope === "excluded");
  assertEquals(development.length, excluded.length);
  // Nobody has to publish his own sources for what is in the binary.
  for (const { licenses } of shipped) {
    const [licence] = licenses;
    assert(licence !== undefined && "license" in licence);
    assert(["MIT", "BSD-3-Clause", "Apache-2.0", "ISC"].includes(licence.license.id));
  }
});

Deno.test("every reference leads somewhere", () => {
  const components = new Set(CYCLONE.components.map(({ purl }) => purl));
  for (const { dependsOn } of CYCLONE.dependencies) {
    for (const ref of dependsOn) assert(components.has(ref), ref);
  }
  const direct = CYCLONE.dependencies[0]!.dependsOn;
  assertEquals(direct[0], `pkg:generic/deno@${Deno.version.deno}`);
  for (const name of ["deno-std@1.4.0", "protobufjs@8.8.1"]) {
    assert(direct.includes(`pkg:npm/${name}`));
  }
  // long is what protobufjs needs.
  assert(!direct.some((ref) => ref.startsWith("pkg:npm/long@")));
  const ids = new Set([SPDX.SPDXID, ...SPDX.packages.map(({ SPDXID }) => SPDXID)]);
  assertEquals(ids.size, SPDX.packages.length + 1);
  for (const { spdxElementId, relatedSpdxElement } of SPDX.relationships) {
    assert(ids.has(spdxElementId) && ids.has(relatedSpdxElement));
  }
  for (const id of ids) assert(/^SPDXRef-[A-Za-z0-9.-]+$/.test(id), id);
});

Deno.test("the same sources give the same bill, others another one, and the time is theirs", async () => {
  const again = await billFacts(SOURCES);
  assertEquals(JSON.stringify(cycloneDx(again)), JSON.stringify(CYCLONE));
  assertEquals(JSON.stringify(spdx(again)), JSON.stringify(SPDX));
  assertEquals(CYCLONE.metadata.timestamp, "2023-11-14T22:13:20Z");
  const uuid = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  assert(uuid.test(CYCLONE.serialNumber), CYCLONE.serialNumber);
  const other = cycloneDx(await billFacts({ ...SOURCES, commit: "def" })) as unknown as CycloneDx;
  assert(other.serialNumber !== CYCLONE.serialNumber);
});

Deno.test("the licence of the project is the one that deno.json names", async () => {
  assertEquals(deno.license, "Elastic-2.0");
  assertEquals(CYCLONE.metadata.component.licenses, [{ license: { id: "Elastic-2.0" } }]);
  const text = await Deno.readTextFile(new URL("LICENSE", ROOT));
  assert(text.startsWith("Elastic License 2.0\n"));
  const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
  assertEquals(headings, [
    "Acceptance",
    "Copyright License",
    "Limitations",
    "Patents",
    "Notices",
    "No Other Rights",
    "Termination",
    "No Liability",
    "Definitions",
  ]);
});

Deno.test("an option that there is not is no folder", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-read", "scripts/sbom.ts", "--help"],
    cwd: new URL("../../", import.meta.url),
  }).output();
  assertEquals([code, new TextDecoder().decode(stderr).startsWith("Usage: ")], [2, true]);
});
