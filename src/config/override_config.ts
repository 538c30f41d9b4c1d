import { pathProblem } from "./_check_value.ts";
import { listenerProblems } from "./_listener_rules.ts";
import { LISTENERS_MAX } from "./_schema.ts";
import type { Config, ListenerConfig } from "./config.ts";

/** What the command line may put in the place of the file's values. */
export interface ConfigOverrides {
  /** Addresses in the place of those of all listeners; none or an empty list leaves them as they are. */
  readonly listen?: readonly string[];
  /** Directory in the place of `store.data_dir`. */
  readonly dataDir?: string;
}

/** A configuration, or why the overrides cannot be, one line each. */
export type OverriddenConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Puts `overrides` in the place of the configuration's values, under the same rules as the file.
 * New listeners may be anonymous off the loopback address only if every listener that they replace
 * says `allow_anonymous = true`: an address on the command line is no consent.
 */
export function overrideConfig(config: Config, overrides: ConfigOverrides): OverriddenConfig {
  const listeners = replaceListeners(config.listeners, overrides.listen ?? []);
  const hasPasswords = config.security.passwordFile !== "";
  const problems = listenerProblems(listeners, { hasPasswords }).map(({ problem }) => problem);
  if (listeners.length > LISTENERS_MAX) {
    problems.push(`${listeners.length} listeners are above the maximum of ${LISTENERS_MAX}`);
  }
  const dataDir = overrides.dataDir ?? config.store.dataDir;
  const problem = pathProblem(dataDir);
  if (problem !== undefined) problems.push(`the data directory ${problem}`);
  if (problems.length > 0) return { ok: false, problems };
  const store = Object.freeze({ ...config.store, dataDir });
  return { ok: true, config: Object.freeze({ ...config, listeners, store }) };
}

function replaceListeners(
  listeners: readonly ListenerConfig[],
  addresses: readonly string[],
): readonly ListenerConfig[] {
  if (addresses.length === 0) return listeners;
  const allowAnonymous = listeners.every((listener) => listener.allowAnonymous);
  // TLS and whatever else the file says of its listeners stays.
  const last = listeners.length - 1;
  return Object.freeze(
    addresses.map((address, index) =>
      Object.freeze({ ...listeners[Math.min(index, last)]!, address, allowAnonymous })
    ),
  );
}
