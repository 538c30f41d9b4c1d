/** `relayq passwd` on files of its own. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type PasswordSource, runCli } from "../../src/cli/mod.ts";
import { type CliRun, withDirectory } from "./_running.ts";

/** Standard input that gives these bytes; a terminal unless told otherwise. */
class Typed implements PasswordSource {
  readonly modes: boolean[] = [];
  readonly #terminal: boolean;
  #rest: Uint8Array;

  constructor(text: string, terminal = true) {
    this.#rest = new TextEncoder().encode(text);
    this.#terminal = terminal;
  }

  isTerminal(): boolean {
    return this.#terminal;
  }

  /** Three bytes at a time, so that characters are torn. */
  read(buffer: Uint8Array): Promise<number | null> {
    const piece = this.#rest.subarray(0, 3);
    buffer.set(piece);
    this.#rest = this.#rest.subarray(3);
    return Promise.resolve(piece.length === 0 ? null : piece.length);
  }

  setRaw(mode: boolean): void {
    this.modes.push(mode);
  }
}

async function passwd(args: readonly string[], input = new Typed("")): Promise<CliRun> {
  let out = "";
  let err = "";
  const io = { out: (s: string) => void (out += s), err: (s: string) => void (err += s), input };
  const code = await runCli(["passwd", ...args], io);
  return { code, out, err };
}

function piped(text: string): Typed {
  return new Typed(text, false);
}

const FAST = ["--iterations", "1000", "--password-stdin"];

Deno.test("passwd add, verify and remove keep a file of users", async () => {
  await withDirectory(async (directory) => {
    const file = `${directory}/users`;
    const added = await passwd(["add", file, "alice", ...FAST], piped("sécret\n"));
    assertEquals(added, { code: 0, out: `${file}: added "alice"\n`, err: "" });
    assertMatch(await Deno.readTextFile(file), /^alice:\$relayq\$pbkdf2-sha256\$1000\$\S+\n$/);
    assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
    const verify = ["verify", file, "alice", "--password-stdin"];
    assertEquals((await passwd(verify, piped("sécret\r\n"))).code, 0);
    assertEquals((await passwd(verify, piped("sécret"))).code, 0);
    assertEquals(await passwd(verify, piped("Secret\n")), {
      code: 5,
      out: "",
      err: "the password is wrong\n",
    });
    const changed = await passwd(
      ["add", file, "alice", "--sha256", "--password-stdin"],
      piped("new"),
    );
    assertEquals(changed.out, `${file}: changed the password of "alice"\n`);
    assertMatch(await Deno.readTextFile(file), /^alice:\$relayq\$sha256\$\S+\n$/);
    await passwd(["add", file, "bob", "--mosquitto", ...FAST], piped("pw"));
    assertMatch(await Deno.readTextFile(file), /^alice:.*\nbob:\$7\$1000\$\S+\n$/);
    assertEquals((await passwd(["remove", file, "alice"])).out, `${file}: removed "alice"\n`);
    assertMatch(await Deno.readTextFile(file), /^bob:.*\n$/);
    const left = [...Deno.readDirSync(directory)].map(({ name }) => name);
    assertEquals(left, ["users"]);
  });
});

Deno.test("passwd asks for a new password twice at a terminal that does not show it", async () => {
  await withDirectory(async (directory) => {
    const file = `${directory}/users`;
    const options = ["--iterations", "1000"];
    const typed = new Typed("sex\x7f\x7fécret\rx\x15sé\x7fécret\r");
    const added = await passwd(["add", file, "alice", ...options], typed);
    assertEquals(added.code, 0);
    assertEquals(added.err, 'Password of "alice": \r\nOnce more: \r\n');
    assertEquals(typed.modes, [true, false]);
    const asked = await passwd(["verify", file, "alice"], new Typed("sécret\n"));
    assertEquals([asked.code, asked.err], [0, 'Password of "alice": \r\n']);
    const mistakes: [string, string][] = [
      ["one\rtwo\r", "the two passwords differ"],
      ["\r\r", "the password is empty"],
      ["half\x03", "no password was given"],
      ["\x04", "no password was given"],
      ["half", "no password was given"],
    ];
    for (const [text, problem] of mistakes) {
      const input = new Typed(text);
      const failed = await passwd(["add", file, "bob", ...options], input);
      assertEquals(failed.code, 2);
      assertStringIncludes(failed.err, `Cannot run relayq passwd: ${problem}\n`);
      assertEquals(input.modes, [true, false]);
    }
  });
});

Deno.test("passwd import merges another file and keeps users that are there", async () => {
  await withDirectory(async (directory) => {
    const file = `${directory}/users`;
    const from = `${directory}/mosquitto`;
    await passwd(["add", from, "alice", "--mosquitto", ...FAST], piped("theirs"));
    await passwd(["add", from, "bob", "--mosquitto", ...FAST], piped("pw"));
    await Deno.writeTextFile(file, "# the plant\n");
    await passwd(["add", file, "alice", ...FAST], piped("ours"));
    const merged = await passwd(["import", file, from]);
    assertEquals(merged.out, `${file}: 1 users imported\n`);
    assertStringIncludes(merged.err, '"alice" is there already and was left');
    const verify = ["verify", file, "alice", "--password-stdin"];
    assertEquals((await passwd(verify, piped("ours"))).code, 0);
    assertEquals((await passwd(["import", "--replace", file, from])).err, "");
    assertEquals((await passwd(verify, piped("theirs"))).code, 0);
    const lines = (await Deno.readTextFile(file)).split("\n").map((line) => line.split(":")[0]);
    assertEquals(lines, ["# the plant", "alice", "bob", ""]);
  });
});

Deno.test("passwd leaves a file with mistakes alone and tells them", async () => {
  await withDirectory(async (directory) => {
    const file = `${directory}/users`;
    await Deno.writeTextFile(file, "alice:secret\nbob\n");
    for (const args of [["add", ...FAST], ["remove"], ["verify", "--password-stdin"]]) {
      const { code, out, err } = await passwd([...args, file, "alice"], piped("x"));
      assertEquals([code, out], [1, ""]);
      assertEquals(
        err,
        `${file}:1:7: this is no hash; \`mosquitto_passwd -U\` turns passwords into hashes\n` +
          `${file}:2:1: there is no colon between user name and hash\n`,
      );
    }
    assertEquals(await Deno.readTextFile(file), "alice:secret\nbob\n");
  });
});

Deno.test("passwd keeps mode and owner of a file, and changes what a link points to", async () => {
  await withDirectory(async (directory) => {
    const file = `${directory}/users`;
    await Deno.writeTextFile(file, "", { mode: 0o644 });
    await Deno.chmod(file, 0o644);
    const root = Deno.uid() === 0;
    if (root) await Deno.chown(file, 1234, 1235);
    await Deno.symlink("users", `${directory}/link`);
    await passwd(["add", `${directory}/link`, "alice", ...FAST], piped("x"));
    assert((await Deno.lstat(`${directory}/link`)).isSymlink);
    const { mode, uid, gid } = await Deno.stat(file);
    assertEquals(mode! & 0o777, 0o640);
    if (root) assertEquals([uid, gid], [1234, 1235]);
    assertStringIncludes(await Deno.readTextFile(file), "alice:");
  });
});

Deno.test("passwd loses no user when many change the file at once", async () => {
  await withDirectory(async (directory) => {
    const file = `${directory}/users`;
    const users = Array.from({ length: 12 }, (_, i) => `u${i}`);
    await Promise.all(users.map((user) => passwd(["add", file, user, ...FAST], piped("x"))));
    const lines = (await Deno.readTextFile(file)).trimEnd().split("\n");
    assertEquals(lines.map((line) => line.split(":")[0]!).sort(), users.sort());
  });
});

Deno.test("passwd says why it cannot do what it is asked for", async () => {
  await withDirectory(async (directory) => {
    const file = `${directory}/users`;
    const stdin = "--password-stdin";
    const complaints: [string[], number, string][] = [
      [["add", file], 2, "NAME is missing"],
      [["burn", file, "a"], 2, '"burn" is none of add, remove, verify, import'],
      [["add", file, "a:b"], 2, "the user name contains a colon"],
      [["add", file, "#a"], 2, 'the user name begins with "#"'],
      [["add", file, "a", "--iterations", "999"], 2, "--iterations wants a number from 1000"],
      [["add", file, "a", "--iterations", "1e5"], 2, "--iterations wants a number from 1000"],
      [["add", file, "a", "--sha256", "--mosquitto"], 2, "--sha256 goes with neither"],
      [["add", file, "a"], 2, "--password-stdin reads the password from it"],
      [["add", file, "a", stdin], 2, "the password is empty"],
      [["add", `${directory}/no/users`, "a", stdin, "--sha256"], 2, "the password is empty"],
      [["remove", file, "a"], 1, "no such file or directory"],
      [["verify", file, "a", stdin], 1, "no such file or directory"],
      [["import", file, `${directory}/x`], 1, `${directory}/x: no such file or directory`],
    ];
    for (const [args, code, message] of complaints) {
      const failed = await passwd(args, piped(""));
      assertEquals([failed.code, failed.out], [code, ""], args.join(" "));
      assertStringIncludes(failed.err, message);
    }
    const lost = await passwd(["add", `${directory}/no/users`, "a", ...FAST], piped("x"));
    assertEquals(lost.code, 1);
    assertStringIncludes(lost.err, "no such file or directory");
  });
});
