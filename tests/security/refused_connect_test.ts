/** Refused CONNECTs: what they give away, and what is told of them, over real sockets. */
import { assertEquals } from "@std/assert";
import { recorded, told } from "../support/audit_files.ts";
import { encode, SecurityFiles } from "../support/security_files.ts";
import { type ConfigChanges, TestBroker } from "../support/test_broker.ts";
import { type ConnectOptions, WireClient } from "../support/wire_client.ts";

const PIN = `sha256/${"a".repeat(64)}`;

async function returnCode({ port }: TestBroker, options: ConnectOptions): Promise<number> {
  using client = await WireClient.open(port);
  return (await client.sendConnect(options)).returnCode;
}

function login(userName: string, password: string, clientIdentifier: string): ConnectOptions {
  return { userName, password: encode(password), clientIdentifier };
}

/** The lines about refusals of one broker, without what is another one each time. */
function refusals(broker: TestBroker): string[] {
  return broker.log.join("").split("\n").flatMap((line) => {
    const [, reason, rest] = /login refused: address=127\.0\.0\.1 reason=(\S+)(.*)/.exec(line) ??
      [];
    const client = /client=(\S+)/.exec(rest ?? "")?.[1];
    return reason === undefined ? [] : [client === undefined ? reason : `${reason} ${client}`];
  });
}

Deno.test("who lacks the pinned certificate cannot find out whether the password is right", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ pump: "right", alice: "right" });
  const pinFile = await files.pins(`user pump ${PIN}\nclient press ${PIN}\n`);
  const changes: ConfigChanges = {
    security: { passwordFile, pinFile },
    loginGuard: { failuresMax: 3 },
    sysTopics: { enabled: true, intervalMs: 100 },
  };
  for (const [user, client] of [["pump", "x"], ["alice", "press"]] as const) {
    for (const password of ["right", "wrong"]) {
      await using broker = await TestBroker.start(changes);
      using watcher = await WireClient.connect(broker.port, login("alice", "right", "watcher"));
      // Forgives nothing: a success does that, and this must not look like one.
      const codes = [await returnCode(broker, login("nobody", "?", "n"))];
      for (let i = 0; i < 2; i++) {
        codes.push(await returnCode(broker, login(user, password, client)));
      }
      assertEquals(codes, [4, 4, 4], `${user} ${password}`);
      using locked = await WireClient.open(broker.port);
      await locked.expectClosed(); // after three failures, of whatever kind
      await watcher.subscribe("$SYS/broker/logins/#");
      const counts = new Map<string, string>();
      while (counts.get("hashed") !== "4" || counts.get("remembered") !== "0") {
        const { topic, payload } = await watcher.receiveMessage();
        counts.set(topic.split("/").at(-1)!, new TextDecoder().decode(payload));
      }
      const bad = `bad-credentials "${client}"`;
      assertEquals(refusals(broker), ['bad-credentials "n"', bad, bad, "locked-out"]);
    }
  }
});

Deno.test("the operator is told that a certificate is missing", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ pump: "right" });
  const pinFile = await files.pins(`user pump ${PIN}\n`);
  const lines = await recorded({ security: { passwordFile, pinFile } }, async (broker) => {
    assertEquals(await returnCode(broker, login("pump", "right", "x")), 4);
  });
  assertEquals(told(lines, ["refused"], ["reason", "client", "user"]), [
    { event: "refused", reason: "unpinned", client: "x", user: "pump" },
  ]);
});

Deno.test("no flood of other refusals hides a wrong password from the audit log", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ alice: "a" });
  const audit = { perMinuteMax: 5 };
  const lines = await recorded({ security: { passwordFile }, audit }, async (broker) => {
    for (let i = 1; i <= 20; i++) {
      using rude = await WireClient.openFrom(`127.0.0.${i}`, broker.port);
      await rude.sendBytes(Uint8Array.of(0xc0, 0));
      await rude.expectClosed();
    }
    assertEquals(await returnCode(broker, login("alice", "?", "guess")), 4);
  });
  const written = told(lines, ["refused"], ["reason", "client"]);
  assertEquals(written.length, 6);
  assertEquals(written.at(-1), { event: "refused", reason: "bad-credentials", client: "guess" });
});

Deno.test("each refused CONNECT is one line of the log, of $SYS and of the audit log", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ alice: "a", bob: "b" });
  let seen: string[] = [];
  const lines = await recorded({
    security: { passwordFile },
    limits: { sessionsMax: 2 },
    loginGuard: { exempt: "127.0.0.1" },
    takeOver: { sameAddressMax: 1 },
  }, async (broker) => {
    const alices = { ...login("alice", "a", "alices"), cleanSession: false };
    using first = await WireClient.connect(broker.port, alices);
    using second = await WireClient.connect(broker.port, alices);
    await first.expectClosed();
    assertEquals(await returnCode(broker, alices), 3);
    assertEquals(await returnCode(broker, { clientIdentifier: "n" }), 5);
    assertEquals(await returnCode(broker, login("alice", "?", "g")), 4);
    assertEquals(await returnCode(broker, login("bob", "b", "alices")), 2);
    using other = await WireClient.connect(broker.port, login("bob", "b", "bobs"));
    assertEquals(await returnCode(broker, login("bob", "b", "full")), 3);
    await second.drain();
    await other.drain();
    seen = refusals(broker);
  });
  assertEquals(seen, [
    'take-over-storm "alices"',
    'no-credentials "n"',
    'bad-credentials "g"',
    'identity-mismatch "alices"',
    'sessions-max "full"',
  ]);
  assertEquals(told(lines, ["refused"], ["reason", "client"]), [
    { event: "refused", reason: "take-over-storm", client: "alices" },
    { event: "refused", reason: "no-credentials", client: "n" },
    { event: "refused", reason: "bad-credentials", client: "g" },
    { event: "refused", reason: "foreignSession", client: "alices" },
    { event: "refused", reason: "sessions-max", client: "full" },
  ]);
});
