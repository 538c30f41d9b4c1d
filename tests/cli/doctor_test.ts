/** `relayq doctor` on what is good, and on one fault after the other. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Config, DEFAULT_CONFIG } from "../../src/config/mod.ts";
import { examine, type Finding, type FindingLevel } from "../../src/doctor/mod.ts";
import { SCHEMA_VERSION } from "../../src/store/mod.ts";
import {
  daysFromNow,
  NEEDS_OPENSSL,
  OPENSSL,
  SERVER_EXTENSIONS,
  temporaryDirectory,
  TestAuthority,
} from "../support/test_authority.ts";
import { TestBroker } from "../support/test_broker.ts";
import { WireClient } from "../support/wire_client.ts";
import { run, withDirectory } from "./_running.ts";

interface Examined {
  readonly code: number;
  readonly findings: readonly Finding[];
}

/** Runs the command on a file with this text; DIR stands for the directory. */
async function doctor(directory: string, text: string): Promise<Examined> {
  const path = `${directory}/relayq.toml`;
  await Deno.writeTextFile(path, text.replaceAll("DIR", directory));
  await Deno.chmod(path, 0o644);
  const { code, out, err } = await run(["doctor", "--json", path]);
  assertEquals(err, "");
  const { findings, errors, warnings } = JSON.parse(out);
  assertEquals(errors, at("error", findings).length);
  assertEquals(warnings, at("warning", findings).length);
  return { code, findings };
}

function at(level: FindingLevel, findings: readonly Finding[]): string[] {
  return findings.filter((finding) => finding.level === level).map(({ text }) => text);
}

/** Findings of `examine` where the configuration alone or the clock matters. */
async function examined(
  change: (config: Config) => Config,
  nowMs = Date.now(),
): Promise<readonly Finding[]> {
  let findings: readonly Finding[] = [];
  await withDirectory(async (dataDir) => {
    const config = change({ ...DEFAULT_CONFIG, store: { ...DEFAULT_CONFIG.store, dataDir } });
    await Deno.writeTextFile(`${dataDir}/relayq.db`, "");
    findings = await examine(config, { configPath: null, nowMs });
  });
  return findings;
}

const LISTENER = `[[listeners]]\naddress = "127.0.0.1:0"\n`;

Deno.test("a good configuration has nothing to fix; mistakes are told with their lines", async () => {
  await withDirectory(async (directory) => {
    const good = await doctor(directory, `${LISTENER}[store]\ndata_dir = "DIR/data"\n`);
    assertEquals([good.code, at("error", good.findings), at("warning", good.findings)], [
      0,
      [],
      [],
    ]);
    const bad = await doctor(directory, `${LISTENER}[limits]\nconnections_mix = 5\n`);
    assertEquals(bad.code, 1);
    assertMatch(at("error", bad.findings)[0]!, /relayq\.toml:4:1: .*connections_mix/);
    const text = await run(["doctor", `${directory}/relayq.toml`]);
    assertMatch(text.out, /^ERROR {3}configuration {2}.*\n {23}to fix: .*\n1 error, 0 warnings\n$/);
    const missing = await run(["doctor", `${directory}/nothing`]);
    assertStringIncludes(missing.out, "no such file or directory");
    assertEquals(missing.code, 1);
  });
});

Deno.test("files that others may read or write, or that are not there", async () => {
  await withDirectory(async (directory) => {
    const text = `${LISTENER}[store]\ndata_dir = "DIR/data"\n` +
      `[security]\npassword_file = "DIR/users"\naccess_file = "DIR/access"\n`;
    await Deno.writeTextFile(`${directory}/users`, "", { mode: 0o640 });
    await Deno.writeTextFile(`${directory}/access`, "", { mode: 0o644 });
    assertEquals((await doctor(directory, text)).code, 0);
    await Deno.chmod(`${directory}/users`, 0o644);
    await Deno.chmod(`${directory}/access`, 0o664);
    const { code, findings } = await doctor(directory, text);
    assertEquals(code, 1);
    assertEquals(at("error", findings), [
      `password file ${directory}/users: everybody may read it (mode 0644)`,
    ]);
    assertEquals(at("warning", findings), [
      `access file ${directory}/access: its group may write it (mode 0664)`,
    ]);
    assertEquals(
      findings.find(({ level }) => level === "error")!.fix,
      `chmod o-r ${directory}/users`,
    );
    await Deno.remove(`${directory}/users`);
    await Deno.chmod(`${directory}/access`, 0o646);
    assertEquals(at("error", (await doctor(directory, text)).findings), [
      `password file ${directory}/users: no such file or directory`,
      `access file ${directory}/access: everybody may write it (mode 0646)`,
    ]);
  });
});

Deno.test("what other machines can reach", async () => {
  const [listener] = DEFAULT_CONFIG.listeners;
  const open = { ...listener!, address: "0.0.0.0:0", allowAnonymous: true };
  const findings = await examined((config) => ({
    ...config,
    listeners: [open, { ...open, address: "[::]:0", ipAllow: "10.0.0.0/8" }],
    admin: { ...config.admin, address: "0.0.0.0:0" },
  }));
  assertEquals(at("error", findings), []);
  assertEquals(at("warning", findings).map((text) => text.replace(/:(?= ).*?: /, ": ")), [
    "listener 0.0.0.0:0: whoever reaches it comes in without a name",
    "listener 0.0.0.0:0: passwords and messages can be read on the way",
    "listener [::]:0: whoever ip_allow names comes in without a name",
    "listener [::]:0: passwords and messages can be read on the way",
    "no access_file: whoever comes in may publish and subscribe to everything",
    "admin listener 0.0.0.0:0: other machines read /metrics without a token",
  ]);
});

Deno.test("a broker that runs is seen, and not disturbed; another program on its port is told", async () => {
  // An address that no other test listens on meanwhile.
  const other = Deno.listen({ hostname: "127.113.7.9", port: 0 });
  const { port } = other.addr as Deno.NetAddr;
  await withDirectory(async (directory) => {
    const dataDir = `${directory}/data`;
    const text = `[[listeners]]\naddress = "HOST:PORT"\n[store]\ndata_dir = "DIR/data"\n` +
      `[admin]\naddress = "127.0.0.1:ADMIN"\n`;
    const taken = text.replace("HOST:PORT", `127.113.7.9:${port}`).replace("ADMIN", "0");
    const busy = await doctor(directory, taken);
    other.close();
    assertEquals([busy.code, at("error", busy.findings)], [1, [
      `listener 127.113.7.9:${port}: another program listens there`,
    ]]);
    await using broker = await TestBroker.start({
      store: { dataDir },
      admin: { address: "127.0.0.1:0" },
    }, { keepDataDir: true });
    const { server } = broker;
    const admin = server.adminAddress!.port;
    const lines = broker.log.length;
    const good = await doctor(
      directory,
      text.replace("HOST:PORT", `127.0.0.1:${broker.port}`).replace("ADMIN", `${admin}`),
    );
    assertEquals([good.code, at("error", good.findings), at("warning", good.findings)], [
      0,
      [],
      [],
    ]);
    const seen = at("ok", good.findings).join("\n");
    assertStringIncludes(seen, `data directory ${dataDir}: a broker is using it`);
    assertMatch(seen, /relayq\.db: readable, (new|schema version)/);
    assertStringIncludes(seen, "the broker says that it is ready");
    assertStringIncludes(seen, `listener 127.0.0.1:${broker.port}: in use, and a broker runs`);
    const elsewhere = await doctor(directory, taken);
    assertEquals(at("warning", elsewhere.findings), [
      `listener 127.113.7.9:${port}: the broker that runs does not listen there`,
    ]);
    assertEquals(broker.log.slice(lines), []);
    using client = await WireClient.connect(broker.port);
    await client.publish("t", "still there", { qos: 2 });
  });
});

Deno.test("databases of others, of the future, of the past, and those that were set aside", async () => {
  await withDirectory(async (directory) => {
    const text = `${LISTENER}[store]\ndata_dir = "DIR"\n`;
    await Deno.chmod(directory, 0o700);
    const database = `${directory}/relayq.db`;
    const { DatabaseSync } = await import("node:sqlite");
    async function told(id: number, version: number): Promise<string[]> {
      await Deno.remove(database).catch(() => {});
      const made = new DatabaseSync(database);
      made.exec(
        `PRAGMA application_id = ${id}; PRAGMA user_version = ${version}; CREATE TABLE t (a)`,
      );
      made.close();
      const { findings } = await doctor(directory, text);
      return findings.filter(({ text }) => text.startsWith("database"))
        .map(({ level, text }) => `${level} ${text.slice(text.indexOf(": ") + 2)}`);
    }
    assertEquals(await told(0x526c7951, SCHEMA_VERSION), [
      `ok readable, schema version ${SCHEMA_VERSION}`,
    ]);
    assertMatch((await told(0x526c7951, 1))[0]!, /^note readable, schema version 1: brought to /);
    assertEquals(await told(0x526c7951, 99), [
      `error its schema version is 99, this program knows versions up to ${SCHEMA_VERSION}`,
    ]);
    assertEquals(await told(7, 1), ["error it is not a RelayQ database"]);
    await Deno.writeTextFile(database, "hello");
    for (const suffix of ["", "-wal", "-shm"]) {
      await Deno.writeTextFile(`${database}.damaged-20260101T000000Z${suffix}`, "x");
    }
    await Deno.writeTextFile(`${database}.rescue-20260101T000000Z`, "x");
    const { findings, code } = await doctor(directory, text);
    assertEquals([code, at("error", findings)], [1, [
      `database ${database}: it is no SQLite database`,
    ]]);
    assertEquals(at("warning", findings).toSorted().map((text) => text.split(": ")[0]), [
      `${database}.damaged-20260101T000000Z`,
      `${database}.rescue-20260101T000000Z`,
    ]);
    await Deno.chmod(directory, 0o755);
    const open = at("warning", (await doctor(directory, text)).findings);
    assertStringIncludes(open.join("\n"), "everybody may look into it");
    const file = await doctor(directory, `${LISTENER}[store]\ndata_dir = "DIR/relayq.toml"\n`);
    assertEquals(at("error", file.findings), [`${directory}/relayq.toml is not a directory`]);
  });
});

Deno.test("a disk that is too small for the bounds, and a memory that nobody guards", async () => {
  const small = await examined((config) => ({
    ...config,
    queue: { ...config.queue, totalBytesMax: 2 ** 52 },
    memory: { ...config.memory, enabled: false, limitBytes: 1e9 },
  }));
  const [disk = "", memory = ""] = at("warning", small);
  assertMatch(disk, /^disk of .* MiB free; at its bounds the broker holds 4,29\d,\d{3},\d{3} MiB$/);
  assertMatch(memory, /^memory: \d+ MiB \(.*\), and nobody guards it$/);
  const full = await examined((config) => ({
    ...config,
    store: { ...config.store, walBytesMax: 2 ** 52 },
  }));
  assertMatch(at("error", full).join("\n"), /^disk of .* MiB free$/);
});

Deno.test("a clock that cannot be right", async () => {
  const inThe70s = await examined((config) => config, 86_400_000);
  assertEquals(at("error", inThe70s), ["it is 1970-01-02T00:00:00Z: that cannot be"]);
  const setBack = await examined((config) => config, Date.UTC(2026, 0, 2));
  assertMatch(
    at("warning", setBack).join("\n"),
    /^it is 2026-01-02T00:00:00Z, but .*relayq\.db was/,
  );
  assertEquals(at("warning", await examined((config) => config)), []);
});

Deno.test("as a process with few descriptors and without rights it tells both, and goes on", async () => {
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const command = `ulimit -n 200; exec "$0" run --no-check --no-prompt --allow-read ${main} doctor`;
  const { code, stdout } = await new Deno.Command("sh", { args: ["-c", command, Deno.execPath()] })
    .output();
  const out = new TextDecoder().decode(stdout);
  assertMatch(
    out,
    /^WARNING machine +file descriptors: 1?\d\d can be opened here, .* needs 10064$/m,
  );
  assertMatch(out, /^note +data +disk of \.: free space is not known: this program may not look/m);
  assertEquals(code, 1, out); // It may not listen either.
});

Deno.test({
  name: `certificates, chains and revocation lists that are not as they should be${NEEDS_OPENSSL}`,
  ignore: !OPENSSL,
  async fn() {
    const home = temporaryDirectory();
    const root = await TestAuthority.root(home, "doctor");
    const below = await root.subordinate("below", { notAfter: daysFromNow(90) });
    const extensions = SERVER_EXTENSIONS;
    const server = await below.issue({ extensions, notAfter: daysFromNow(90) });
    const soon = await root.issue({ extensions, notAfter: daysFromNow(9.5) });
    const gone = await root.issue({ extensions, notAfter: daysFromNow(-0.5) });
    const early = await root.issue({ extensions, notBefore: daysFromNow(3) });
    const chain = `${home}/chain.pem`;
    const wrongChain = `${home}/wrong.pem`;
    const [own, middle, top] = await Promise.all(
      [server, below, root].map(({ certificateFile }) => Deno.readTextFile(certificateFile)),
    );
    await Deno.writeTextFile(chain, own! + middle! + top!);
    await Deno.writeTextFile(wrongChain, own! + top!);
    await withDirectory(async (directory) => {
      async function told(files: Record<string, string>): Promise<readonly Finding[]> {
        const keys = Object.entries(files).map(([key, value]) => `${key} = "${value}"\n`).join("");
        for (const path of Object.values(files)) {
          if (path.endsWith(".key")) await Deno.chmod(path, 0o600);
        }
        const text = `${LISTENER}${keys}[store]\ndata_dir = "DIR/data"\n`;
        return (await doctor(directory, text)).findings;
      }
      const good = await told({
        certificate_file: chain,
        key_file: server.keyFile,
        client_certificates: "required",
        ca_file: root.certificateFile,
        crl_file: await root.crl(),
      });
      assertEquals([at("error", good), at("warning", good)], [[], []]);
      assertMatch(at("ok", good).join("\n"), /chain\.pem: .*: (89|90) days left, until 20/);
      assertMatch(at("ok", good).join("\n"), /CRL .*: 1 days old, the next one is due on 20/);

      const faults: [Record<string, string>, FindingLevel, RegExp][] = [
        [
          { certificate_file: wrongChain, key_file: server.keyFile },
          "error",
          /not issued by the ne/,
        ],
        [
          { certificate_file: chain, key_file: soon.keyFile },
          "error",
          /it does not belong to the c/,
        ],
        [
          { certificate_file: soon.certificateFile, key_file: soon.keyFile },
          "warning",
          /in 9 days, /,
        ],
        [
          { certificate_file: gone.certificateFile, key_file: gone.keyFile },
          "error",
          /: expired on/,
        ],
        [
          { certificate_file: early.certificateFile, key_file: early.keyFile },
          "error",
          /not valid b/,
        ],
      ];
      for (const [files, level, text] of faults) {
        const findings = await told(files);
        assertMatch(at(level, findings).join("\n"), text);
        assert(findings.every(({ level, fix }) => level === "ok" || fix !== undefined));
      }
      const crl = await root.crl({ thisUpdate: daysFromNow(-9), nextUpdate: daysFromNow(-2) });
      const late = await told({
        certificate_file: chain,
        key_file: server.keyFile,
        client_certificates: "required",
        ca_file: root.certificateFile,
        crl_file: crl,
      });
      assertMatch(at("warning", late).join("\n"), /: 9 days old, a newer one was due on 20/);
    });
  },
});
