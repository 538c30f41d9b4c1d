/** Whether the ports are free, or listened on by the broker itself. */
import { type Config, type ListenAddress, parseListenAddress } from "../config/mod.ts";
import { type Finding, Findings, reasonOf } from "./finding.ts";

const HEALTH_MS = 2_000;

/** Findings about all listeners and the admin listener; `isHeld`: a broker uses the data directory. */
export async function portFindings(
  { listeners, admin }: Config,
  { isHeld }: { isHeld: boolean },
): Promise<readonly Finding[]> {
  const findings = new Findings("port");
  for (const { address } of listeners) look(`listener ${address}`, { address, isHeld, findings });
  if (admin.address === "") return findings.all;
  look(`admin listener ${admin.address}`, { address: admin.address, isHeld, findings });
  if (isHeld) await tellHealth(admin.address, findings);
  return findings.all;
}

function look(
  name: string,
  { address, isHeld, findings }: { address: string; isHeld: boolean; findings: Findings },
): void {
  const parsed = parseListenAddress(address);
  if ("problem" in parsed) return;
  if (parsed.port === 0) return findings.ok(`${name}: the system chooses the port`);
  const problem = problemOf(parsed);
  if (problem === null) {
    if (!isHeld) return findings.ok(`${name}: free`);
    const fix = "was it started with another configuration? restart it with this one";
    return findings.warning(`${name}: the broker that runs does not listen there`, fix);
  }
  if (!(problem instanceof Deno.errors.AddrInUse)) {
    return findings.error(`${name}: ${reasonOf(problem)}`, fixOf(problem));
  }
  if (isHeld) return findings.ok(`${name}: in use, and a broker runs with this data directory`);
  const fix = `stop who listens there ("ss -ltnp" tells who), or choose another port`;
  findings.error(`${name}: another program listens there`, fix);
}

/** Why one cannot listen there; null if one can, which nobody notices. */
function problemOf({ host, port }: ListenAddress): unknown {
  try {
    Deno.listen({ hostname: host, port }).close();
    return null;
  } catch (error) {
    return error;
  }
}

function fixOf(problem: unknown): string {
  if (problem instanceof Deno.errors.AddrNotAvailable) {
    return "no interface of this machine has this address: correct it, or use 0.0.0.0";
  }
  return "ports below 1024 need AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit file";
}

/** What the broker says of itself. */
async function tellHealth(address: string, findings: Findings): Promise<void> {
  const name = `admin listener ${address}`;
  try {
    const answer = await readyAnswer(reachable(address));
    if (answer.startsWith("HTTP/1.1 200 ")) {
      return findings.ok(`${name}: the broker says that it is ready`);
    }
    const [status = ""] = answer.split("\r\n", 1);
    const body = answer.slice(answer.indexOf("\r\n\r\n")).trim().replaceAll("\n", "; ");
    const text = `the broker is not ready: ${status}: ${body.slice(0, 200)}`;
    findings.warning(`${name}: ${text}`, "the log of the broker says more");
  } catch (error) {
    findings.note(`${name}: gives no answer: ${reasonOf(error)}`);
  }
}

/** Without `fetch`, which might ask a proxy for what is on this machine. */
async function readyAnswer(address: string): Promise<string> {
  const parsed = parseListenAddress(address);
  if ("problem" in parsed) throw new Error(parsed.problem);
  using socket = await Deno.connect({ hostname: parsed.host, port: parsed.port });
  const timer = setTimeout(() => socket.close(), HEALTH_MS);
  try {
    const request = `GET /readyz HTTP/1.1\r\nHost: ${address}\r\nConnection: close\r\n\r\n`;
    await socket.write(new TextEncoder().encode(request));
    let answer = "";
    const buffer = new Uint8Array(16_384);
    while (answer.length < buffer.length) {
      const count = await socket.read(buffer);
      if (count === null) break;
      answer += new TextDecoder().decode(buffer.subarray(0, count));
    }
    return answer;
  } finally {
    clearTimeout(timer);
  }
}

/** Who listens on all addresses can be reached on one of this machine. */
function reachable(address: string): string {
  return address.replace(/^0\.0\.0\.0:/, "127.0.0.1:").replace(/^\[::\]:/, "[::1]:");
}
