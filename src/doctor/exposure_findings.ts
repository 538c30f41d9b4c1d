/** What other machines can reach. */
import { type Config, isLoopbackHost, parseListenAddress } from "../config/mod.ts";
import { type Finding, Findings } from "./finding.ts";

/** Findings about all listeners, and the admin listener. */
export function exposureFindings(config: Config): readonly Finding[] {
  const findings = new Findings("exposure");
  let isOpen = false;
  for (const listener of config.listeners) {
    const { address, allowAnonymous, certificateFile, clientCertificates } = listener;
    if (isLocal(address)) continue;
    isOpen = true;
    if (allowAnonymous) {
      const everybody = config.ip.allow === "" && listener.ipAllow === "";
      const who = everybody ? "whoever reaches it" : "whoever ip_allow names";
      findings.warning(
        `listener ${address}: ${who} comes in without a name`,
        "set allow_anonymous = false and a password_file, or ask for client certificates",
      );
    }
    if (certificateFile === "") {
      findings.warning(
        `listener ${address}: no TLS: passwords and messages can be read on the way`,
        "set certificate_file and key_file, or listen on 127.0.0.1 only",
      );
    } else if (clientCertificates !== "required" && config.security.passwordFile === "") {
      findings.note(`listener ${address}: nobody has to prove who it is`);
    }
  }
  if (isOpen && config.security.accessFile === "") {
    findings.warning(
      "no access_file: whoever comes in may publish and subscribe to everything",
      "write rules, and try them with relayq acl",
    );
  }
  const { address, metricsTokenSha256 } = config.admin;
  if (address !== "" && !isLocal(address) && metricsTokenSha256 === "") {
    findings.warning(
      `admin listener ${address}: other machines read /metrics without a token`,
      "set metrics_token_sha256, or an address of 127.0.0.1",
    );
  }
  if (findings.all.length === 0) findings.ok("nothing is open to other machines unguarded");
  return findings.all;
}

function isLocal(address: string): boolean {
  const parsed = parseListenAddress(address);
  return "problem" in parsed || isLoopbackHost(parsed.host);
}
