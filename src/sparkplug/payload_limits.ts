/** Caps of a payload that is decoded in full; what goes beyond them is not decodable. */
export interface PayloadLimits {
  /** Metrics, members of Templates included. */
  readonly metricsMax: number;
  /** Messages within messages: Templates in Templates, property sets in property sets. */
  readonly depthMax: number;
  /** Fields of all messages together. */
  readonly fieldsMax: number;
  readonly stringBytesMax: number;
  /** Bytes that a compressed body may grow to. */
  readonly inflatedBytesMax: number;
}

/** Ample for any real Edge Node: a birth of 20,000 metrics is beyond 1 MiB. */
export const PAYLOAD_LIMITS: PayloadLimits = {
  metricsMax: 20_000,
  // A Template within a Template costs two levels, a table in a metric four.
  depthMax: 16,
  fieldsMax: 400_000,
  stringBytesMax: 262_144,
  inflatedBytesMax: 4_194_304,
};
