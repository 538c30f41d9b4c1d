/** One run of a client from its connection to its end, with a signal in between. */
import type { ClientSettings, MqttClient } from "../client/mod.ts";
import { terminationSignal } from "../system/mod.ts";
import type { CliIo } from "./cli_io.ts";
import type { ParsedArguments } from "./_command.ts";
import {
  type ClientTarget,
  EXIT_CODE_OF,
  isProblem,
  numberOf,
  refuseOptions,
  targetOf,
  willOf,
} from "./_client_options.ts";
import { printable } from "./_format.ts";
import { EXIT_CODE } from "./exit_code.ts";

/** What a command adds to the options that all clients have. */
export interface SessionPlan {
  /** The command. */
  readonly name: string;
  readonly clientIdentifier: string;
  readonly cleanSession?: boolean;
  readonly received?: ClientSettings["received"];
  /** Does the work and gives the exit code; the connection is ended behind it. */
  work(client: MqttClient): Promise<number>;
  /** What to say when a signal ends it before, and the exit code. */
  interrupted(): number;
}

/** Connects, works and disconnects; tells what goes wrong. Resolves to the exit code. */
export async function runSession(
  args: ParsedArguments,
  io: CliIo,
  plan: SessionPlan,
): Promise<number> {
  const target = await targetOf(args, io);
  if (isProblem(target)) return refuseOptions(plan.name, target, io);
  const will = willOf(args);
  if (isProblem(will)) return refuseOptions(plan.name, will, io);
  const keepAliveSeconds = numberOf(args, "keepalive", { preset: 60, min: 0, max: 65_535 });
  if (isProblem(keepAliveSeconds)) return refuseOptions(plan.name, keepAliveSeconds, io);
  const signal = terminationSignal(() => Deno.exit(EXIT_CODE.interrupted));
  const settings = { ...plan, ...target, will, keepAliveSeconds };
  try {
    return await connected(settings, { signal: signal.received, plan });
  } catch (error) {
    const { clientErrorOf } = await import("../client/mod.ts");
    const { kind, message } = clientErrorOf(error);
    io.err(`${failureOf(plan.name)}: ${printable(message)}\n`);
    return EXIT_CODE_OF[kind];
  } finally {
    signal.cancel();
  }
}

function failureOf(name: string): string {
  return `relayq ${name} failed`;
}

async function connected(
  { cleanSession = true, received, stream: target, ...settings }:
    & SessionPlan
    & ClientTarget
    & Pick<ClientSettings, "will" | "keepAliveSeconds">,
  { signal, plan }: { signal: Promise<string>; plan: SessionPlan },
): Promise<number> {
  // Only here, so that the other commands do not wait for it to be loaded.
  const { MqttClient, openStream } = await import("../client/mod.ts");
  const opening = openStream(target, settings.timeoutMs).then((stream) =>
    MqttClient.connect(stream, {
      ...settings,
      cleanSession,
      ...(received !== undefined && { received }),
    })
  );
  const stopped = signal.then(() => null);
  const client = await Promise.race([opening, stopped]);
  if (client === null) {
    opening.then((late) => late.disconnect(), () => {});
    return plan.interrupted();
  }
  const failed = client.ended.then((error) => {
    if (error !== null) throw error;
    return null;
  });
  failed.catch(() => {}); // It may come when nobody waits for it any more.
  try {
    const code = await Promise.race([plan.work(client), stopped, failed]);
    return code ?? plan.interrupted();
  } finally {
    await client.disconnect();
  }
}
