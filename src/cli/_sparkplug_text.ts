/** Payloads of Sparkplug as JSON, with the names that births have given to aliases. */
import type { PublishPacket } from "../mqtt/mod.ts";
import { CERTIFICATE_PREFIX, loadJudging, parseTopic } from "../sparkplug/mod.ts";

type Judging = Awaited<ReturnType<typeof loadJudging>>;
type Codec = Awaited<ReturnType<Judging["PayloadCodec"]["load"]>>;
type Json = ReturnType<Judging["payloadJson"]>;

interface BornMetric {
  readonly name: string;
  readonly dataType: number;
}

/** Edge Nodes and Devices whose births are remembered. */
const BIRTHS_MAX = 10_000;

/** Decodes messages one after the other. */
export class SparkplugText {
  readonly #judging: Judging;
  readonly #codec: Codec;
  /** Metrics by alias and by name, of each Edge Node and Device. */
  readonly #births = new Map<string, ReadonlyMap<bigint | string, BornMetric>>();

  private constructor(judging: Judging, codec: Codec) {
    this.#judging = judging;
    this.#codec = codec;
  }

  /** Loads what decodes. */
  static async load(): Promise<SparkplugText> {
    const judging = await loadJudging();
    return new SparkplugText(judging, await judging.PayloadCodec.load());
  }

  /** What a message says; null for one that is none of Sparkplug, or cannot be decoded. */
  decode({ topic, payload }: PublishPacket): Json | null {
    const isCertificate = topic.startsWith(CERTIFICATE_PREFIX);
    const parsed = parseTopic(isCertificate ? topic.slice(CERTIFICATE_PREFIX.length) : topic);
    if (parsed?.kind !== "topic" || parsed.type === "STATE") return null;
    const decoded = this.#codec.decode(payload);
    if ("problem" in decoded) return null;
    const { group, node, device, type } = parsed;
    const key = JSON.stringify([group, node, device]);
    if (type === "NBIRTH" || type === "DBIRTH") this.#remember(key, decoded.payload.metrics);
    const born = this.#births.get(key);
    return this.#judging.payloadJson(decoded.payload, ({ name, alias }) => {
      const known = name ?? alias;
      return known === null ? null : born?.get(known) ?? null;
    });
  }

  #remember(
    key: string,
    metrics: readonly { name: string | null; alias: bigint | null; dataType: number | null }[],
  ): void {
    if (this.#births.size >= BIRTHS_MAX && !this.#births.has(key)) return;
    const born = new Map<bigint | string, BornMetric>();
    for (const { name, alias, dataType } of metrics) {
      if (name === null || dataType === null) continue;
      born.set(name, { name, dataType });
      if (alias !== null) born.set(alias, { name, dataType });
    }
    this.#births.set(key, born);
  }
}
