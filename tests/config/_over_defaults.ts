import { type Config, DEFAULT_CONFIG } from "../../src/config/mod.ts";

/** The configuration that a parsed file without mistakes means. */
export function overDefaults(parsed: Record<string, unknown>): Config {
  const config: Record<string, unknown> = { ...DEFAULT_CONFIG };
  for (const [table, value] of Object.entries(parsed)) {
    const name = camelCase(table);
    config[name] = Array.isArray(value)
      ? value.map((item) => ({ ...DEFAULT_CONFIG.listeners[0], ...camelCased(item) }))
      : { ...config[name] as object, ...camelCased(value as object) };
  }
  return config as unknown as Config;
}

function camelCased(table: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [camelCase(key), value]));
}

function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
