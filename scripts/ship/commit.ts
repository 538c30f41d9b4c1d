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
