/**
 * What a file is, told from its bytes before SQLite sees it: SQLite deletes a log whose database is
 * empty, ignores what stands behind a broken frame of a log, moves a log to the database when it
 * closes, and opens some damaged files only to fail at the first commit. Nothing here writes.
 *
 * The rule: the path is ours, so what stands there is ours and damaged unless there is evidence that
 * it belongs to somebody else. Evidence is a valid SQLite header that names another program or a
 * plausible newer version of this one, or one that names nobody in front of a schema that has tables,
 * but not ours. At least two tables with the names of ours outweigh a header without our mark.
 */
import { DatabaseSync } from "node:sqlite";
import { PageMap } from "./salvage/page_map.ts";
import { PageSource } from "./salvage/page_source.ts";
import { ROW_SHAPES } from "./salvage/row_shapes.ts";
import { problemOf, StoreError } from "./sqlite_problem.ts";
import { APPLICATION_ID, SCHEMA_VERSION } from "./sqlite_schema.ts";

/** A version beyond this is not a newer one but a broken number. */
const PLAUSIBLE_VERSIONS_AHEAD = 100;
const WAL_HEADER_BYTES = 32;
/** Two are no coincidence. */
const OUR_TABLES_MIN = 2;
/** Read and write version of the file format: rollback journal or write-ahead log. */
const FILE_FORMATS_MAX = 2;

/**
 * Why a file must not be opened, as an error; null if SQLite may have a look. `syncsCommits`: each
 * commit was on the disk before the next began, unless something is damaged.
 */
export function verdictOn(
  path: string,
  { syncsCommits }: { readonly syncsCommits: boolean },
): StoreError | null {
  const mainBytes = sizeOf(path);
  const walBytes = sizeOf(`${path}-wal`);
  // SQLite says better what is wrong with something that is no file.
  if (mainBytes === null || walBytes === null) return null;
  // It takes a single byte for nothing, too.
  if (mainBytes <= 1) {
    if (walBytes <= WAL_HEADER_BYTES) return null;
    return new StoreError("damaged", "the database is empty or missing, and its log is not");
  }
  if (isLocked(path)) return new StoreError("locked", "another process has it open");
  const source = PageSource.open(path);
  try {
    return headerVerdict(source) ?? contentVerdict(source, syncsCommits);
  } finally {
    source.close();
  }
}

/**
 * Whether somebody has the database open. To be asked first: the locks of a process on a file end
 * when it closes the file anywhere. A lock for reading only cannot be kept, so nothing is changed.
 */
function isLocked(path: string): boolean {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    // Given options, the runtime waits for five seconds, whatever they say.
    database.exec("PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE");
    database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get();
  } catch (error) {
    return problemOf(error).kind === "locked";
  } finally {
    database?.close();
  }
  return false;
}

function headerVerdict(source: PageSource): StoreError | null {
  if (!source.hasHeader) return new StoreError("damaged", "the file does not begin as a database");
  const page = source.page(1);
  const header = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const id = header.getUint32(68);
  const version = header.getInt32(60);
  if (id !== APPLICATION_ID) return markVerdict(source, { id, version });
  if (version > SCHEMA_VERSION + PLAUSIBLE_VERSIONS_AHEAD || version < 1) {
    return new StoreError("damaged", `its schema version is ${version}, which cannot be`);
  }
  if (version > SCHEMA_VERSION) {
    const known = `this program knows versions up to ${SCHEMA_VERSION}`;
    return new StoreError("foreign", `its schema version is ${version}, ${known}`);
  }
  // SQLite would open a file of an unknown format, and refuse every commit later.
  if (Math.max(page[18]!, page[19]!) > FILE_FORMATS_MAX || page[18] === 0 || page[19] === 0) {
    return new StoreError("damaged", "the header names a format of the file that does not exist");
  }
  return null;
}

/** What a file without our mark is. */
function markVerdict(
  source: PageSource,
  { id, version }: { id: number; version: number },
): StoreError | null {
  const { roots, isBroken } = new PageMap(source).schema;
  const ours = ROW_SHAPES.filter(({ root }) => roots.has(root));
  if (ours.length >= OUR_TABLES_MIN) return new StoreError("damaged", "the header is damaged");
  const isClaimed = id !== 0 || roots.size > 0 || (version !== 0 && !isBroken);
  if (isClaimed) return new StoreError("foreign", "the file is not a RelayQ database");
  return isBroken ? new StoreError("damaged", "the schema cannot be read") : null;
}

/** What SQLite does not see. */
function contentVerdict(source: PageSource, syncsCommits: boolean): StoreError | null {
  const { wal, fileBytes, pageBytes } = source;
  if (syncsCommits && wal.lateCommits >= 2) {
    return new StoreError("damaged", "the log is broken in front of commits that are whole");
  }
  // A crash may leave a part of a page at the end, but then the log has the page.
  const isCut = fileBytes % pageBytes !== 0 && !wal.pages.has(Math.ceil(fileBytes / pageBytes));
  if (isCut || lacksPages(source)) return new StoreError("damaged", "the file is cut off");
  return null;
}

/**
 * Whether the file ends before its last page. SQLite takes zeros for the rest, which are a valid end
 * of a long row; it checks the length itself where there is no log.
 */
function lacksPages(source: PageSource): boolean {
  const lacking: number[] = [];
  for (let number = source.pageCount; number * source.pageBytes > source.fileBytes; number--) {
    if (!source.has(number)) lacking.push(number);
  }
  if (lacking.length === 0) return false;
  // A page that was freed as soon as it was allocated is written nowhere.
  const map = new PageMap(source);
  return lacking.some((number) => !map.isFree(number));
}

/** Bytes of a file; 0 if there is none, null if it is something else or hidden from us. */
function sizeOf(path: string): number | null {
  try {
    const { isFile, size } = Deno.statSync(path);
    return isFile ? size : null;
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? 0 : null;
  }
}
