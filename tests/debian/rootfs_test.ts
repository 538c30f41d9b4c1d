/**
 * The broker in the root directory of the container image: `chroot`, everything read-only but its
 * data, as a user that is not root. Without `denort` the runtime of this machine stands in for it,
 * with the bundle beside it: the libraries that both need are the same.
 */
import { assertEquals } from "@std/assert";
import { ENTRY, makeBundle } from "../../scripts/ship/bundle.ts";
import { runtimeFlags } from "../../scripts/ship/flags.ts";
import { BROKER_PATHS, BROKER_USER, makeRoot } from "../../scripts/ship/root_files.ts";
import { smoke } from "../../scripts/ship/smoke.ts";
import { inDirectory } from "../support/waiting.ts";

/** Mounts of its own, which end with the process. */
const ENTER = `set -e
root=$0
mount --bind "$root" "$root"
mount --bind "$root${BROKER_PATHS.data}" "$root${BROKER_PATHS.data}"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
exec chroot --userspec=${BROKER_USER.id}:${BROKER_USER.id} "$root" "$@"`;

const MAY_MOUNT = (await new Deno.Command("unshare", { args: ["--mount", "true"] }).output()
  .catch(() => null))?.success === true;

Deno.test({
  name: `the broker works in its root directory, read-only and not as root${
    MAY_MOUNT ? "" : " (skipped: this user may not mount)"
  }`,
  ignore: !MAY_MOUNT,
  async fn() {
    await inDirectory(async (directory) => {
      const root = `${directory}/root`;
      await makeRoot(root, { program: await Deno.realPath(Deno.execPath()) });
      await Deno.mkdir(`${root}/bundle`);
      await Deno.mkdir(`${root}/deno`);
      await makeBundle({ directory: `${root}/bundle`, commit: "test" });
      const sealed = ["--no-config", "--no-lock", "--no-remote", "--no-npm", "--cached-only"];
      const flags = runtimeFlags({ small: false, heapMb: null });
      const inside = [BROKER_PATHS.program, "run", ...sealed, ...flags, `/bundle/${ENTRY}`];
      const passed: string[] = [];
      await smoke({
        command: ["unshare", "--mount", "sh", "-c", ENTER, root, ...inside],
        env: { DENO_DIR: "/deno" },
        directory: root + BROKER_PATHS.data,
        seenAs: BROKER_PATHS.data,
        tls: true,
        patienceMs: 60_000,
        passed: (what) => passed.push(what),
      });
      assertEquals(passed.length, 8, passed.join(", "));
      for await (const { name } of Deno.readDir(`${root}/deno`)) {
        throw new Error(`it has written outside of its data: ${name}`);
      }
      const data = `${root}${BROKER_PATHS.data}/data/relayq.db`;
      assertEquals((await Deno.stat(data)).uid, BROKER_USER.id);
    });
  },
});
