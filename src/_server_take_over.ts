/** Damps Client Identifiers that go to and fro between two places, and says so. */
import { type AuditTrail, hostOf, sampleKey } from "./_server_audit.ts";
import type { TakeOverPolicy } from "./broker/mod.ts";
import type { TakeOverConfig } from "./config/mod.ts";
import { quote, TakeOverStorms } from "./security/mod.ts";

/** Client Identifiers that are remembered: 2 MB. */
const CLIENTS_MAX = 4_096;

/** The policy that the configuration asks for, and a way to ask for another one. */
export interface ConfiguredTakeOvers extends TakeOverPolicy {
  /** Who calls what it gives puts it in place: what was seen until then is forgotten. */
  prepare(config: TakeOverConfig): () => void;
}

/** The policy that the configuration asks for. */
export function takeOverPolicy(
  config: TakeOverConfig,
  { trail, say }: { trail: AuditTrail; say: (level: "warn", text: string) => void },
): ConfiguredTakeOvers {
  let storms = new TakeOverStorms({ ...config, clientsMax: CLIENTS_MAX });
  return {
    prepare(config) {
      const others = new TakeOverStorms({ ...config, clientsMax: CLIENTS_MAX });
      return () => void (storms = others);
    },
    allows({ newcomer, holder }, nowMs) {
      const { clientIdentifier } = newcomer;
      const from = holder.origin.remoteAddress;
      const to = newcomer.origin.remoteAddress;
      const places = { holder: hostOf(from), newcomer: hostOf(to) };
      const verdict = storms.judge({ clientIdentifier, ...places }, nowMs);
      if (verdict.allowed || !verdict.begins) return verdict.allowed;
      const seconds = Math.ceil((verdict.untilMs - nowMs) / 1000);
      const addresses = verdict.addresses.join(" ");
      say(
        "warn",
        `take-over storm: client=${quote(clientIdentifier)} holder=${from} newcomer=${to} ` +
          `addresses="${addresses}" for_s=${seconds}`,
      );
      const entry = { client: clientIdentifier, addresses, seconds };
      const key = sampleKey("storm", to, clientIdentifier);
      trail.sample("storms", key, { event: "take-over-storm", ...entry });
      return false;
    },
  };
}
