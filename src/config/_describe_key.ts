import type { KeySchema } from "./_schema_types.ts";

/** The key's default as it is written in TOML. */
export function formatDefault(key: KeySchema): string {
  return key.type === "enum" || key.type === "string"
    ? JSON.stringify(key.default)
    : String(key.default);
}

/** What the key's values may be, in words; empty where the type says it all. */
export function describeBounds(key: KeySchema): string {
  if (key.type === "integer") return `${key.min} to ${key.max}`;
  if (key.type === "enum") return key.values.map((word) => `"${word}"`).join(", ");
  return "";
}
