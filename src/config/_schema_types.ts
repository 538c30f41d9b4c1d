/** What every key of the configuration has, whatever its type. */
interface KeyBase {
  /** The key as it stands in the TOML file, in snake_case, with its unit at the end. */
  readonly name: string;
  /** One paragraph for the example file and the reference. */
  readonly doc: string;
}

/** A whole number between two bounds, both included. */
export interface IntegerKey extends KeyBase {
  readonly type: "integer";
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

/** `true` or `false`. */
export interface BooleanKey extends KeyBase {
  readonly type: "boolean";
  readonly default: boolean;
}

/** One word out of a closed list. */
export interface EnumKey extends KeyBase {
  readonly type: "enum";
  readonly default: string;
  readonly values: readonly string[];
}

/** A string of which `form` says what must be in it. */
export interface StringKey extends KeyBase {
  readonly type: "string";
  readonly default: string;
  readonly form:
    | "listen address"
    | "listen address or nothing"
    | "path"
    | "path or nothing"
    | "sha256 or nothing"
    | "url or nothing"
    | "addresses"
    | "log levels"
    | "text";
}

/** One key of the configuration. */
export type KeySchema = IntegerKey | BooleanKey | EnumKey | StringKey;

/** One table of the configuration; `repeated` ones are written `[[name]]` and may stand many times. */
export interface TableSchema {
  readonly name: string;
  readonly repeated: boolean;
  readonly doc: string;
  readonly keys: readonly KeySchema[];
}

/** The spelling in code of a name in the file: `connect_timeout_ms` is `connectTimeoutMs`. */
export type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

type ValueOf<Key extends KeySchema> = Key extends { type: "integer" } ? number
  : Key extends { type: "boolean" } ? boolean
  : Key extends { type: "enum"; values: readonly (infer Word)[] } ? Word
  : string;

type FieldsOf<Table extends TableSchema> = {
  readonly [Key in Table["keys"][number] as CamelCase<Key["name"]>]: ValueOf<Key>;
};

/** The configuration's type as the schema tells it; it must be the same as the written interface. */
export type DerivedConfig<Schema extends readonly TableSchema[]> = {
  readonly [Table in Schema[number] as CamelCase<Table["name"]>]: Table["repeated"] extends true
    ? readonly FieldsOf<Table>[]
    : FieldsOf<Table>;
};

/** `true` where each of the two types can stand for the other, else `false`. */
export type SameType<A, B> = [A] extends [B] ? [B] extends [A] ? true : false : false;

/** Rewrites a snake_case name of the file in the camelCase of the code. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Rewrites a name in any usual spelling (`connectTimeoutMs`, `Connect-Timeout-ms`) in snake_case. */
export function snakeCase(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/[- ]/g, "_").toLowerCase();
}
