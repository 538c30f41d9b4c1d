import { assertEquals, assertStringIncludes } from "@std/assert";
import { DEFAULT_CONFIG } from "../../src/config/mod.ts";
import { accepted, diagnose, summarize } from "./_loading.ts";

Deno.test("outbox.low_water_bytes must be below high_water_bytes", () => {
  assertEquals(summarize("[outbox]\nlow_water_bytes = 262144"), [
    "2:19 outbox.low_water_bytes: 262144 must be below outbox.high_water_bytes, by default 262144",
  ]);
  assertEquals(accepted("outbox.low_water_bytes = 262143").outbox.lowWaterBytes, 262_143);
  assertEquals(summarize("[outbox]\nhigh_water_bytes = 65536"), [
    "2:20 outbox.high_water_bytes: 65536 must be above outbox.low_water_bytes, by default 65536",
  ]);
  assertEquals(accepted("outbox.high_water_bytes = 65537").outbox.highWaterBytes, 65_537);
  assertEquals(summarize("[outbox]\nhigh_water_bytes = 1_0\nlow_water_bytes = 0xA"), [
    "3:19 outbox.low_water_bytes: 0xA must be below outbox.high_water_bytes, here 1_0",
  ]);
});

Deno.test("outbox.high_water_bytes must be at most bytes_max", () => {
  assertEquals(summarize("outbox.high_water_bytes = 4194305"), [
    "1:27 outbox.high_water_bytes: 4194305 must be at most outbox.bytes_max, by default 4194304",
  ]);
  assertEquals(accepted("outbox.high_water_bytes = 4194304").outbox.highWaterBytes, 4_194_304);
  assertEquals(summarize("outbox.bytes_max = 262143"), [
    "1:20 outbox.bytes_max: 262143 must be at least outbox.high_water_bytes, by default 262144",
  ]);
});

Deno.test("queue.bytes_max must be at most total_bytes_max", () => {
  assertEquals(summarize("queue.bytes_max = 268435457"), [
    "1:19 queue.bytes_max: 268435457 must be at most queue.total_bytes_max, by default 268435456",
  ]);
  assertEquals(accepted("queue.bytes_max = 268435456").queue.bytesMax, 268_435_456);
});

Deno.test("limits.packet_bytes_max must be at most queue.bytes_max", () => {
  assertEquals(summarize("limits.packet_bytes_max = 16777217"), [
    "1:27 limits.packet_bytes_max: 16777217 must be at most queue.bytes_max, by default 16777216",
  ]);
  assertEquals(accepted("limits.packet_bytes_max = 16777216").limits.packetBytesMax, 16_777_216);
});

Deno.test("limits.subscriptions_per_session_max must be at most subscriptions_max", () => {
  assertEquals(summarize("[limits]\nsubscriptions_max = 6\nsubscriptions_per_session_max = 7"), [
    "3:33 limits.subscriptions_per_session_max: 7 must be at most limits.subscriptions_max, here 6",
  ]);
  const { limits } = accepted("[limits]\nsubscriptions_max = 7\nsubscriptions_per_session_max = 7");
  assertEquals(limits.subscriptionsMax, 7);
});

Deno.test("all broken relations are told, but none of a value that is wrong by itself", () => {
  const text = `[outbox]
low_water_bytes = 9
high_water_bytes = 8
bytes_max = 1
[queue]
total_bytes_max = 100
`;
  assertEquals(diagnose(text).map(({ line, key }) => `${line} ${key}`), [
    "2 outbox.low_water_bytes",
    "4 outbox.bytes_max",
    "6 queue.total_bytes_max",
  ]);
});

Deno.test("at least one listener is needed, and a file without any has the default one", () => {
  assertEquals(summarize("listeners = []"), ["1:13 listeners: at least one is needed"]);
  assertEquals(accepted("[[listeners]]").listeners, accepted("").listeners);
});

Deno.test("64 listeners are allowed and not one more", () => {
  const listener = (index: number) => `[[listeners]]\naddress = "127.0.0.1:${index + 1}"\n`;
  const most = Array.from({ length: 64 }, (_, index) => listener(index)).join("");
  assertEquals(accepted(most).listeners.length, 64);
  assertEquals(summarize(most + listener(64) + listener(65)), [
    "129:3 listeners: 66 are above the maximum of 64",
  ]);
});

Deno.test("no two listeners may have the same address, however it is spelled", () => {
  const same = [
    ["127.0.0.1:1883", "127.0.0.1:1883"],
    ["[::1]:1883", "[0:0:0:0:0:0:0:1]:1883"],
    ["[2001:DB8::a]:1", "[2001:db8:0::A]:1"],
    ["localhost:1", "localhost:1"],
  ] as const;
  for (const [first, second] of same) {
    const text = `[[listeners]]
address = "${first}"
allow_anonymous = true
[[listeners]]
allow_anonymous = true
address = "${second}"
`;
    const problem = `another listener has the address "${second}" already, on line 2`;
    assertEquals(summarize(text), [`6:11 listeners.address: ${problem}`]);
  }
  assertEquals(summarize("[[listeners]]\n[[listeners]]"), [
    '2:3 listeners.address: another listener has the address "127.0.0.1:1883" already, on line 1',
  ]);
});

Deno.test("listeners on other ports, other hosts and port 0 are not the same", () => {
  for (
    const [first, second] of [
      ["127.0.0.1:1883", "127.0.0.1:1884"],
      ["127.0.0.1:1883", "127.0.0.2:1883"],
      ["127.0.0.1:1883", "[::1]:1883"],
      ["127.0.0.1:0", "127.0.0.1:0"],
    ]
  ) {
    const { listeners } = accepted(
      `[[listeners]]\naddress = "${first}"\n[[listeners]]\naddress = "${second}"`,
    );
    assertEquals(listeners.map(({ address }) => address), [first, second]);
  }
});

Deno.test("a listener that others can reach needs allow_anonymous, and the message says why", () => {
  for (const address of ["0.0.0.0:1883", "[::]:0", "192.168.1.5:1883", "[::ffff:10.0.0.1]:1"]) {
    const [diagnostic, ...rest] = diagnose(`[[listeners]]\naddress = "${address}"`);
    assertEquals(rest, []);
    assertEquals(diagnostic, {
      line: 2,
      column: 11,
      key: "listeners.address",
      message:
        `listeners.address: "${address}" can be reached from other machines and nobody is asked for a password: ` +
        "set security.password_file, or allow_anonymous = true to let everybody in, or use a " +
        "loopback address",
    });
    const [listener] = accepted(
      `[[listeners]]\naddress = "${address}"\nallow_anonymous = true`,
    ).listeners;
    const defaults = DEFAULT_CONFIG.listeners[0]!;
    assertEquals(listener, { ...defaults, address, allowAnonymous: true });
  }
});

Deno.test("one listener's allow_anonymous does not hold for another", () => {
  const text = `[[listeners]]
address = "0.0.0.0:1"
allow_anonymous = true
[[listeners]]
address = "0.0.0.0:2"
`;
  assertEquals(diagnose(text).map(({ line, key }) => `${line} ${key}`), ["5 listeners.address"]);
});

Deno.test("what client certificates are judged by needs a listener that asks for them", () => {
  const key = "listeners.address";
  const tls = 'certificate_file = "c"\nkey_file = "k"\n';
  for (const name of ["ca_file", "crl_file", "certificate_pins"]) {
    for (const beside of ["", tls, `${tls}client_certificates = "none"\n`]) {
      const [diagnostic, ...rest] = diagnose(`[[listeners]]\n${beside}${name} = "x"`);
      assertEquals([diagnostic?.key, rest], [key, []], `${beside}${name}`);
      assertEquals(
        diagnostic?.message,
        `${key}: ${name} has no effect while nobody is asked for a certificate: ` +
          'set client_certificates = "required" or "optional"',
      );
    }
  }
});

Deno.test("a listener that takes PROXY headers says whose", () => {
  const guarded = '[security]\npassword_file = "p"\n[[listeners]]\n';
  for (const proxies of ["", 'trusted_proxies = " "\n']) {
    assertEquals(summarize(`${guarded}${proxies}proxy_protocol = "v2"`), [
      '3:3 listeners.address: proxy_protocol = "v2" needs trusted_proxies: whose header is believed',
    ]);
  }
  const proxies = 'trusted_proxies = "10.0.0.0/8"\n';
  assertEquals(summarize(`${guarded}${proxies}`), [
    "3:3 listeners.address: trusted_proxies has no effect while proxy_protocol is off",
  ]);
  const [listener] = accepted(`${guarded}${proxies}proxy_protocol = "any"`).listeners;
  assertEquals([listener?.proxyProtocol, listener?.trustedProxies], ["any", "10.0.0.0/8"]);
});

Deno.test("behind a proxy a loopback address is reached from other machines", () => {
  const text = '[[listeners]]\nproxy_protocol = "any"\ntrusted_proxies = "127.0.0.1"\n';
  assertEquals(summarize(text), [
    '1:3 listeners.address: "127.0.0.1:1883" can be reached from other machines and nobody is asked ' +
    "for a password: set security.password_file, or allow_anonymous = true to let everybody in",
  ]);
  accepted(`${text}allow_anonymous = true`);
});

Deno.test("security.pin_file needs a listener that asks for certificates", () => {
  const pins = '[security]\npin_file = "pins"\n';
  const wanted = 'set client_certificates = "required" or "optional" of a listener';
  assertEquals(summarize(pins), [
    `2:12 security.pin_file: nobody can show a certificate: ${wanted}`,
  ]);
  const listener = '[[listeners]]\ncertificate_file = "c"\nkey_file = "k"\nca_file = "a"\n';
  accepted(`${pins}${listener}client_certificates = "optional"\n`);
});

Deno.test("security.client_identifier needs users, with passwords or certificates", () => {
  const rule = '[security]\nclient_identifier = "user"\n';
  const wanted = "set security.password_file, or client_certificates of a listener";
  assertEquals(summarize(rule), [
    `2:21 security.client_identifier: "user" needs users: ${wanted}`,
  ]);
  accepted(`${rule}password_file = "p"\n`);
  const listener = '[[listeners]]\ncertificate_file = "c"\nkey_file = "k"\nca_file = "a"\n';
  accepted(`${rule}${listener}client_certificates = "required"\n`);
});

Deno.test("a WebSocket listener has a path that is one, and origins that are", () => {
  const head = "[[listeners]]\n";
  for (const path of ["mqtt", "/a b", "/mqtt?x", "/mqtt#x", "/grün"]) {
    const [problem, ...others] = summarize(`${head}websocket_path = "${path}"`);
    assertStringIncludes(problem ?? "", `"${path}" is no path`);
    assertEquals(others, []);
  }
  assertEquals(summarize(`${head}websocket_origins = "https://hmi.plant"`), [
    "1:3 listeners.address: websocket_origins has no effect without websocket_path",
  ]);
  for (const origin of ["hmi.plant", "ftp://hmi", "https://hmi/", "https://u@hmi", "https://"]) {
    const text = `${head}websocket_path = "/mqtt"\nwebsocket_origins = "* ${origin}"`;
    assertStringIncludes(summarize(text).join(), `"${origin}" is no origin`);
  }
  const good = 'websocket_path = "/"\nwebsocket_origins = "https://hmi.plant http://[::1]:8080 *"';
  assertEquals(accepted(head + good).listeners[0]?.websocketPath, "/");
});

Deno.test("an admin listener that other machines can reach asks for a token", () => {
  const token = `metrics_token_sha256 = "${"0123456789abcdefABCDEF".repeat(3).slice(0, 64)}"\n`;
  assertEquals(summarize('[admin]\naddress = "0.0.0.0:9883"'), [
    '2:11 admin.address: "0.0.0.0:9883" can be reached from other machines and nobody is asked ' +
    "for a token: set admin.tokens_file or admin.metrics_token_sha256, or use a loopback address",
  ]);
  assertEquals(accepted(`[admin]\naddress = "[::]:9883"\n${token}`).admin.address, "[::]:9883");
  for (const address of ["", "127.0.0.1:9883", "[::1]:9883", "localhost:0"]) {
    assertEquals(accepted(`admin.address = "${address}"`).admin.address, address);
  }
});

Deno.test("tokens of the admin API do not cross the network in the clear", () => {
  const tokens = 'tokens_file = "tokens"\n';
  const tls = 'certificate_file = "c.pem"\nkey_file = "k.pem"\n';
  assertEquals(summarize(`[admin]\naddress = "0.0.0.0:9883"\n${tokens}`), [
    '2:11 admin.address: "0.0.0.0:9883" can be reached from other machines and tokens would cross ' +
    "the network in the clear: set admin.certificate_file, or use a loopback address behind a " +
    "proxy with TLS",
  ]);
  for (const good of [`address = "0.0.0.0:9883"\n${tls}`, 'address = "127.0.0.1:9883"\n']) {
    assertEquals(accepted(`[admin]\n${good}${tokens}`).admin.tokensFile, "tokens");
  }
});

Deno.test("the keys about TLS of the admin listener fit together", () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      'certificate_file = "c.pem"',
      "2:20 admin.certificate_file: certificate_file and key_file belong together: set both or none",
    ],
    [
      'key_file = "k.pem"',
      "2:12 admin.key_file: certificate_file and key_file belong together: set both or none",
    ],
    [
      'client_certificates = "optional"\nca_file = "ca.pem"',
      '2:23 admin.client_certificates: "optional" needs TLS: set admin.certificate_file',
    ],
    [
      'client_certificates = "required"\ncertificate_file = "c.pem"\nkey_file = "k.pem"',
      '2:23 admin.client_certificates: "required" needs admin.ca_file to judge them by',
    ],
    [
      'crl_file = "crl.pem"',
      "2:12 admin.crl_file: has no effect while nobody is asked for a certificate: " +
      'set admin.client_certificates = "required" or "optional"',
    ],
  ];
  for (const [text, problem] of cases) assertEquals(summarize(`[admin]\n${text}`), [problem]);
});

Deno.test("what is no address or no hash of a token is refused", () => {
  assertEquals(summarize('admin.address = "9883"'), [
    '1:17 admin.address: cannot listen on "9883": must be "host:port", an IPv6 host in brackets ' +
    "-> 127.0.0.1:9883",
  ]);
  for (const hash of ["secret", "0".repeat(63), "0".repeat(65), "g".repeat(64)]) {
    assertEquals(summarize(`admin.metrics_token_sha256 = "${hash}"`), [
      "1:30 admin.metrics_token_sha256: must be a SHA-256 in 64 hexadecimal digits",
    ]);
  }
});

Deno.test("a capture file needs somebody who judges, and records", () => {
  const file = '[sparkplug]\ncapture_file = "c"\n';
  assertEquals(summarize(file), [
    '2:16 sparkplug.capture_file: needs sparkplug.mode = "monitor" or "strict"',
  ]);
  assertEquals(summarize(`${file}mode = "strict"`), [
    "2:16 sparkplug.capture_file: needs sparkplug.recorded_messages_max above 0",
  ]);
  accepted(`${file}mode = "monitor"\nrecorded_messages_max = 1`);
});

Deno.test("last values need a mode that looks at Sparkplug", () => {
  const values = "[sparkplug]\nlast_values = true\n";
  accepted(values);
  accepted(`${values}mode = "strict"`);
  assertEquals(summarize(`${values}mode = "off"`), [
    '2:15 sparkplug.last_values: needs another sparkplug.mode than "off"',
  ]);
});

Deno.test("alarms are sent to a URL by somebody who judges", () => {
  const alarms = '[sparkplug]\nalarm_url = "http://127.0.0.1:9000/alarm"\n';
  accepted(`${alarms}mode = "monitor"`);
  assertEquals(summarize(alarms), [
    '2:13 sparkplug.alarm_url: needs sparkplug.mode = "monitor" or "strict"',
  ]);
  for (const url of ["ftp://x/", "x", "http://", "http:// x"]) {
    assertEquals(summarize(`[sparkplug]\nmode = "strict"\nalarm_url = "${url}"`), [
      `3:13 sparkplug.alarm_url: "${url}" is no URL that begins with http`,
    ]);
  }
});
