/** What stands between a client and a broker: TLS, passwords, access rules. */

import { type CertificateFiles, makeCertificates } from "./certificates.ts";
import type { Login } from "./packets.ts";
import type { Target } from "./wire.ts";

/** Guards of a broker; it has none but these. */
export interface Guards {
  /** "mutual": the client shows a certificate as well. */
  tls?: "server" | "mutual";
  /** RelayQ only: so many access rules, each of them for everybody. */
  rules?: number;
  /** RelayQ only: the one user there is. The hash is what `relayq passwd` makes by default. */
  login?: Login;
}

/** Their files, as a broker's configuration names them. */
export interface GuardFiles {
  tls?: { files: CertificateFiles; mutual: boolean };
  accessFile?: string;
  passwordFile?: string;
}

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const encoder = new TextEncoder();

/** Makes the files in this directory. */
export async function makeGuards(guards: Guards, directory: string): Promise<GuardFiles> {
  const files: GuardFiles = {};
  if (guards.tls !== undefined) {
    files.tls = { files: await makeCertificates(directory), mutual: guards.tls === "mutual" };
  }
  if (guards.rules !== undefined) {
    files.accessFile = `${directory}/access`;
    await Deno.writeTextFile(files.accessFile, accessRules(guards.rules));
  }
  if (guards.login !== undefined) {
    files.passwordFile = `${directory}/passwords`;
    await addUser(files.passwordFile, guards.login);
  }
  return files;
}

/** What a client needs to get past them. */
export async function targetOf(
  port: number,
  { guards, files }: { guards: Guards; files: GuardFiles },
): Promise<Target> {
  const target: Target = { port };
  if (guards.login !== undefined) target.login = guards.login;
  if (files.tls === undefined) return target;
  const { authority, client: { certificate, key } } = files.tls.files;
  target.tls = { authority: await Deno.readTextFile(authority) };
  if (files.tls.mutual) {
    target.tls.own = {
      certificate: await Deno.readTextFile(certificate),
      key: await Deno.readTextFile(key),
    };
  }
  return target;
}

/**
 * Rules of all kinds, for everybody, of which one allows the work: whole texts, wildcards at the
 * beginning and in the middle, substitutions, and one rule that denies for each three that allow.
 * Some deny what lies beside the topics of the work, so that a subscription to all of them has its
 * deliveries checked one by one.
 */
export function accessRules(count: number): string {
  const lines = ["everyone", "allow all bench/#"];
  for (let index = 0; lines.length <= count; index++) {
    lines.push(ruleOf(index));
  }
  return lines.join("\n") + "\n";
}

function ruleOf(index: number): string {
  const number = String(index).padStart(4, "0");
  switch (index % 8) {
    case 0:
      return `allow publish,read plant/line-${number}/+/state`;
    case 1:
      return `allow all +/cell-${number}/#`;
    case 2:
      return `deny publish,read bench/+/secret-${number}`;
    case 3:
      return `allow subscribe,read bench/%c/${number}/#`;
    case 4:
      return `allow publish %c/${number}`;
    case 5:
      return `allow read plant/+/+/sensor-${number}/#`;
    case 6:
      return `deny publish,read +/+/vault-${number}/#`;
    default:
      return `allow publish plant/area-${number}/setpoint`;
  }
}

async function addUser(file: string, { userName, password }: Login): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, "passwd", "add", file, userName, "--password-stdin"],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(encoder.encode(`${password}\n`));
  await writer.close();
  const { success, stderr } = await child.output();
  if (success) return;
  throw new Error(`Cannot make a password file: ${new TextDecoder().decode(stderr)}`);
}
