/** A Sparkplug payload, fully decoded. What the sender left out is null, never a default. */

/** uint64 as a BigInt, so that no bit is lost. */
export type Uint64 = bigint;

/** A message of the topics of Edge Nodes and Devices. */
export interface Payload {
  /** Milliseconds since 1970, UTC. */
  readonly timestamp: Uint64 | null;
  readonly metrics: readonly Metric[];
  readonly seq: Uint64 | null;
  readonly uuid: string | null;
  readonly body: Uint8Array | null;
}

/** One metric. */
export interface Metric {
  readonly name: string | null;
  readonly alias: Uint64 | null;
  readonly timestamp: Uint64 | null;
  readonly dataType: number | null;
  readonly isHistorical: boolean;
  readonly isTransient: boolean;
  readonly isNull: boolean;
  readonly metadata: MetaData | null;
  readonly properties: PropertySet | null;
  readonly value: Value | null;
}

/** A value, by the field it came in. */
export type Value =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "long"; readonly value: Uint64 }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "double"; readonly value: number }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "bytes"; readonly value: Uint8Array }
  | { readonly kind: "dataSet"; readonly value: DataSet }
  | { readonly kind: "template"; readonly value: Template }
  | { readonly kind: "propertySet"; readonly value: PropertySet }
  | { readonly kind: "propertySetList"; readonly value: readonly PropertySet[] }
  | { readonly kind: "extension"; readonly value: null };

/** About a part of a file or of bytes. */
export interface MetaData {
  readonly isMultiPart: boolean | null;
  readonly contentType: string | null;
  readonly size: Uint64 | null;
  readonly seq: Uint64 | null;
  readonly fileName: string | null;
  readonly fileType: string | null;
  readonly md5: string | null;
  readonly description: string | null;
}

/** Keys and values, as they came: the numbers of both may differ. */
export interface PropertySet {
  readonly keys: readonly string[];
  readonly values: readonly PropertyValue[];
}

/** One property. */
export interface PropertyValue {
  readonly type: number | null;
  readonly isNull: boolean;
  readonly value: Value | null;
}

/** A table. */
export interface DataSet {
  readonly numOfColumns: Uint64 | null;
  readonly columns: readonly string[];
  readonly types: readonly number[];
  readonly rows: readonly (readonly (Value | null)[])[];
}

/** A definition of a Template or an instance of one. */
export interface Template {
  readonly version: string | null;
  readonly metrics: readonly Metric[];
  readonly parameters: readonly Parameter[];
  readonly templateRef: string | null;
  readonly isDefinition: boolean | null;
}

/** A parameter of a Template. */
export interface Parameter {
  readonly name: string | null;
  readonly type: number | null;
  readonly value: Value | null;
}
