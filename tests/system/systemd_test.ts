/** What the broker tells systemd, by a real datagram socket. */
import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { NotifySocket } from "../support/notify_socket.ts";
import { ServedBroker } from "../support/served_broker.ts";
import { eventually, inDirectory, pause } from "../support/waiting.ts";
import { publishPacket, WireClient } from "../support/wire_client.ts";

const LINUX = { ignore: Deno.build.os !== "linux" };
const WATCHDOG_MS = 400;
const WATCHDOG = { WATCHDOG_USEC: `${WATCHDOG_MS * 1000}` };

for (const kind of ["path", "abstract"] as const) {
  Deno.test({
    name: `READY, RELOADING, READY and STOPPING reach a socket with a${
      kind === "path" ? " path" : "n abstract name"
    }`,
    ...LINUX,
    fn: async () => {
      await inDirectory(async (directory) => {
        const address = kind === "path" ? `${directory}/notify` : `@relayq-${crypto.randomUUID()}`;
        await using socket = await NotifySocket.bind(address);
        const env = { NOTIFY_SOCKET: socket.address };
        await using broker = await ServedBroker.serve({ directory, env });
        const ready = await socket.message(/^READY=1/);
        assertEquals(ready.text, "READY=1\nSTATUS=Serving 0 clients");
        assertEquals(socket.messages.length, 1, "nothing before it");
        // The port is open before it is said to be.
        using client = await WireClient.connect(broker.port);
        broker.kill("SIGHUP");
        const reloading = await socket.message(/^RELOADING=1/);
        const us = Number(/^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(reloading.text)?.[1]);
        assertGreater(us, 0);
        await eventually("an end of the reload", () => socket.count("READY=1") === 2);
        await socket.message(/^STATUS=Serving 1 client$/);
        broker.kill("SIGTERM");
        const stopping = await socket.message(/^STOPPING=1/);
        assertMatch(stopping.text, /\nEXTEND_TIMEOUT_USEC=25000000\nSTATUS=Stopping: SIGTERM$/);
        assertEquals((await broker.ended()).code, 0);
        await pause(50);
        assertEquals(socket.messages.at(-1), stopping, "nothing behind it");
        assertEquals(socket.count("WATCHDOG=1"), 0, "nobody asked for it");
        client.close();
      });
    },
  });
}

Deno.test({
  name: "MONOTONIC_USEC is not before the moment at which the reload was asked for",
  ...LINUX,
  fn: async () => {
    await inDirectory(async (directory) => {
      await using socket = await NotifySocket.bind(`${directory}/notify`);
      const env = { NOTIFY_SOCKET: socket.address };
      await using broker = await ServedBroker.serve({ directory, env });
      const uptime = await new Deno.Command("cat", { args: ["/proc/uptime"] }).output();
      const beforeUs = parseFloat(new TextDecoder().decode(uptime.stdout)) * 1e6;
      broker.kill("SIGHUP");
      const { text } = await socket.message(/^RELOADING=1/);
      const us = Number(/MONOTONIC_USEC=(\d+)/.exec(text)?.[1]);
      assertGreater(us, beforeUs);
      assertLess(us, beforeUs + 60e6);
    });
  },
});

Deno.test({
  name: "the watchdog is fed at half of its time, unless it is meant for another process",
  ...LINUX,
  fn: async () => {
    await inDirectory(async (directory) => {
      await using socket = await NotifySocket.bind(`${directory}/notify`);
      const env = { NOTIFY_SOCKET: socket.address, ...WATCHDOG };
      {
        await using _broker = await ServedBroker.serve({ directory, env });
        const fromMs = (await socket.message(/^WATCHDOG=1$/)).atMs;
        await eventually("ten feeds", () => socket.count("WATCHDOG=1") >= 10);
        // Each is due after 200 ms: not much more often than it has to be.
        assertGreater(socket.messages.at(-1)!.atMs - fromMs, 8 * WATCHDOG_MS / 2);
      }
      socket.messages.length = 0;
      await using _other = await ServedBroker.serve({
        directory,
        env: { ...env, WATCHDOG_PID: "1" },
      });
      await socket.message(/^READY=1/);
      await pause(3 * WATCHDOG_MS);
      assertEquals(socket.count("WATCHDOG=1"), 0);
    });
  },
});

Deno.test({
  name: "the watchdog is not fed while the loop does not turn, and again when it does",
  ...LINUX,
  fn: async () => {
    await inDirectory(async (directory) => {
      await using socket = await NotifySocket.bind(`${directory}/notify`);
      // A broker whose loop hangs when it is told to: the real one has no way to make it.
      const hanging = new URL("./_hanging_broker.ts", import.meta.url).pathname;
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--allow-all", "--unstable-net", hanging, directory],
        env: { NOTIFY_SOCKET: socket.address, ...WATCHDOG },
        stdin: "piped",
        stdout: "null",
        stderr: "null",
      }).spawn();
      const stdin = child.stdin.getWriter();
      await eventually("feeds", () => socket.count("WATCHDOG=1") >= 3);
      await stdin.write(new TextEncoder().encode("hang\n"));
      await socket.message(/^X_HANGS=1$/);
      const before = socket.count("WATCHDOG=1");
      await socket.message(/^X_TURNS=1$/);
      // One may have been under way.
      const hung = socket.messages.findIndex(({ text }) => text === "X_TURNS=1");
      const fed = socket.messages.slice(0, hung).filter(({ text }) => text === "WATCHDOG=1").length;
      assert(fed - before <= 1, `${fed - before} feeds in the time of five`);
      await eventually("feeds again", () => socket.count("WATCHDOG=1") >= fed + 3);
      await stdin.close();
      child.kill("SIGTERM");
      assertEquals((await child.status).code, 0);
    });
  },
});

Deno.test({
  name:
    "the watchdog is not fed while the store stores nothing for too long, and again when it does",
  ...LINUX,
  fn: async () => {
    for (const bound of [600, 0]) {
      await inDirectory(async (directory) => {
        await using socket = await NotifySocket.bind(`${directory}/notify`);
        await using broker = await ServedBroker.serve({
          directory,
          env: { NOTIFY_SOCKET: socket.address, ...WATCHDOG },
          toml: `[service]\nstore_stuck_ms_max = ${bound}\n[audit]\nenabled = false\n`,
          script: `trap "" XFSZ; exec prlimit --fsize=300000:unlimited -- "$0" "$@"`,
        });
        await eventually("feeds", () => socket.count("WATCHDOG=1") >= 3);
        using client = await WireClient.connect(broker.port);
        for (let packetId = 1; packetId <= 40; packetId++) {
          const options = { qos: 1, packetId, retain: true } as const;
          await client.send(publishPacket(`t/${packetId}`, "x".repeat(20_000), options));
        }
        await eventually("trouble", () => broker.err.includes("store in trouble"));
        if (bound === 0) {
          await pause(1_000);
          const fed = socket.count("WATCHDOG=1");
          await eventually("more feeds", () => socket.count("WATCHDOG=1") >= fed + 3);
          return;
        }
        await eventually(
          "the reason",
          () => broker.err.includes("the watchdog is not fed: the store"),
        );
        await pause(WATCHDOG_MS); // what was sent before has arrived
        const fed = socket.count("WATCHDOG=1");
        await pause(3 * WATCHDOG_MS);
        assertEquals(socket.count("WATCHDOG=1"), fed);
        const lift = ["--pid", `${broker.pid}`, "--fsize=unlimited"];
        assert((await new Deno.Command("prlimit", { args: lift }).output()).success);
        await eventually("feeds again", () => socket.count("WATCHDOG=1") >= fed + 3);
        assertMatch(broker.err, /warn {2}systemd: the watchdog is fed again/);
      });
    }
  },
});

Deno.test("a broker whose supervisor cannot be told anything serves all the same, and says so", async () => {
  await inDirectory(async (directory) => {
    const gone = { NOTIFY_SOCKET: `${directory}/gone`, ...WATCHDOG };
    for (const env of [gone, { NOTIFY_SOCKET: "vsock:2:1234" }]) {
      await using broker = await ServedBroker.serve({ directory, env });
      using client = await WireClient.connect(broker.port);
      await client.publish("t", "x", { qos: 1 });
      await eventually(
        "a line",
        () => broker.err.includes("systemd: it cannot be told anything: "),
      );
      broker.kill("SIGTERM");
      assertEquals((await broker.ended()).code, 0);
    }
  });
});
