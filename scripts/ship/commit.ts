/** Which sources a binary is made from. */
import { run } from "./run.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const GIT_MS_MAX = 20_000;

/** The commit of the sources, with `+changes` where they differ from it; "unknown" without Git. */
export async function sourceCommit(): Promise<string> {
  const options = { cwd: ROOT, limitMs: GIT_MS_MAX };
  try {
    const head = await run("git", { ...options, args: ["rev-parse", "--verify", "HEAD"] });
    if (head.code !== 0) return "unknown";
    const changes = await run("git", { ...options, args: ["status", "--porcelain"] });
    return head.out.trim() + (changes.code === 0 && changes.out === "" ? "" : "+changes");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "unknown";
    throw error;
  }
}

/** When the commit of the sources was made; the beginning of 1970 without Git. */
export async function sourceTimeMs(): Promise<number> {
  try {
    const args = ["log", "-1", "--format=%ct"];
    const { code, out } = await run("git", { cwd: ROOT, limitMs: GIT_MS_MAX, args });
    return code === 0 ? Number(out) * 1000 : 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
