/** Full decoding by protobufjs, which is loaded only where somebody wants it. */
import type { Type } from "protobufjs";
import type {
  DataSet,
  MetaData,
  Metric,
  Parameter,
  Payload,
  PropertySet,
  PropertyValue,
  Template,
  Uint64,
  Value,
} from "./payload.ts";
import { PayloadGuard } from "./payload_guard.ts";
import { PAYLOAD_LIMITS, type PayloadLimits } from "./payload_limits.ts";
import { SCHEMA } from "./payload_schema.ts";

/** A payload, or why there is none. */
export type DecodedPayload =
  | { readonly payload: Payload; readonly illFormedVersion: boolean }
  | { readonly problem: string };

/** Decodes payloads within limits. */
export class PayloadCodec {
  readonly limits: PayloadLimits;
  readonly #type: Type;
  readonly #guard: PayloadGuard;
  readonly #nowMs: () => number;
  /** Payloads decoded in full, and the time that took. */
  decoded = 0;
  decodingMs = 0;

  private constructor(type: Type, limits: PayloadLimits, nowMs: () => number) {
    this.#type = type;
    this.limits = limits;
    this.#guard = new PayloadGuard(limits);
    this.#nowMs = nowMs;
  }

  /** Loads protobufjs and builds the schema. */
  static async load(
    limits: PayloadLimits = PAYLOAD_LIMITS,
    nowMs: () => number = noClock,
  ): Promise<PayloadCodec> {
    const { default: protobuf } = await import("protobufjs");
    const root = protobuf.Root.fromJSON({ nested: schemaJson() });
    return new PayloadCodec(root.lookupType("Payload"), limits, nowMs);
  }

  /** Decodes `bytes[start, end)`. */
  decode(bytes: Uint8Array, start = 0, end = bytes.length): DecodedPayload {
    const beginMs = this.#nowMs();
    const decoded = this.#decode(bytes, start, end);
    this.decoded++;
    this.decodingMs += this.#nowMs() - beginMs;
    return decoded;
  }

  #decode(bytes: Uint8Array, start: number, end: number): DecodedPayload {
    const { problem, illFormedVersion } = this.#guard.check(bytes, start, end);
    if (problem !== null) return { problem };
    try {
      const message = this.#type.decode(bytes.subarray(start, end));
      return { payload: payloadOf(message as unknown as Fields), illFormedVersion };
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  }
}

/** Where nobody wants to know how long it takes. */
function noClock(): number {
  return 0;
}

/** The schema in the JSON form of protobufjs. */
function schemaJson(): Record<string, { fields: Record<string, { id: number; type: string }> }> {
  return Object.fromEntries([...SCHEMA].map(([name, schema]) => {
    const fields: Record<string, { id: number; type: string; rule?: string }> = {};
    const values: string[] = [];
    for (const field of schema) {
      if (field === undefined) continue;
      fields[field.name] = { id: field.id, type: field.type };
      if (field.repeated) fields[field.name]!.rule = "repeated";
      if (field.oneof) values.push(field.name);
    }
    const oneofs = values.length === 0 ? {} : { oneofs: { value: { oneof: values } } };
    // The edition decides that an absent field is not a field with a default value.
    return [name, { edition: "proto2", fields, ...oneofs }];
  }));
}

/** A message of protobufjs: own properties are what was on the wire. */
type Fields = Readonly<Record<string, unknown>>;

/** A uint64 of protobufjs. */
interface Long {
  readonly low: number;
  readonly high: number;
}

function own<T>(fields: Fields, name: string): T | null {
  return Object.hasOwn(fields, name) ? fields[name] as T : null;
}

function uint64(fields: Fields, name: string): Uint64 | null {
  const long = own<Long>(fields, name);
  return long === null ? null : (BigInt(long.high >>> 0) << 32n) | BigInt(long.low >>> 0);
}

function list(fields: Fields, name: string): readonly Fields[] {
  return own<readonly Fields[]>(fields, name) ?? [];
}

function payloadOf(fields: Fields): Payload {
  return {
    timestamp: uint64(fields, "timestamp"),
    metrics: list(fields, "metrics").map(metricOf),
    seq: uint64(fields, "seq"),
    uuid: own(fields, "uuid"),
    body: own(fields, "body"),
  };
}

function metricOf(fields: Fields): Metric {
  const metadata = own<Fields>(fields, "metadata");
  const properties = own<Fields>(fields, "properties");
  return {
    name: own(fields, "name"),
    alias: uint64(fields, "alias"),
    timestamp: uint64(fields, "timestamp"),
    dataType: own(fields, "datatype"),
    isHistorical: own<boolean>(fields, "is_historical") ?? false,
    isTransient: own<boolean>(fields, "is_transient") ?? false,
    isNull: own<boolean>(fields, "is_null") ?? false,
    metadata: metadata === null ? null : metaDataOf(metadata),
    properties: properties === null ? null : propertySetOf(properties),
    value: valueOf(fields),
  };
}

function metaDataOf(fields: Fields): MetaData {
  return {
    isMultiPart: own(fields, "is_multi_part"),
    contentType: own(fields, "content_type"),
    size: uint64(fields, "size"),
    seq: uint64(fields, "seq"),
    fileName: own(fields, "file_name"),
    fileType: own(fields, "file_type"),
    md5: own(fields, "md5"),
    description: own(fields, "description"),
  };
}

function propertySetOf(fields: Fields): PropertySet {
  return {
    keys: own<readonly string[]>(fields, "keys") ?? [],
    values: list(fields, "values").map(propertyOf),
  };
}

function propertyOf(fields: Fields): PropertyValue {
  return {
    type: own(fields, "type"),
    isNull: own<boolean>(fields, "is_null") ?? false,
    value: valueOf(fields),
  };
}

function dataSetOf(fields: Fields): DataSet {
  return {
    numOfColumns: uint64(fields, "num_of_columns"),
    columns: own<readonly string[]>(fields, "columns") ?? [],
    types: own<readonly number[]>(fields, "types") ?? [],
    rows: list(fields, "rows").map((row) => list(row, "elements").map(valueOf)),
  };
}

function templateOf(fields: Fields): Template {
  return {
    version: own(fields, "version"),
    metrics: list(fields, "metrics").map(metricOf),
    parameters: list(fields, "parameters").map(parameterOf),
    templateRef: own(fields, "template_ref"),
    isDefinition: own(fields, "is_definition"),
  };
}

function parameterOf(fields: Fields): Parameter {
  return { name: own(fields, "name"), type: own(fields, "type"), value: valueOf(fields) };
}

/** The last value on the wire: `value`, the name of the oneof, is a getter that gives its field. */
function valueOf(fields: Fields): Value | null {
  const name = fields["value"] as string | undefined;
  if (name === undefined) return null;
  const value = fields[name];
  switch (name) {
    case "int_value":
      return { kind: "int", value: value as number };
    case "long_value":
      return { kind: "long", value: uint64(fields, name)! };
    case "float_value":
      return { kind: "float", value: value as number };
    case "double_value":
      return { kind: "double", value: value as number };
    case "boolean_value":
      return { kind: "boolean", value: value as boolean };
    case "string_value":
      return { kind: "string", value: value as string };
    case "bytes_value":
      return { kind: "bytes", value: value as Uint8Array };
    case "dataset_value":
      return { kind: "dataSet", value: dataSetOf(value as Fields) };
    case "template_value":
      return { kind: "template", value: templateOf(value as Fields) };
    case "propertyset_value":
      return { kind: "propertySet", value: propertySetOf(value as Fields) };
    case "propertysets_value": {
      const sets = list(value as Fields, "propertyset").map(propertySetOf);
      return { kind: "propertySetList", value: sets };
    }
    default:
      return { kind: "extension", value: null };
  }
}
