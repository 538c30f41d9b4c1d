/**
 * Bills of materials, in the two forms that are asked for: CycloneDX 1.6 and SPDX 2.3. Everything in
 * them is derived, so that the same sources give the same bytes.
 */
import deno from "../../deno.json" with { type: "json" };
import type { LockedPackage } from "./packages.ts";

/** What a bill is written from. */
export interface BillFacts {
  readonly packages: ReadonlyMap<string, LockedPackage>;
  readonly licences: ReadonlyMap<string, string>;
  /** Of the runtime that is in the binary. */
  readonly runtime: { readonly deno: string; readonly v8: string };
  /** Which sources. */
  readonly commit: string;
  /** When they were, not when the bill was written. */
  readonly timeMs: number;
  /** SHA-256 of the lock file and the commit, which identifies the bill. */
  readonly identity: string;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const PRODUCT = { name: "relayq", version: deno.version, license: deno.license } as const;

/** What the runtime says of itself; V8 is in it, and is what most advisories are about. */
function runtimeParts({ runtime }: BillFacts): readonly (readonly [string, string, string])[] {
  return [["deno", runtime.deno, "MIT"], ["v8", runtime.v8, "BSD-3-Clause"]];
}

/** The bill as CycloneDX 1.6: what is not in the binary has the scope "excluded". */
export function cycloneDx(facts: BillFacts): Json {
  const product = purl("generic", PRODUCT.name, PRODUCT.version);
  const direct = [...facts.packages].filter(([key]) => isDirect(facts, key));
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(facts.identity)}`,
    version: 1,
    metadata: {
      timestamp: stamp(facts.timeMs),
      component: {
        "bom-ref": product,
        type: "application",
        name: PRODUCT.name,
        version: PRODUCT.version,
        licenses: licenceOf(PRODUCT.license),
        purl: product,
        properties: [{ name: "relayq:commit", value: facts.commit }],
      },
    },
    components: [
      ...runtimeParts(facts).map(([name, version, licence]) => ({
        "bom-ref": purl("generic", name, version),
        type: "platform",
        name,
        version,
        scope: "required",
        licenses: licenceOf(licence),
        purl: purl("generic", name, version),
      })),
      ...[...facts.packages].map(([key, locked]) => ({
        "bom-ref": purlOf(locked),
        type: "library",
        ...scopedName(locked.name),
        version: locked.version,
        scope: locked.shipped ? "required" : "excluded",
        hashes: [{ alg: "SHA-512", content: sha512Hex(locked.integrity) }],
        licenses: licenceOf(facts.licences.get(key)!),
        purl: purlOf(locked),
      })),
    ],
    dependencies: [
      {
        ref: product,
        dependsOn: [
          purl("generic", "deno", facts.runtime.deno),
          ...direct.map(([, locked]) => purlOf(locked)),
        ],
      },
      {
        ref: purl("generic", "deno", facts.runtime.deno),
        dependsOn: [purl("generic", "v8", facts.runtime.v8)],
      },
      ...[...facts.packages.values()].map((locked) => ({
        ref: purlOf(locked),
        dependsOn: locked.dependencies.map((key) => purlOf(facts.packages.get(key)!)),
      })),
    ],
  };
}

/** The bill as SPDX 2.3: what is not in the binary is a development dependency of it. */
export function spdx(facts: BillFacts): Json {
  const product = "SPDXRef-relayq";
  const packages = [...facts.packages];
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `${PRODUCT.name}-${PRODUCT.version}`,
    documentNamespace: `https://spdx.org/spdxdocs/relayq-${PRODUCT.version}-${
      uuidOf(facts.identity)
    }`,
    creationInfo: { created: stamp(facts.timeMs), creators: ["Tool: relayq-sbom"] },
    packages: [
      spdxPackage(product, {
        ...PRODUCT,
        licence: PRODUCT.license,
        purl: purl("generic", PRODUCT.name, PRODUCT.version),
        sourceInfo: `commit ${facts.commit}`,
      }),
      ...runtimeParts(facts).map(([name, version, licence]) =>
        spdxPackage(`SPDXRef-${name}`, {
          name,
          version,
          licence,
          purl: purl("generic", name, version),
        })
      ),
      ...packages.map(([key, locked]) =>
        spdxPackage(spdxId(key), {
          name: locked.name,
          version: locked.version,
          licence: facts.licences.get(key)!,
          purl: purlOf(locked),
          sha512: sha512Hex(locked.integrity),
        })
      ),
    ],
    relationships: [
      relation("SPDXRef-DOCUMENT", "DESCRIBES", product),
      relation(product, "DEPENDS_ON", "SPDXRef-deno"),
      relation("SPDXRef-deno", "DEPENDS_ON", "SPDXRef-v8"),
      ...packages.flatMap(([key, { shipped, dependencies }]) => [
        ...(shipped
          ? isDirect(facts, key) ? [relation(product, "DEPENDS_ON", spdxId(key))] : []
          : [relation(spdxId(key), "DEV_DEPENDENCY_OF", product)]),
        ...dependencies.map((needed) => relation(spdxId(key), "DEPENDS_ON", spdxId(needed))),
      ]),
    ],
  };
}

/** Whether the broker imports it itself: nothing else that is shipped needs it. */
function isDirect({ packages }: BillFacts, key: string): boolean {
  const { shipped } = packages.get(key)!;
  const needed = [...packages.values()].some((other) =>
    other.shipped && other.dependencies.includes(key)
  );
  return shipped && !needed;
}

function spdxPackage(
  id: string,
  { name, version, licence, purl, sha512, sourceInfo }: {
    name: string;
    version: string;
    licence: string;
    purl: string;
    sha512?: string;
    sourceInfo?: string;
  },
): Json {
  return {
    SPDXID: id,
    name,
    versionInfo: version,
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    licenseConcluded: "NOASSERTION",
    licenseDeclared: licence,
    copyrightText: "NOASSERTION",
    ...(sourceInfo === undefined ? {} : { sourceInfo }),
    ...(sha512 === undefined
      ? {}
      : { checksums: [{ algorithm: "SHA512", checksumValue: sha512 }] }),
    externalRefs: [{
      referenceCategory: "PACKAGE-MANAGER",
      referenceType: "purl",
      referenceLocator: purl,
    }],
  };
}

function relation(from: string, relationshipType: string, to: string): Json {
  return { spdxElementId: from, relationshipType, relatedSpdxElement: to };
}

function licenceOf(text: string): Json {
  return /^[A-Za-z0-9.+-]+$/.test(text) ? [{ license: { id: text } }] : [{ expression: text }];
}

function scopedName(name: string): { group: string; name: string } | { name: string } {
  const [group, rest] = name.split("/");
  return rest === undefined ? { name } : { group: group!, name: rest };
}

function purlOf({ name, version }: LockedPackage): string {
  return purl("npm", name.replace("@", "%40"), version);
}

function purl(type: string, name: string, version: string): string {
  return `pkg:${type}/${name}@${version}`;
}

/** An identifier of SPDX has letters, digits, dots and dashes only. */
function spdxId(key: string): string {
  return `SPDXRef-npm-${key.replace("@", "").replaceAll(/[^A-Za-z0-9.]+/g, "-")}`;
}

function sha512Hex(integrity: string): string {
  return Uint8Array.fromBase64(integrity.slice("sha512-".length)).toHex();
}

/** A UUID of version 8, whose bits are the maker's own: of a hash. */
function uuidOf(hash: string): string {
  const variant = "89ab"[parseInt(hash[16]!, 16) % 4]!;
  const digits = `${hash.slice(0, 12)}8${hash.slice(13, 16)}${variant}${hash.slice(17, 32)}`;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function stamp(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d+Z$/, "Z");
}
