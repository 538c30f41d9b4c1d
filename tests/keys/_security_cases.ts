/** Keys of the table `security`. */
import { assertEquals } from "@std/assert";
import { encode, SecurityFiles } from "../support/security_files.ts";
import { type ConfigChanges, TestBroker } from "../support/test_broker.ts";
import { publishPacket, WireClient } from "../support/wire_client.ts";
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

/** The cases by path. */
export const securityCases: KeyCases = {
  ...guardCases,
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
