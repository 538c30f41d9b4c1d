/** What the first bytes of a database file say, without opening it: nobody who has it open notices. */
import { APPLICATION_ID, SCHEMA_VERSION } from "./sqlite_schema.ts";

/** The header of a database of ours. */
export interface DatabaseHeader {
  /** Null where the file alone does not tell: a new one, whose content is in its log still. */
  readonly schemaVersion: number | null;
  /** Whether the broker will bring it to the present version at its next start. */
  readonly isOld: boolean;
}

// https://sqlite.org/fileformat.html#the_database_header
const HEADER_BYTES = 100;
const MAGIC = "SQLite format 3\0";
const USER_VERSION_AT = 60;
const APPLICATION_ID_AT = 68;

/** Reads the header; says why the file cannot be used. Throws where it cannot be read. */
export async function readDatabaseHeader(
  path: string,
): Promise<DatabaseHeader | { readonly problem: string }> {
  using file = await Deno.open(path, { read: true });
  const header = new Uint8Array(HEADER_BYTES);
  let length = 0;
  for (let count: number | null = 0; count !== null && length < HEADER_BYTES; length += count) {
    count = await file.read(header.subarray(length));
    if (count === null) break;
  }
  if (length === 0) return { schemaVersion: null, isOld: false };
  const magic = new TextDecoder("latin1").decode(header.subarray(0, MAGIC.length));
  if (length < HEADER_BYTES || magic !== MAGIC) return { problem: "it is no SQLite database" };
  const view = new DataView(header.buffer);
  const schemaVersion = view.getUint32(USER_VERSION_AT);
  if (view.getUint32(APPLICATION_ID_AT) !== APPLICATION_ID && schemaVersion !== 0) {
    return { problem: "it is not a RelayQ database" };
  }
  if (schemaVersion > SCHEMA_VERSION) {
    const text = `its schema version is ${schemaVersion}`;
    return { problem: `${text}, this program knows versions up to ${SCHEMA_VERSION}` };
  }
  if (schemaVersion === 0) return { schemaVersion: null, isOld: false };
  return { schemaVersion, isOld: schemaVersion < SCHEMA_VERSION };
}
