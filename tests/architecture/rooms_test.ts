/** The rules of the house: layout, rooms and who may import whom. */
import { assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

/** The top level as the design lists it. */
const TOP_LEVEL = new Set([
  ".ci",
  ".github",
  ".gitignore",
  "Dockerfile",
  "LICENSE",
  "README.md",
  "deno.json",
  "deno.lock",
  "fuzz",
  "main.ts",
  "scripts",
  "src",
  "tests",
]);

/** Made by running things here; git ignores them. */
const IGNORED = new Set([
  ".git",
  "bench-results",
  "coverage",
  "dist",
  "node_modules",
  "relayq-data",
]);

/** Rooms, and the rooms whose door each may use. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  mqtt: [],
  broker: ["mqtt"],
  store: ["mqtt", "broker"],
  security: ["mqtt"],
  sparkplug: ["mqtt"],
  transport: ["mqtt", "broker", "security"],
  admin: ["broker", "store", "security", "sparkplug"],
  system: [],
  config: [],
  client: ["mqtt"],
  doctor: ["config", "security", "store", "system"],
  cli: [
    "mqtt",
    "config",
    "store",
    "security",
    "sparkplug",
    "system",
    "admin",
    "client",
    "doctor",
    "server.ts",
  ],
};

/** The one composition root, and the files that are private to it: they may use every door. */
const ROOT_FILE = /^(server|_server_[a-z_]+)\.ts$/;

/** Files of the Sparkplug room that wait, for code to be loaded and for nothing else. */
const LOADING: ReadonlySet<string> = new Set([
  "sparkplug/load_judging.ts",
  "sparkplug/payload_codec.ts",
]);

/** What must not appear in the rooms that do no I/O, and what it would mean. */
const IMPURE: readonly (readonly [RegExp, string])[] = [
  [/\bDeno\b/, "the runtime"],
  [/\bDate\.now\b|\bnew Date\b|\bperformance\b/, "a clock"],
  [/\bMath\.random\b|\bcrypto\b/, "randomness"],
  [/\bsetTimeout\b|\bsetInterval\b|\bqueueMicrotask\b/, "a timer"],
  [/\basync\b|\bawait\b|\bPromise\b/, "asynchrony"],
  [/\bconsole\b/, "a log call"],
];

interface SourceFile {
  /** Path below `src/`. */
  readonly path: string;
  readonly text: string;
}

async function sourceFiles(folder = "src/", kind = /\.ts$/): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
    const path = folder + entry.name;
    if (entry.isDirectory) files.push(...await sourceFiles(path + "/", kind));
    else if (kind.test(path)) {
      files.push({ path: path.slice(4), text: await Deno.readTextFile(new URL(path, ROOT)) });
    }
  }
  return files;
}

/** Module specifiers of a file, dynamic imports included. */
function importsOf(text: string): string[] {
  const pattern = /(?:\bfrom\s+|\bimport\s*\(?\s*)"([^"]+)"/g;
  return [...text.matchAll(pattern)].map((match) => match[1]!);
}

/** Code without comments and strings, so that prose may speak of what code must not use. */
function codeOf(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\/\/.*$/gm, "")
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/`(?:[^`\\]|\\.)*`/g, "``");
}

/** Faults of one import, as text; null where it is allowed. */
function importFault(file: SourceFile, specifier: string): string | null {
  if (!specifier.startsWith(".")) return null;
  const target = new URL(specifier, new URL(file.path, "file:///")).pathname.slice(1);
  const room = file.path.split("/")[0]!;
  const [targetRoom, targetFile] = target.split("/");
  if (room === targetRoom || ROOT_FILE.test(room)) {
    const throughDoor = room === targetRoom || targetFile === "mod.ts" ||
      target === "deno.json" || ROOT_FILE.test(target);
    return throughDoor ? null : `${file.path} imports ${target}, not through the door mod.ts`;
  }
  if (targetRoom === "deno.json") return null;
  const allowed = ROOMS[room];
  if (allowed === undefined) return `${file.path} stands in no known room`;
  if (!allowed.includes(targetRoom!)) return `${file.path} may not import ${targetRoom}`;
  if (targetRoom !== "server.ts" && targetFile !== "mod.ts") {
    return `${file.path} imports ${target}, not through the door mod.ts`;
  }
  return null;
}

Deno.test("the top level holds what the design lists, and nothing else", async () => {
  const found: string[] = [];
  for await (const entry of Deno.readDir(ROOT)) {
    if (!IGNORED.has(entry.name) && !TOP_LEVEL.has(entry.name)) found.push(entry.name);
  }
  assertEquals(found, []);
});

Deno.test("rooms import only the rooms the design allows, through their doors", async () => {
  const files = await sourceFiles();
  const faults = files.flatMap((file) =>
    importsOf(file.text).flatMap((specifier) => importFault(file, specifier) ?? [])
  );
  assertEquals(faults, []);
});

Deno.test("the import check sees an import that is not allowed", () => {
  const file = { path: "mqtt/frame.ts", text: "" };
  assertEquals(importFault(file, "../broker/mod.ts"), "mqtt/frame.ts may not import broker");
  const cli = { path: "cli/check.ts", text: "" };
  assertEquals(
    importFault(cli, "../config/_schema.ts"),
    "cli/check.ts imports config/_schema.ts, not through the door mod.ts",
  );
});

Deno.test("the codec and the core use no I/O, clock, randomness, timer or asynchrony", async () => {
  const files = (await sourceFiles()).filter(({ path }) => /^(mqtt|broker)\//.test(path));
  const faults = files.flatMap(({ path, text }) =>
    IMPURE.flatMap(([pattern, meaning]) => pattern.test(codeOf(text)) ? `${path}: ${meaning}` : [])
  );
  assertEquals(faults, []);
});

Deno.test("the Sparkplug room uses no I/O, clock, randomness or timer, and waits only for code", async () => {
  const files = (await sourceFiles()).filter(({ path }) => path.startsWith("sparkplug/"));
  const faults = files.flatMap(({ path, text }) => {
    const impure = IMPURE.filter(([, meaning]) => meaning !== "asynchrony" || !LOADING.has(path));
    return impure.flatMap(([pattern, meaning]) =>
      pattern.test(codeOf(text)) ? `${path}: ${meaning}` : []
    );
  });
  assertEquals(faults, []);
  const packages = files.flatMap(({ text }) => importsOf(text))
    .filter((specifier) => !specifier.startsWith("."));
  assertEquals([...new Set(packages)], ["protobufjs"]);
});

Deno.test("no cycle of imports between files", async () => {
  const files = await sourceFiles();
  const graph = new Map(files.map((file) => [file.path, valueImports(file)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  function visit(path: string, trail: readonly string[]): void {
    if (trail.includes(path)) {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  }
  for (const path of graph.keys()) visit(path, []);
  assertEquals(cycles, []);
});

/** Files below `src/` that a file imports for more than types. */
function valueImports({ path, text }: SourceFile): string[] {
  const code = text.replace(/\b(?:import|export) type\b[\s\S]*?;/g, "");
  return importsOf(code).filter((specifier) => specifier.startsWith("."))
    .map((specifier) => new URL(specifier, new URL(path, "file:///")).pathname.slice(1));
}

Deno.test("files are snake_case and at most 400 lines long", async () => {
  const files = await sourceFiles("src/", /\.(?:ts|js|css|html)$/);
  const faults = files.filter(({ path, text }) =>
    !/^([a-z0-9_]+\/)*[a-z0-9_]+(\.d)?\.[a-z]+$/.test(path) || text.split("\n").length > 401
  );
  assertEquals(faults.map(({ path }) => path), []);
});
