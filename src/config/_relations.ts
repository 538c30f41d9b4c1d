import type { CheckedDocument, CheckedTable } from "./_check_document.ts";
import type { CheckedValue } from "./_check_value.ts";
import type { TomlProblem } from "./_toml_tree.ts";
import { adminProblems } from "./_admin_rules.ts";
import { buildListener } from "./_build_config.ts";
import { listenerProblems } from "./_listener_rules.ts";
import { sparkplugProblems } from "./_sparkplug_rules.ts";

/** What must hold between two numbers for the broker to make sense. */
interface Relation {
  readonly smaller: readonly [table: string, key: string];
  readonly larger: readonly [table: string, key: string];
  /** True if they may not even be equal. */
  readonly strictly: boolean;
}

/** Every relation between two keys. */
export const RELATIONS: readonly Relation[] = [
  {
    smaller: ["outbox", "low_water_bytes"],
    larger: ["outbox", "high_water_bytes"],
    strictly: true,
  },
  { smaller: ["outbox", "high_water_bytes"], larger: ["outbox", "bytes_max"], strictly: false },
  {
    smaller: ["login_guard", "lock_out_ms"],
    larger: ["login_guard", "lock_out_ms_max"],
    strictly: false,
  },
  {
    smaller: ["memory", "refuse_connections_percent"],
    larger: ["memory", "shed_qos0_percent"],
    strictly: true,
  },
  {
    smaller: ["memory", "shed_qos0_percent"],
    larger: ["memory", "shed_queues_percent"],
    strictly: true,
  },
  {
    smaller: ["memory", "shed_queues_percent"],
    larger: ["memory", "shut_down_percent"],
    strictly: true,
  },
  {
    smaller: ["take_over", "damp_ms"],
    larger: ["take_over", "damp_ms_max"],
    strictly: false,
  },
  { smaller: ["queue", "bytes_max"], larger: ["queue", "total_bytes_max"], strictly: false },
  { smaller: ["limits", "packet_bytes_max"], larger: ["queue", "bytes_max"], strictly: false },
  {
    smaller: ["limits", "subscriptions_per_session_max"],
    larger: ["limits", "subscriptions_max"],
    strictly: false,
  },
];

/** Checks what must hold between keys, as far as the keys themselves are right. */
export function checkRelations(
  document: CheckedDocument,
  report: (problem: TomlProblem) => void,
): void {
  for (const relation of RELATIONS) {
    const problem = relationProblem(document, relation);
    if (problem !== undefined) report(problem);
  }
  for (const problem of sparkplugProblems(document)) report(problem);
  const passwordFile = find(document, ["security", "password_file"]);
  const hasPasswords = passwordFile?.valid === true && passwordFile.value !== "";
  const listeners = document.get("listeners") ?? [];
  checkListeners(listeners, hasPasswords, report);
  for (const problem of identityProblems(document, { listeners, hasPasswords })) report(problem);
  for (const problem of adminProblems(document.get("admin")?.[0])) report(problem);
}

/** Who asks for identities that nobody can have would lock everybody out. */
function identityProblems(
  document: CheckedDocument,
  { listeners, hasPasswords }: { listeners: readonly CheckedTable[]; hasPasswords: boolean },
): TomlProblem[] {
  const problems: TomlProblem[] = [];
  const asks = listeners.some(({ values }) => values.get("client_certificates")?.value !== "none");
  const pinFile = find(document, ["security", "pin_file"]);
  if (pinFile?.valid === true && pinFile.value !== "" && !asks) {
    const message = "security.pin_file: nobody can show a certificate: " +
      'set client_certificates = "required" or "optional" of a listener';
    problems.push({ offset: pinFile.offset ?? 0, key: "security.pin_file", message });
  }
  const rule = find(document, ["security", "client_identifier"]);
  if (rule?.valid === true && rule.value !== "any" && !asks && !hasPasswords) {
    const message = `security.client_identifier: ${rule.raw} needs users: ` +
      "set security.password_file, or client_certificates of a listener";
    problems.push({ offset: rule.offset ?? 0, key: "security.client_identifier", message });
  }
  return problems;
}

function relationProblem(
  document: CheckedDocument,
  { smaller, larger, strictly }: Relation,
): TomlProblem | undefined {
  const low = find(document, smaller);
  const high = find(document, larger);
  if (!low?.valid || !high?.valid) return undefined;
  const [lowNumber, highNumber] = [Number(low.value), Number(high.value)];
  if (strictly ? lowNumber < highNumber : lowNumber <= highNumber) return undefined;
  const lowPath = smaller.join(".");
  const highPath = larger.join(".");
  if (low.offset === undefined) {
    const demand = strictly ? "above" : "at least";
    const message = `${highPath}: ${high.raw} must be ${demand} ${lowPath}, by default ${low.raw}`;
    return { offset: high.offset ?? 0, key: highPath, message };
  }
  const demand = strictly ? "below" : "at most";
  const state = high.offset === undefined ? "by default" : "here";
  const message = `${lowPath}: ${low.raw} must be ${demand} ${highPath}, ${state} ${high.raw}`;
  return { offset: low.offset, key: lowPath, message };
}

function find(
  document: CheckedDocument,
  [table, key]: readonly [string, string],
): CheckedValue | undefined {
  return document.get(table)?.[0]?.values.get(key);
}

function checkListeners(
  tables: readonly CheckedTable[],
  hasPasswords: boolean,
  report: (problem: TomlProblem) => void,
): void {
  const valid = tables.filter((table) => [...table.values.values()].every((value) => value.valid));
  const listeners = valid.map(buildListener);
  for (const { index, firstIndex, problem } of listenerProblems(listeners, { hasPasswords })) {
    const place = placeOf(valid[index]);
    report({
      offset: place,
      key: "listeners.address",
      message: `listeners.address: ${problem}`,
      ...(firstIndex === undefined ? {} : { firstOffset: placeOf(valid[firstIndex]) }),
    });
  }
}

/** Where a listener's address stands, or its header if the address is the default. */
function placeOf(table: CheckedTable | undefined): number {
  return table?.values.get("address")?.offset ?? table?.offset ?? 0;
}
