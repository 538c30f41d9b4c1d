/** Changes of a password file that leave comments, order and all other lines as they are. */
import { userNameOfLine } from "./password_file.ts";
import { formatPasswordHash, type PasswordHash } from "./password_hash.ts";

/** The file with these users: each in the line where it stood, or in a new one at the end. */
export function withUsers(text: string, users: ReadonlyMap<string, PasswordHash>): string {
  const rest = new Map(users);
  const lines = text.split("\n");
  const ending = lines.some((line) => line.endsWith("\r")) ? "\r" : "";
  for (const [index, line] of lines.entries()) {
    const userName = userNameOfLine(line);
    const hash = rest.get(userName ?? "");
    if (userName === null || userName === undefined || hash === undefined) continue;
    lines[index] = contentOf(userName, hash) + (line.endsWith("\r") ? "\r" : "");
    rest.delete(userName);
  }
  // What stands behind the last line feed is no line, unless somebody forgot the line feed.
  const behind = lines.at(-1) === "" ? lines.pop()! : "";
  for (const [userName, hash] of rest) lines.push(contentOf(userName, hash) + ending);
  return [...lines, behind].join("\n");
}

/** The file with this user. */
export function withUser(
  text: string,
  { userName, hash }: { userName: string; hash: PasswordHash },
): string {
  return withUsers(text, new Map([[userName, hash]]));
}

/** The file without this user, or null if it does not stand there. */
export function withoutUser(text: string, userName: string): string | null {
  const lines = text.split("\n");
  const rest = lines.filter((line) => userNameOfLine(line) !== userName);
  return rest.length === lines.length ? null : rest.join("\n");
}

function contentOf(userName: string, hash: PasswordHash): string {
  return `${userName}:${formatPasswordHash(hash)}`;
}
