/** The environment, as far as the process may read it. */

/** A variable; null where it is not set, is empty, or may not be read. Never asks anybody. */
export function environmentVariable(variable: string): string | null {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  const value = state === "granted" ? Deno.env.get(variable) : undefined;
  return value === undefined || value === "" ? null : value;
}
