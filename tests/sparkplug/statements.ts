/**
 * The statements of the Sparkplug specification 3.0.0 by their identifiers, and on which packets a
 * server can tell whether they hold. Names of tests carry the identifiers; `deno task conformance`
 * joins the two. Of statements whose identifier is printed in two forms the one of the anchor is here.
 */
import * as ids from "./_statement_ids.ts";

/** One statement. */
export interface SparkplugStatement {
  /** In full: `tck-id-payloads-nbirth-qos`. */
  readonly id: string;
  /** Whose part it is: the server's own, or one that a server can judge by its traffic. */
  readonly part: "server" | "traffic";
  /** Where it shows. */
  readonly where: string;
  /** Why no server can tell; null where one can. */
  readonly notObservable: string | null;
}

/** All statements. */
export const SPARKPLUG_STATEMENTS: readonly SparkplugStatement[] = [
  ...group({ part: "server", where: "the server itself" }, ids.SERVER),
  ...group({ part: "traffic", where: "topics and identity" }, ids.TOPICS),
  ...group({ part: "traffic", where: "CONNECT of an Edge Node" }, ids.CONNECT),
  ...group({ part: "traffic", where: "SUBSCRIBE of an Edge Node" }, ids.SUBSCRIBE),
  ...group({ part: "traffic", where: "NBIRTH" }, ids.NBIRTH),
  ...group({ part: "traffic", where: "DBIRTH" }, ids.DBIRTH),
  ...group({ part: "traffic", where: "NDATA and DDATA" }, ids.DATA),
  ...group({ part: "traffic", where: "NDEATH, DDEATH and DISCONNECT" }, ids.DEATHS),
  ...group({ part: "traffic", where: "NCMD and DCMD" }, ids.COMMANDS),
  ...group({ part: "traffic", where: "payloads of all kinds" }, ids.PAYLOADS),
  ...group({ part: "traffic", where: "Host Applications and STATE" }, ids.HOSTS),
  ...hidden("what a Host Application does inside; no packet tells", ids.INSIDE_HOSTS),
  ...hidden("takes more than one server to see", ids.MANY_SERVERS),
  ...hidden("MQTT 5 only; this server speaks 3.1.1", ids.MQTT_5),
  ...hidden("whether a Device is lost is known to its Edge Node alone", ids.INSIDE_EDGE_NODES),
];

/** Identifiers in the name of a test. */
export function tckIdsOf(testName: string): string[] {
  return [...testName.matchAll(/\btck-id-[A-Za-z0-9-]*[A-Za-z0-9]/g)].map(([id]) => id);
}

function group(
  { part, where }: Pick<SparkplugStatement, "part" | "where">,
  list: string,
): SparkplugStatement[] {
  return fullIds(list).map((id) => ({ id, part, where, notObservable: null }));
}

function hidden(notObservable: string, list: string): SparkplugStatement[] {
  const where = "no packet that reaches the server";
  return fullIds(list).map((id) => ({ id, part: "traffic", where, notObservable }));
}

function fullIds(list: string): string[] {
  return list.split(/\s+/).filter((id) => id !== "").map((id) => `tck-id-${id}`);
}
