/** Password files of Debian's mosquitto_passwd, and ours in Debian's mosquitto. */
import { assert, assertEquals } from "@std/assert";
import { hashPassword, PasswordFile, withoutUser, withUser } from "../../src/security/mod.ts";
import { Mosquitto } from "./_mosquitto.ts";

async function run(program: string, ...args: string[]): Promise<number> {
  const { code } = await new Deno.Command(program, { args, stdout: "null", stderr: "null" })
    .output();
  return code;
}

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ dir: "/tmp", prefix: "relayq-mosquitto-" });
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const PASSWORDS = ["secret", "p", "ünïcödé €", "x".repeat(200), "a b:c$d"];

for (const algorithm of ["sha512", "sha512-pbkdf2"]) {
  Deno.test(`a file of mosquitto_passwd -H ${algorithm} is accepted as it is`, async () => {
    await withDirectory(async (directory) => {
      const path = `${directory}/users`;
      await Deno.writeTextFile(path, "", { mode: 0o600 });
      for (const [i, password] of PASSWORDS.entries()) {
        const args = ["-H", algorithm, "-b", path, `user${i}`, password];
        assertEquals(await run("mosquitto_passwd", ...args), 0);
      }
      const parsed = PasswordFile.parse(await Deno.readTextFile(path));
      assert(parsed.ok, JSON.stringify(parsed));
      assertEquals(parsed.value.size, PASSWORDS.length);
      for (const [i, password] of PASSWORDS.entries()) {
        const right = new TextEncoder().encode(password);
        const wrong = new TextEncoder().encode(`${password}!`);
        assert(await parsed.value.verify(`user${i}`, right));
        assert(!await parsed.value.verify(`user${i}`, wrong));
      }
    });
  });
}

Deno.test("mosquitto lets a user in whom relayq passwd add --mosquitto has added", async () => {
  const password = new TextEncoder().encode("sésame");
  const hash = await hashPassword(password, { scheme: "pbkdf2-sha512", iterations: 1_000 });
  const both = withUser(withUser("# both\n", { userName: "ali", hash }), { userName: "x", hash });
  const users = withoutUser(both, "x")!;
  const config = "allow_anonymous false\npassword_file DIR/users\n";
  await using broker = await Mosquitto.start(config, { users });
  const where = ["-h", "127.0.0.1", "-p", `${broker.port}`, "-t", "t", "-m", "x", "-q", "1"];
  assertEquals(await run("mosquitto_pub", ...where, "-u", "ali", "-P", "sésame"), 0);
  assert(await run("mosquitto_pub", ...where, "-u", "ali", "-P", "sesame") !== 0);
  assert(await run("mosquitto_pub", ...where, "-u", "x", "-P", "sésame") !== 0);
});
