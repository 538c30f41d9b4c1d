/** What must hold of the keys of the table `admin` beyond each of them. */
import type { CheckedTable } from "./_check_document.ts";
import type { TomlProblem } from "./_toml_tree.ts";
import { isLoopbackHost, parseListenAddress } from "./listen_address.ts";

/** What is wrong with the table, as far as its keys themselves are right. */
export function adminProblems(table: CheckedTable | undefined): TomlProblem[] {
  if (table === undefined || [...table.values.values()].some(({ valid }) => !valid)) return [];
  const problems: TomlProblem[] = [];
  function text(name: string): string {
    return String(table!.values.get(name)?.value ?? "");
  }
  function blame(name: string, message: string): void {
    const offset = table!.values.get(name)?.offset ?? table!.offset ?? 0;
    problems.push({ offset, key: `admin.${name}`, message: `admin.${name}: ${message}` });
  }
  const isSecured = text("certificate_file") !== "";
  if (isSecured !== (text("key_file") !== "")) {
    blame(
      isSecured ? "certificate_file" : "key_file",
      "certificate_file and key_file belong together: set both or none",
    );
  }
  const asked = text("client_certificates");
  if (asked !== "none" && !isSecured) {
    blame("client_certificates", `"${asked}" needs TLS: set admin.certificate_file`);
  }
  if (asked !== "none" && text("ca_file") === "") {
    blame("client_certificates", `"${asked}" needs admin.ca_file to judge them by`);
  }
  for (const name of asked === "none" ? ["ca_file", "crl_file"] : []) {
    if (text(name) === "") continue;
    const advice = 'set admin.client_certificates = "required" or "optional"';
    blame(name, `has no effect while nobody is asked for a certificate: ${advice}`);
  }
  const reach = reachProblem(table);
  if (reach !== null) blame("address", reach);
  return problems;
}

/** What the broker tells, and what can be done to it, is not for everybody on the network. */
function reachProblem({ values }: CheckedTable): string | null {
  const address = values.get("address");
  if (address === undefined || address.value === "") return null;
  const parsed = parseListenAddress(String(address.value));
  if ("problem" in parsed || isLoopbackHost(parsed.host)) return null;
  const reached = `${address.raw} can be reached from other machines and`;
  const hasTokens = values.get("tokens_file")?.value !== "";
  if (!hasTokens && values.get("metrics_token_sha256")?.value === "") {
    return `${reached} nobody is asked for a token: set admin.tokens_file or ` +
      "admin.metrics_token_sha256, or use a loopback address";
  }
  if (!hasTokens || values.get("certificate_file")?.value !== "") return null;
  return `${reached} tokens would cross the network in the clear: set admin.certificate_file, ` +
    "or use a loopback address behind a proxy with TLS";
}
