/** `relayq dlq` on the data directory that a broker has left. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import { publishPacket, text, WireClient } from "../support/wire_client.ts";
import { run, withDirectory } from "./_running.ts";

const AWAY = { clientIdentifier: "away", cleanSession: false };

/** A data directory with the dead letters 1 (t/1 "a"), 2 (t/2 "\xff", not UTF-8) and 3 (u "c"). */
async function leaveDeadLetters(dataDir: string): Promise<void> {
  const settings = { store: { dataDir }, queue: { messagesMax: 1 } };
  await using broker = await TestBroker.start(settings, { keepDataDir: true });
  using away = await WireClient.connect(broker.port, AWAY);
  await away.subscribe("#", 1);
  await away.disconnect();
  using publisher = await WireClient.connect(broker.port, { clientIdentifier: "machine" });
  await publisher.publish("kept", "waits", { qos: 1 });
  await publisher.publish("t/1", "a", { qos: 1 });
  const raw = publishPacket("t/2", "", { qos: 1, packetId: 7 });
  await publisher.send({ ...raw, payload: new Uint8Array([0xff]) });
  await publisher.expect("PUBACK");
  await publisher.publish("u", "c", { qos: 1 });
}

function withDeadLetters(use: (dataDir: string) => Promise<void>): Promise<void> {
  return withDirectory(async (directory) => {
    await leaveDeadLetters(directory);
    await use(directory);
  });
}

async function listed(dataDir: string, ...options: string[]): Promise<Record<string, unknown>[]> {
  const { code, out, err } = await run(
    ["dlq", "list", "--json", "--data-dir", dataDir].concat(options),
  );
  assertEquals([code, err], [0, ""]);
  return out.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

Deno.test("dlq list shows the dead letters as a table, the newest of many", async () => {
  await withDeadLetters(async (dataDir) => {
    const { code, out } = await run(["dlq", "list", "--data-dir", dataDir]);
    assertEquals(code, 0);
    const lines = out.trimEnd().split("\n").map((line) => line.split(/ {2,}/));
    assertEquals(lines[0], ["ID", "TIME (UTC)", "REASON", "QOS", "BYTES", "SESSION", "TOPIC"]);
    const rows = lines.slice(1).map(([id, , ...rest]) => [id, ...rest]);
    assertEquals(rows, [
      ["1", "queue-full-newest", "1", "1", "away", "t/1"],
      ["2", "queue-full-newest", "1", "1", "away", "t/2"],
      ["3", "queue-full-newest", "1", "1", "away", "u"],
    ]);
    const limited = await run(["dlq", "list", "--limit", "1", "--data-dir", dataDir]);
    assertStringIncludes(limited.out, "\n3 ");
    assertStringIncludes(limited.out, "\n1 of 3, the newest\n");
  });
});

Deno.test("dlq list --json exports every dead letter, and what chooses chooses", async () => {
  await withDeadLetters(async (dataDir) => {
    const all = await listed(dataDir);
    const { time, ...first } = all[0]!;
    assert(Math.abs(Date.parse(String(time)) - Date.now()) < 600_000);
    assertEquals(first, {
      id: 1,
      reason: "queue-full-newest",
      publisher: "machine",
      session: "away",
      topic: "t/1",
      qos: 1,
      retain: false,
      payload: "a",
    });
    assertEquals(all[1]!.payload_base64, "/w==");
    const choices: [string[], number[]][] = [
      [["--topic", "t/+"], [1, 2]],
      [["--topic", "#"], [1, 2, 3]],
      [["--session", "away"], [1, 2, 3]],
      [["--session", "nobody"], []],
      [["--publisher", "machine", "--topic", "u"], [3]],
      [["--reason", "message-expired"], []],
      [["--since", "2020-01-01"], [1, 2, 3]],
      [["--until", "2020-01-01"], []],
      [["--limit", "2"], [2, 3]],
      [["2"], [2]],
    ];
    for (const [options, ids] of choices) {
      assertEquals((await listed(dataDir, ...options)).map(({ id }) => id), ids, options.join(" "));
    }
  });
});

Deno.test("dlq show tells everything about those that are named", async () => {
  await withDeadLetters(async (dataDir) => {
    const { code, out, err } = await run(["dlq", "show", "1", "2", "9", "--data-dir", dataDir]);
    assertEquals([code, err], [1, "No dead letter 9\n"]);
    assertStringIncludes(out, "dead letter 1\n  time ");
    assertStringIncludes(out, '  topic      "t/1"\n  qos        1\n  publisher  "machine"\n');
    assertStringIncludes(out, "  payload    1 bytes, in base64\n/w==\n");
  });
});

Deno.test("dlq replay has them published at the next start, once, on their topic or another", async () => {
  await withDeadLetters(async (dataDir) => {
    const first = await run(["dlq", "replay", "1", "--data-dir", dataDir]);
    assertEquals(first.out, "1 of them will be published when the broker starts\n");
    await run(["dlq", "replay", "--topic", "u", "--to", "again/u", "--data-dir", dataDir]);
    assertEquals((await listed(dataDir)).map(({ id }) => id), [2]);
    for (const expected of [["kept waits", "t/1 a", "again/u c"], []]) {
      await using broker = await TestBroker.start({ store: { dataDir } }, { keepDataDir: true });
      using away = await WireClient.connect(broker.port, AWAY);
      const packets = await away.drain();
      const seen = packets.map((p) => p.type === "PUBLISH" ? `${p.topic} ${text(p.payload)}` : "");
      assertEquals(seen, expected);
      for (const packet of packets) {
        if (packet.type === "PUBLISH") {
          await away.send({ type: "PUBACK", packetId: packet.packetId });
        }
      }
      await away.disconnect();
    }
  });
});

Deno.test("dlq purge forgets those that are chosen, and never all of them by mistake", async () => {
  await withDeadLetters(async (dataDir) => {
    const careless = await run(["dlq", "purge", "--data-dir", dataDir]);
    assertEquals(careless.code, 2);
    assertStringIncludes(careless.err, "purge wants IDs, options that choose, or --all");
    const some = await run(["dlq", "purge", "--topic", "t/#", "--data-dir", dataDir]);
    assertEquals(some.out, "2 purged\n");
    assertEquals((await run(["dlq", "purge", "--all", "--data-dir", dataDir])).out, "1 purged\n");
    const { out } = await run(["dlq", "list", "--data-dir", dataDir]);
    assertEquals(out, "no dead letters\n");
  });
});

Deno.test("dlq replay leaves what nobody may publish, and what has no payload any more", async () => {
  await withDirectory(async (dataDir) => {
    const settings = { store: { dataDir }, limits: { packetBytesMax: 1024 } };
    {
      await using broker = await TestBroker.start(settings, { keepDataDir: true });
      using spoofer = await WireClient.connect(broker.port, { clientIdentifier: "spoofer" });
      await spoofer.publish("$SYS/broker/alarm", "all is well", { qos: 1, retain: true });
      await spoofer.send(publishPacket("big", "x".repeat(2000), { qos: 1, packetId: 9 }));
      await spoofer.expectClosed();
    }
    const { out } = await run(["dlq", "replay", "--all", "--data-dir", dataDir]);
    assertEquals(out.split(" ").slice(0, 4).join(" "), "0 of them will");
    assertStringIncludes(out, "\n2 stay: ");
    assertEquals((await listed(dataDir)).length, 2);
    const moved = await run(["dlq", "replay", "--all", "--to", "seen", "--data-dir", dataDir]);
    assertStringIncludes(moved.out, "1 of them will");
    assertEquals((await listed(dataDir)).map(({ topic }) => topic), ["big"]);
  });
});

Deno.test("nothing that dlq prints acts on a terminal or forges a line", async () => {
  await withDirectory(async (dataDir) => {
    const hostile = "t/\u001b[31m\u009b31m\u2066\u202e\n99  2026-01-01 00:00:00  forged";
    {
      const settings = { store: { dataDir }, queue: { messagesMax: 1 } };
      await using broker = await TestBroker.start(settings, { keepDataDir: true });
      using away = await WireClient.connect(broker.port, AWAY);
      await away.subscribe("#", 1);
      await away.disconnect();
      using publisher = await WireClient.connect(broker.port, { clientIdentifier: hostile });
      await publisher.publish("kept", "waits", { qos: 1 });
      await publisher.publish(hostile, hostile, { qos: 1 });
    }
    const outputs: { code: number; out: string }[] = [];
    for (const action of [["list"], ["list", "--json"], ["show", "1"], ["show", "1", "--json"]]) {
      outputs.push(await run(["dlq", ...action, "--data-dir", dataDir]));
    }
    for (const { code, out } of outputs) {
      assertEquals(code, 0);
      // deno-lint-ignore no-control-regex -- they are what this is about
      assertEquals(out.match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2066\u202e]/), null, out);
    }
    const [table, json] = outputs.map(({ out }) => out.trimEnd().split("\n"));
    assertEquals([table!.length, json!.length], [2, 1]);
    const { topic, publisher, payload } = JSON.parse(json![0]!);
    assertEquals([topic, publisher, payload], [hostile, hostile, hostile]);
  });
});

Deno.test("dlq says why it cannot do what it is asked for", async () => {
  await withDirectory(async (dataDir) => {
    const complaints: [string[], number, string][] = [
      [[], 2, "ACTION is missing"],
      [["burn"], 2, '"burn" is none of list, show, replay, purge'],
      [["toString"], 2, '"toString" is none of'],
      [["show"], 2, "show wants IDs"],
      [["list", "x"], 2, '"x" is not an ID'],
      [["list", "--reason", "bad luck"], 2, 'reason "bad luck" is none of queue-full-newest,'],
      [["list", "--topic", "a/#/b"], 2, "topic: "],
      [["list", "--since", "yesterday"], 2, "a point in time is written like"],
      [["replay", "--all", "--to", "$SYS/x"], 2, "--to: topic: one with $ is the server's"],
      [["list"], 1, "there is no database"],
    ];
    for (const [args, code, message] of complaints) {
      const failed = await run(["dlq", ...args, "--data-dir", dataDir]);
      assertEquals([failed.code, failed.out], [code, ""], args.join(" "));
      assertStringIncludes(failed.err, message);
    }
    await using _broker = await TestBroker.start({ store: { dataDir } }, { keepDataDir: true });
    const running = await run(["dlq", "list", "--data-dir", dataDir]);
    assertEquals(running.code, 1);
    assertStringIncludes(running.err, "another process has it open; is the broker running?");
  });
});
