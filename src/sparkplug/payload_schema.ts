/** Messages and fields of a Sparkplug payload (proto2), for the full decoder and for the guard. */

/** Types of fields that are no message. */
export type ScalarType = "uint32" | "uint64" | "bool" | "float" | "double" | "string" | "bytes";

/** Messages of the schema. */
export type MessageName =
  | "Payload"
  | "Metric"
  | "MetaData"
  | "PropertySet"
  | "PropertyValue"
  | "PropertySetList"
  | "DataSet"
  | "Row"
  | "DataSetValue"
  | "Template"
  | "Parameter"
  | "Extension";

/** One field. */
export interface FieldSchema {
  readonly name: string;
  readonly id: number;
  readonly type: ScalarType | MessageName;
  readonly repeated: boolean;
  /** Whether it is one of those of which only the last one counts. */
  readonly oneof: boolean;
}

/** A field as it is written below: its type; `…[]` if it is repeated, `?…` if it is a value. */
type Notation = string;

const NOTATION: Readonly<
  Record<MessageName, Readonly<Record<string, readonly [number, Notation]>>>
> = {
  Payload: {
    timestamp: [1, "uint64"],
    metrics: [2, "Metric[]"],
    seq: [3, "uint64"],
    uuid: [4, "string"],
    body: [5, "bytes"],
  },
  Metric: {
    name: [1, "string"],
    alias: [2, "uint64"],
    timestamp: [3, "uint64"],
    datatype: [4, "uint32"],
    is_historical: [5, "bool"],
    is_transient: [6, "bool"],
    is_null: [7, "bool"],
    metadata: [8, "MetaData"],
    properties: [9, "PropertySet"],
    int_value: [10, "?uint32"],
    long_value: [11, "?uint64"],
    float_value: [12, "?float"],
    double_value: [13, "?double"],
    boolean_value: [14, "?bool"],
    string_value: [15, "?string"],
    bytes_value: [16, "?bytes"],
    dataset_value: [17, "?DataSet"],
    template_value: [18, "?Template"],
    extension_value: [19, "?Extension"],
  },
  MetaData: {
    is_multi_part: [1, "bool"],
    content_type: [2, "string"],
    size: [3, "uint64"],
    seq: [4, "uint64"],
    file_name: [5, "string"],
    file_type: [6, "string"],
    md5: [7, "string"],
    description: [8, "string"],
  },
  PropertySet: { keys: [1, "string[]"], values: [2, "PropertyValue[]"] },
  PropertyValue: {
    type: [1, "uint32"],
    is_null: [2, "bool"],
    int_value: [3, "?uint32"],
    long_value: [4, "?uint64"],
    float_value: [5, "?float"],
    double_value: [6, "?double"],
    boolean_value: [7, "?bool"],
    string_value: [8, "?string"],
    propertyset_value: [9, "?PropertySet"],
    propertysets_value: [10, "?PropertySetList"],
    extension_value: [11, "?Extension"],
  },
  PropertySetList: { propertyset: [1, "PropertySet[]"] },
  DataSet: {
    num_of_columns: [1, "uint64"],
    columns: [2, "string[]"],
    types: [3, "uint32[]"],
    rows: [4, "Row[]"],
  },
  Row: { elements: [1, "DataSetValue[]"] },
  DataSetValue: {
    int_value: [1, "?uint32"],
    long_value: [2, "?uint64"],
    float_value: [3, "?float"],
    double_value: [4, "?double"],
    boolean_value: [5, "?bool"],
    string_value: [6, "?string"],
    extension_value: [7, "?Extension"],
  },
  Template: {
    version: [1, "string"],
    metrics: [2, "Metric[]"],
    parameters: [3, "Parameter[]"],
    template_ref: [4, "string"],
    is_definition: [5, "bool"],
  },
  Parameter: {
    name: [1, "string"],
    type: [2, "uint32"],
    int_value: [3, "?uint32"],
    long_value: [4, "?uint64"],
    float_value: [5, "?float"],
    double_value: [6, "?double"],
    boolean_value: [7, "?bool"],
    string_value: [8, "?string"],
    extension_value: [9, "?Extension"],
  },
  Extension: {},
};

/** Fields of every message, by field number. */
export const SCHEMA: ReadonlyMap<MessageName, readonly (FieldSchema | undefined)[]> = new Map(
  Object.entries(NOTATION).map(([name, fields]) => {
    const byNumber: FieldSchema[] = [];
    for (const [field, [id, notation]] of Object.entries(fields)) {
      const type = notation.replace("?", "").replace("[]", "") as FieldSchema["type"];
      const repeated = notation.endsWith("[]");
      byNumber[id] = { name: field, id, type, repeated, oneof: notation.startsWith("?") };
    }
    return [name as MessageName, byNumber];
  }),
);

/** Whether a field's type is one of the messages. */
export function isMessageType(type: FieldSchema["type"]): type is MessageName {
  return SCHEMA.has(type as MessageName);
}
