import { assertEquals } from "@std/assert";
import { isLoopbackHost, parseListenAddress } from "../../src/config/mod.ts";
import { summarize } from "./_loading.ts";

Deno.test("listen addresses are read", () => {
  const read = {
    "127.0.0.1:1883": { host: "127.0.0.1", port: 1883 },
    "0.0.0.0:0": { host: "0.0.0.0", port: 0 },
    "255.255.255.255:65535": { host: "255.255.255.255", port: 65_535 },
    "localhost:8883": { host: "localhost", port: 8883 },
    "[::1]:1883": { host: "::1", port: 1883 },
    "[::]:1": { host: "::", port: 1 },
    "[1:2:3:4:5:6:7:8]:1": { host: "1:2:3:4:5:6:7:8", port: 1 },
    "[1::8]:1": { host: "1::8", port: 1 },
    "[1:2:3:4:5:6::8]:1": { host: "1:2:3:4:5:6::8", port: 1 },
    "[1:2:3:4:5:6:7::]:1": { host: "1:2:3:4:5:6:7::", port: 1 },
    "[::ffff:1.2.3.4]:1": { host: "::ffff:1.2.3.4", port: 1 },
    "[1:2:3:4:5:6:1.2.3.4]:1": { host: "1:2:3:4:5:6:1.2.3.4", port: 1 },
  };
  for (const [text, address] of Object.entries(read)) {
    assertEquals(parseListenAddress(text), address);
  }
});

Deno.test("what is no listen address is refused with a reason", () => {
  const port = "the port must be a number from 0 to 65535";
  const host = 'the host must be an IP address or "localhost"';
  const shape = 'must be "host:port", an IPv6 host in brackets';
  const brackets = "what stands in brackets must be an IPv6 address";
  const refused: Record<string, string> = {
    "": shape,
    "hello": shape,
    "1:2:3": shape,
    "[::1]": shape,
    "127.0.0.1:": port,
    "127.0.0.1:65536": port,
    "127.0.0.1:-1": port,
    "127.0.0.1:+1": port,
    "127.0.0.1:01": port,
    "127.0.0.1:1e3": port,
    "127.0.0.1:1883 ": port,
    "broker.local:1883": host,
    "256.0.0.1:1": host,
    "127.0.0.01:1": host,
    "1.2.3:1": host,
    "LOCALHOST:1": host,
    " 127.0.0.1:1": host,
    "[]:1": brackets,
    "[127.0.0.1]:1": brackets,
    "[::1%lo]:1": brackets,
    "[1::2::3]:1": brackets,
    "[:::]:1": brackets,
    "[1:2:3:4:5:6:7]:1": brackets,
    "[1:2:3:4:5:6:7:8:9]:1": brackets,
    "[1:2:3:4:5:6:7::8]:1": brackets,
    "[1:2:3:4:5:6:7:8::]:1": brackets,
    "[12345::]:1": brackets,
    "[::1.2.3.4:1]:1": brackets,
    "[1.2.3.4::]:1": brackets,
    "[:1]:1": brackets,
    "[1:]:1": brackets,
  };
  for (const [text, problem] of Object.entries(refused)) {
    const result = parseListenAddress(text);
    assertEquals("problem" in result ? result.problem : "accepted", problem, text);
  }
});

Deno.test("a near miss of a listen address is told what was meant", () => {
  const meant: Record<string, string> = {
    "::1": "[::1]:1883",
    "fe80::1:2:3:4:5:1883": "[fe80::1:2:3:4:5:1883]:1883",
    "1:2:3:4:5:6:7:8:1883": "[1:2:3:4:5:6:7:8]:1883",
    "localhost": "localhost:1883",
    "10.0.0.1": "10.0.0.1:1883",
    "8883": "127.0.0.1:8883",
    ":8883": "0.0.0.0:8883",
    "*:8883": "0.0.0.0:8883",
  };
  for (const [text, suggestion] of Object.entries(meant)) {
    const result = parseListenAddress(text);
    assertEquals("problem" in result ? result.suggestion : "accepted", suggestion, text);
    assertEquals("problem" in parseListenAddress(suggestion), false, suggestion);
  }
  assertEquals(summarize('[[listeners]]\naddress = "::1"'), [
    '2:11 listeners.address: cannot listen on "::1": must be "host:port", an IPv6 host in brackets -> [::1]:1883',
  ]);
});

Deno.test("loopback hosts are known in every spelling, and no other host is one", () => {
  const loopback = [
    ...["localhost", "127.0.0.1", "127.255.255.254", "::1", "0:0:0:0:0:0:0:1", "0::0:1"],
    ...["::ffff:127.0.0.1", "::FFFF:7f00:1", "::0.0.0.1"],
  ];
  for (const host of loopback) assertEquals(isLoopbackHost(host), true, host);
  const others = [
    ...["0.0.0.0", "128.0.0.1", "126.255.255.255", "10.0.0.1", "::", "::2", "1::1", "::1:0:1"],
    ...["::ffff:10.0.0.1", "::ffff:0.0.0.1", "::127.0.0.1", "1::ffff:127.0.0.1"],
    ...["localhost.example", "127.1", "127.0.0.1.example", "", "[::1]"],
  ];
  for (const host of others) assertEquals(isLoopbackHost(host), false, host);
});
