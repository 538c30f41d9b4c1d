/** Names as the admin API writes them. */
import type { Json } from "./sparkplug/mod.ts";

/** The same value with names in small letters and underscores; nothing of a name is from the wire. */
export function snakeCased(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(snakeCased);
  return Object.fromEntries(
    Object.entries(value as { readonly [name: string]: Json }).map(([name, field]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      snakeCased(field),
    ]),
  );
}
