/** Sparkplug DataTypes: their numbers, names and the field of a metric that carries them. */

/** Where a metric's value stands; the numbers are those of the fields of Metric. */
export const ValueField = {
  none: 0,
  int: 10,
  long: 11,
  float: 12,
  double: 13,
  boolean: 14,
  string: 15,
  bytes: 16,
  dataSet: 17,
  template: 18,
  extension: 19,
} as const;

/** DataTypes by number, as they are called in the specification. */
export const DATA_TYPE_NAMES: readonly string[] = [
  "Unknown",
  "Int8",
  "Int16",
  "Int32",
  "Int64",
  "UInt8",
  "UInt16",
  "UInt32",
  "UInt64",
  "Float",
  "Double",
  "Boolean",
  "String",
  "DateTime",
  "Text",
  "UUID",
  "DataSet",
  "Bytes",
  "File",
  "Template",
  "PropertySet",
  "PropertySetList",
  "Int8Array",
  "Int16Array",
  "Int32Array",
  "Int64Array",
  "UInt8Array",
  "UInt16Array",
  "UInt32Array",
  "UInt64Array",
  "FloatArray",
  "DoubleArray",
  "BooleanArray",
  "StringArray",
  "DateTimeArray",
];

/** Numbers of the DataTypes that rules name. */
export const DataType = {
  int32: 3,
  int64: 4,
  uint32: 7,
  uint64: 8,
  boolean: 11,
  string: 12,
  template: 19,
  propertySet: 20,
  propertySetList: 21,
} as const;

/** The field of Metric by DataType; 0 where a metric cannot have it. */
const METRIC_FIELDS = Uint8Array.from(
  // deno-fmt-ignore
  [
    0, 10, 10, 10, 11, 10, 10, 10, 11, 12, 13, 14, 15, 11, 15, 15, 17, 16, 16, 18, 0, 0,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
  ],
);

/** The field of Metric that carries this DataType; 0 if no metric can have it. */
export function metricField(dataType: number): number {
  return dataType < METRIC_FIELDS.length ? METRIC_FIELDS[dataType]! : 0;
}

/** Types of DataSet columns, Template parameters and plain properties. */
export function isBasicType(dataType: number): boolean {
  return dataType >= 1 && dataType <= 14;
}

/** Types of properties. */
export function isPropertyType(dataType: number): boolean {
  return isBasicType(dataType) || dataType === DataType.propertySet ||
    dataType === DataType.propertySetList;
}

/** The name of a DataType, or its number where it has none. */
export function dataTypeName(dataType: number): string {
  return DATA_TYPE_NAMES[dataType] ?? `DataType ${dataType}`;
}
