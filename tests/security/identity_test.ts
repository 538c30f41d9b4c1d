/** Who gets a session, and who keeps it, over real sockets. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { hashPassword, withUser } from "../../src/security/mod.ts";
import { encode, SecurityFiles } from "../support/security_files.ts";
import { TestBroker } from "../support/test_broker.ts";
import { name, payload, text, WireClient } from "../support/wire_client.ts";

const ALICE = { userName: "alice", password: encode("alice's") };
const BOB = { userName: "bob", password: encode("bob's") };
const USERS = { alice: "alice's", bob: "bob's" };
const AWAY = { clientIdentifier: "press", cleanSession: false };

async function returnCode(
  broker: TestBroker,
  options: Parameters<WireClient["sendConnect"]>[0],
): Promise<number> {
  using client = await WireClient.open(broker.port);
  return (await client.sendConnect(options)).returnCode;
}

Deno.test("nobody gets another user's session, connected or away, not even over a restart", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords(USERS);
  const dataDir = `${files.directory}/data`;
  const config = { security: { passwordFile }, store: { dataDir } };
  const options = { keepDataDir: true, listener: { allowAnonymous: true } };
  {
    await using broker = await TestBroker.start(config, options);
    using alice = await WireClient.connect(broker.port, { ...ALICE, ...AWAY });
    await alice.subscribe("t", 1);
    assertEquals(await returnCode(broker, { ...BOB, ...AWAY }), 2);
    assertEquals(await returnCode(broker, { ...BOB, clientIdentifier: "press" }), 2);
    assertEquals(await returnCode(broker, AWAY), 2);
    await alice.drain(); // still connected
    const log = broker.log.join("");
    assertStringIncludes(log, 'session refused: client="press" user="bob" address=127.0.0.1:');
    assertStringIncludes(log, 'belongs to "user alice"');
    const line = "login refused: address=127.0.0.1 reason=identity-mismatch listener=127.0.0.1:0 " +
      'client="press" user="bob"';
    assertStringIncludes(log, line);
    assertEquals(broker.server.broker.statistics.identitiesRefused, 3);
    await alice.disconnect();
    using publisher = await WireClient.connect(broker.port, BOB);
    await publisher.publish("t", "for alice", { qos: 1 });
    assertEquals(await returnCode(broker, { ...BOB, ...AWAY }), 2);
  }
  await using broker = await TestBroker.start(config, options);
  assertEquals(await returnCode(broker, { ...BOB, ...AWAY }), 2);
  assertEquals(await returnCode(broker, AWAY), 2);
  using alice = await WireClient.open(broker.port);
  assertEquals((await alice.sendConnect({ ...ALICE, ...AWAY })).sessionPresent, true);
  const [message] = await alice.drain();
  assert(message?.type === "PUBLISH" && text(message.payload) === "for alice");
});

Deno.test("a session of an anonymous client belongs to the first user who comes for it", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords(USERS);
  await using broker = await TestBroker.start({ security: { passwordFile } }, {
    listener: { allowAnonymous: true },
  });
  assertEquals(await returnCode(broker, AWAY), 0);
  assertEquals(await returnCode(broker, AWAY), 0);
  assertEquals(await returnCode(broker, { ...BOB, ...AWAY }), 0);
  assertEquals(await returnCode(broker, { ...ALICE, ...AWAY }), 2);
  assertEquals(await returnCode(broker, AWAY), 2);
});

Deno.test("without passwords user names mean nothing: anybody may come for any session", async () => {
  await using broker = await TestBroker.start();
  for (const userName of ["alice", "bob", "alice"]) {
    assertEquals(await returnCode(broker, { ...AWAY, userName }), 0);
  }
});

Deno.test("client_identifier keeps anonymous clients off the Client Identifiers of users", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords(USERS);
  for (const [clientIdentifier, assigned] of [["user", 2], ["user_prefix", 0]] as const) {
    await using broker = await TestBroker.start({ security: { passwordFile, clientIdentifier } }, {
      listener: { allowAnonymous: true },
    });
    assertEquals(await returnCode(broker, { clientIdentifier: "alice" }), 2);
    assertEquals(await returnCode(broker, { clientIdentifier: "sensor" }), 2);
    assertEquals(await returnCode(broker, {}), assigned);
    assertEquals(await returnCode(broker, { ...ALICE, clientIdentifier: "alice" }), 0);
    assertEquals(await returnCode(broker, { ...BOB, clientIdentifier: "alice" }), 2);
    assertStringIncludes(broker.log.join(""), "it is not a Client Identifier of this user");
  }
});

Deno.test("a reload disconnects whose password was changed or whose user is gone, and says which", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ ...USERS, carol: "carol's" });
  await using broker = await TestBroker.start({ security: { passwordFile } });
  using alice = await WireClient.connect(broker.port, { ...ALICE, clientIdentifier: "a" });
  using bob = await WireClient.connect(broker.port, { ...BOB, clientIdentifier: "b" });
  const carols = { userName: "carol", password: encode("carol's"), clientIdentifier: "c" };
  using carol = await WireClient.connect(broker.port, carols);
  const hash = await hashPassword(encode("new"), { scheme: "sha256" });
  const before = await Deno.readTextFile(passwordFile);
  const changed = withUser(before, { userName: "alice", hash })
    .split("\n").filter((line) => !line.startsWith("carol:")).join("\n");
  await Deno.writeTextFile(passwordFile, changed);
  await broker.server.reload();
  await alice.expectClosed();
  await carol.expectClosed();
  await bob.drain();
  const log = broker.log.join("");
  assertStringIncludes(log, 'client="a" user="alice"');
  assert(/closed: client="a" .*, password was changed/.test(log));
  assert(/closed: client="c" .*, user is not known any more/.test(log));
  assertEquals(await returnCode(broker, { ...ALICE, password: encode("new") }), 0);
  await broker.server.reload();
  await bob.drain();
});

Deno.test("a password that is remembered is asked for anew when it has been changed", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({});
  const line = async (password: string) => {
    const hash = await hashPassword(encode(password), { iterations: 1_000 });
    await Deno.writeTextFile(passwordFile, withUser("", { userName: "alice", hash }));
  };
  await line("alice's");
  await using broker = await TestBroker.start({ security: { passwordFile } });
  for (let login = 0; login < 3; login++) assertEquals(await returnCode(broker, ALICE), 0);
  assertEquals(await returnCode(broker, { ...ALICE, password: encode("alice'") }), 4);
  assertEquals(await returnCode(broker, { ...ALICE, userName: "alic" }), 4);
  await line("new");
  await broker.server.reload();
  assertEquals(await returnCode(broker, ALICE), 4);
  assertEquals(await returnCode(broker, { ...ALICE, password: encode("new") }), 0);
});

Deno.test("who uses a Client Identifier that is pinned has to show the certificate, also after a reload", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords(USERS);
  const pin = `sha256/${"ab".repeat(32)}`;
  const pinFile = await files.pins(`user alice ${pin}\n`);
  await using broker = await TestBroker.start({ security: { passwordFile, pinFile } });
  assertEquals(await returnCode(broker, ALICE), 4);
  using bob = await WireClient.connect(broker.port, { ...BOB, clientIdentifier: "b" });
  assertStringIncludes(broker.log.join(""), "the certificate that is pinned for it was not shown");
  await files.pins(`client b ${pin}\n`);
  await broker.server.reload();
  await bob.expectClosed();
  assertStringIncludes(broker.log.join(""), "another certificate is pinned now");
  assertEquals(await returnCode(broker, ALICE), 0);
  await files.pins("client b nonsense\n");
  await broker.server.reload();
  assertStringIncludes(broker.log.join(""), '/pins:1:10: pin "nonsense" is not');
  assertEquals(await returnCode(broker, { ...BOB, clientIdentifier: "b" }), 4);
});

Deno.test("a refused client leaves no Will behind", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords(USERS);
  await using broker = await TestBroker.start({ security: { passwordFile } });
  using watcher = await WireClient.connect(broker.port, ALICE);
  await watcher.subscribe("#");
  assertEquals(await returnCode(broker, { ...ALICE, ...AWAY }), 0);
  const will = { topic: name("w"), payload: payload("w") };
  assertEquals(await returnCode(broker, { ...BOB, ...AWAY, will }), 2);
  assertEquals(await watcher.drain(), []);
});
