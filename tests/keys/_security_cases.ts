/** Keys of the table `security`. */
import { assertEquals } from "@std/assert";
import { formatPasswordHash, hashPassword } from "../../src/security/mod.ts";
import { encode, SecurityFiles } from "../support/security_files.ts";
import { type ConfigChanges, TestBroker } from "../support/test_broker.ts";
import { publishPacket, text, WireClient } from "../support/wire_client.ts";
import type { KeyCases } from "./_cases.ts";

/** How many of some wrong passwords get a CONNACK, and whether the right one is let in behind them. */
async function guessing(
  loginGuard: NonNullable<ConfigChanges["loginGuard"]>,
  { guesses, pauseMs = 0 }: { guesses: number; pauseMs?: number },
): Promise<{ answered: number; letIn: boolean }> {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ alice: "right" });
  await using broker = await TestBroker.start({ security: { passwordFile }, loginGuard });
  let answered = 0;
  for (let guess = 0; guess < guesses; guess++) {
    if (await login(broker, `guess ${guess}`) === 4) answered++;
  }
  await new Promise((resolve) => setTimeout(resolve, pauseMs));
  return { answered, letIn: await login(broker, "right") === 0 };
}

/** The return code of a login; null if the connection was not even read. */
async function login(broker: TestBroker, password: string): Promise<number | null> {
  using client = await WireClient.open(broker.port);
  const options = { userName: "alice", password: encode(password) };
  return await client.sendConnect(options).then(({ returnCode }) => returnCode, () => null);
}

const guardCases: KeyCases = {
  "login_guard.failures_max": async () => {
    const locked = await guessing({ failuresMax: 3 }, { guesses: 5 });
    assertEquals(locked, { answered: 3, letIn: false });
    assertEquals(await guessing({ failuresMax: 6 }, { guesses: 5 }), { answered: 5, letIn: true });
  },
  "login_guard.window_ms": async () => {
    await using files = await SecurityFiles.make();
    const passwordFile = await files.passwords({ alice: "right" });
    const loginGuard = { failuresMax: 2, windowMs: 1_000 };
    await using broker = await TestBroker.start({ security: { passwordFile }, loginGuard });
    for (let guess = 0; guess < 3; guess++) {
      assertEquals(await login(broker, "wrong"), 4, "the one before is forgotten");
      await new Promise((resolve) => setTimeout(resolve, 1_100));
    }
    assertEquals(await login(broker, "right"), 0);
  },
  "login_guard.lock_out_ms": async () => {
    const guard = { failuresMax: 1, lockOutMs: 100 };
    assertEquals((await guessing(guard, { guesses: 1, pauseMs: 300 })).letIn, true);
  },
  "login_guard.lock_out_ms_max": async () => {
    const guard = { failuresMax: 1, lockOutMs: 100, lockOutMsMax: 100 };
    await using files = await SecurityFiles.make();
    const passwordFile = await files.passwords({ alice: "right" });
    await using broker = await TestBroker.start({ security: { passwordFile }, loginGuard: guard });
    // It would double each time: 100, 200, 400, 800 ms.
    for (let guess = 0; guess < 4; guess++) {
      assertEquals(await login(broker, "wrong"), 4);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    assertEquals(await login(broker, "right"), 0);
  },
  "login_guard.exempt": async () => {
    const guard = { failuresMax: 1, exempt: "192.0.2.1 127.0.0.0/8" };
    assertEquals(await guessing(guard, { guesses: 5 }), { answered: 5, letIn: true });
  },
};

/** The return code for a user with a Client Identifier. */
async function codeFor(
  broker: TestBroker,
  clientIdentifier: string,
  userName?: string,
): Promise<number> {
  using client = await WireClient.open(broker.port);
  const credentials = userName === undefined ? {} : { userName, password: encode("right") };
  const options = { clientIdentifier, cleanSession: clientIdentifier === "" };
  return (await client.sendConnect({ ...options, ...credentials })).returnCode;
}

/** A figure of the broker; null while it is not published. */
async function figure(broker: TestBroker, topic: string): Promise<string | null> {
  using client = await WireClient.connect(broker.port);
  await client.subscribe(`$SYS/broker/${topic}`);
  const [packet] = await client.drain();
  return packet?.type === "PUBLISH" ? text(packet.payload) : null;
}

/** Waits until it is so; a test that waits for ever ends by its own limit. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let round = 0; !await isSo(); round++) {
    if (round === 200) throw new Error("Cannot wait any longer");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const identityCases: KeyCases = {
  "security.pin_file": async () => {
    await using files = await SecurityFiles.make();
    const pinFile = await files.pins(`client press sha256/${"0".repeat(64)}\n`);
    await using broker = await TestBroker.start({ security: { pinFile } });
    assertEquals([await codeFor(broker, "press"), await codeFor(broker, "other")], [5, 0]);
  },
  "security.client_identifier": async () => {
    await using files = await SecurityFiles.make();
    const passwordFile = await files.passwords({ u: "right" });
    const codes = { any: [0, 0, 0, 0], user: [0, 2, 2, 2], user_prefix: [0, 0, 2, 0] };
    for (const [clientIdentifier, expected] of Object.entries(codes)) {
      const security = { passwordFile, clientIdentifier: clientIdentifier as keyof typeof codes };
      await using broker = await TestBroker.start({ security });
      const got: number[] = [];
      for (const wanted of ["u", "u:1", "u-1", ""]) got.push(await codeFor(broker, wanted, "u"));
      assertEquals(got, expected, clientIdentifier);
    }
  },
  "security.session_owner": async () => {
    await using files = await SecurityFiles.make();
    const passwordFile = await files.passwords({ u: "right", v: "right" });
    for (const [sessionOwner, code] of [["same_user", 2], ["any", 0]] as const) {
      await using broker = await TestBroker.start({ security: { passwordFile, sessionOwner } });
      assertEquals([await codeFor(broker, "c", "u"), await codeFor(broker, "c", "v")], [0, code]);
    }
  },
  "security.login_memory_ms": async () => {
    await using files = await SecurityFiles.make();
    const hash = await hashPassword(encode("right"), { iterations: 1_000 });
    const passwordFile = await files.passwords({});
    await Deno.writeTextFile(passwordFile, `u:${formatPasswordHash(hash)}\n`);
    for (const loginMemoryMs of [0, 60_000]) {
      const security = { passwordFile, loginMemoryMs };
      const sysTopics = { enabled: true, intervalMs: 100 };
      await using broker = await TestBroker.start({ security, sysTopics }, {
        listener: { allowAnonymous: true },
      });
      for (let login = 0; login < 3; login++) assertEquals(await codeFor(broker, "c", "u"), 0);
      await new Promise((resolve) => setTimeout(resolve, 200));
      const hashed = await figure(broker, "logins/hashed");
      assertEquals(hashed, loginMemoryMs === 0 ? "3" : "1", `${loginMemoryMs}`);
    }
  },
  "security.file_check_ms": async () => {
    await using files = await SecurityFiles.make();
    const [open, closed] = ["everyone\nallow all #\n", "everyone\nallow all other/#\n"];
    for (const fileCheckMs of [0, 20]) {
      const accessFile = await files.access(open);
      await using broker = await TestBroker.start({ security: { accessFile, fileCheckMs } });
      using client = await WireClient.connect(broker.port);
      assertEquals((await client.subscribe("t")).returnCodes, [0]);
      await files.access(closed);
      if (fileCheckMs === 0) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        assertEquals((await client.subscribe("t")).returnCodes, [0]);
      } else await until(async () => (await client.subscribe("t")).returnCodes[0] === 0x80);
    }
  },
};

/** The cases by path. */
export const securityCases: KeyCases = {
  ...guardCases,
  ...identityCases,
  "security.password_file": async () => {
    await using files = await SecurityFiles.make();
    const passwordFile = await files.passwords({ alice: "right" });
    await using broker = await TestBroker.start({ security: { passwordFile } });
    for (const [password, code] of [["right", 0], ["wrong", 4]] as const) {
      using client = await WireClient.open(broker.port);
      const connack = await client.sendConnect({ userName: "alice", password: encode(password) });
      assertEquals(connack.returnCode, code);
    }
  },
  "security.access_file": async () => {
    await using files = await SecurityFiles.make();
    const accessFile = await files.access("everyone\nallow subscribe,read open/#\n");
    await using broker = await TestBroker.start({ security: { accessFile } });
    using client = await WireClient.connect(broker.port);
    assertEquals((await client.subscribe("open/#")).returnCodes, [0]);
    assertEquals((await client.subscribe("closed/#")).returnCodes, [0x80]);
  },
  "security.refused_publish": async () => {
    await using files = await SecurityFiles.make();
    const accessFile = await files.access("everyone\nallow publish open\n");
    for (const refusedPublish of ["drop", "close"] as const) {
      await using broker = await TestBroker.start({ security: { accessFile, refusedPublish } });
      using client = await WireClient.connect(broker.port);
      await client.send(publishPacket("closed", "x", { qos: 1, packetId: 1 }));
      if (refusedPublish === "drop") await client.expect("PUBACK");
      else await client.expectClosed();
      assertEquals(broker.server.broker.statistics.dropped["publish-refused"], 1);
    }
  },
};
