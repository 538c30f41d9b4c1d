/** Looks at everything that a broker with this configuration depends on, and changes nothing. */
import type { Config } from "../config/mod.ts";
import { certificateFindings } from "./certificate_findings.ts";
import { clockFindings } from "./clock_findings.ts";
import { dataFindings } from "./data_findings.ts";
import { exposureFindings } from "./exposure_findings.ts";
import { fileFindings } from "./file_findings.ts";
import type { Finding } from "./finding.ts";
import { machineFindings } from "./machine_findings.ts";
import { portFindings } from "./port_findings.ts";

/** What is known besides the configuration. */
export interface Circumstances {
  /** Path of the configuration; null for the defaults. */
  readonly configPath: string | null;
  /** The wall clock, in milliseconds. */
  readonly nowMs: number;
}

/** All findings, kind by kind. A broker that runs is not disturbed. */
export async function examine(
  config: Config,
  { configPath, nowMs }: Circumstances,
): Promise<readonly Finding[]> {
  const { findings: data, isHeld } = await dataFindings(config, nowMs);
  return [
    ...await fileFindings(config, configPath),
    ...await certificateFindings(config, nowMs),
    ...exposureFindings(config),
    ...data,
    ...await portFindings(config, { isHeld }),
    ...machineFindings(config),
    ...await clockFindings(config, { configPath, nowMs }),
  ];
}
