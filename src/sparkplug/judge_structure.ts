/** DataSets and Templates (4.9), in payloads that are decoded in full. */
import { isBasicType } from "./data_type.ts";
import type { Judgement } from "./judgement.ts";
import type { EdgeNode, TemplateShape } from "./node_state.ts";
import type { DataSet, Metric, Template, Value } from "./payload.ts";
import type { MessageType } from "./topic.ts";

/** What Templates are judged against. */
export interface StructureContext {
  readonly type: MessageType;
  /** Definitions of the NBIRTH: of the one being judged, or of the last one. */
  readonly templates: ReadonlyMap<string, TemplateShape>;
}

const CELL_KINDS: ReadonlySet<string> = new Set([
  "int",
  "long",
  "float",
  "double",
  "boolean",
  "string",
]);

/** Rules of a table. */
export function judgeDataSet(name: string, set: DataSet, judgement: Judgement): void {
  const { numOfColumns, columns, types, rows } = set;
  const width = columns.length;
  if (numOfColumns === null || numOfColumns !== BigInt(width)) {
    const detail = `${name}: ${width} names for ${numOfColumns ?? "no number of"} columns`;
    judgement.breach("dataSetColumns", detail);
  } else {
    const wrong = rows.findIndex((row) => row.length !== width);
    if (wrong >= 0) {
      const detail = `${name}: row ${wrong + 1} has ${rows[wrong]!.length} of ${width} cells`;
      judgement.breach("dataSetColumns", detail);
    }
  }
  if (types.length !== width) {
    judgement.breach("dataSetTypes", `${name}: ${types.length} types for ${width} columns`);
  }
  const unknown = types.find((type) => !isBasicType(type));
  if (unknown !== undefined) judgement.breach("dataSetTypeKnown", `${name}: type ${unknown}`);
  if (rows.some((row) => row.some(isNoCell))) {
    judgement.breach("dataSetCells", `${name}: a cell of another kind`);
  }
}

/** A cell without a value is an empty one. */
function isNoCell(cell: Value | null): boolean {
  return cell !== null && !CELL_KINDS.has(cell.kind);
}

/** Rules of a Template, and of those within it. */
export function judgeTemplate(
  name: string,
  template: Template,
  context: StructureContext & { readonly judgement: Judgement },
): void {
  const { judgement, type } = context;
  const { isDefinition, templateRef } = template;
  if (templateRef === null && isDefinition !== true) {
    judgement.breach("definitionFlag", `${name}: neither a template_ref nor is_definition`);
  }
  if (isDefinition === true) {
    if (templateRef !== null) {
      judgement.breach("definitionRef", `${name}: a definition with a template_ref`);
      if (context.templates.has(templateRef)) {
        judgement.breach("instanceFlag", `${name}: an instance that says it is a definition`);
      }
    }
    if (type !== "NBIRTH") judgement.breach("definitionPlace", `${name}: a definition in ${type}`);
  } else if (templateRef !== null && type !== "NCMD" && type !== "DCMD") {
    judgeInstance(name, template, { ...context, templateRef });
  }
  if (type === "NBIRTH" || type === "DBIRTH") judgeParameters(name, template, judgement);
  for (const { name: member, value } of template.metrics) {
    const inner = `${name}/${member ?? ""}`;
    if (value?.kind === "template") judgeTemplate(inner, value.value, context);
    else if (value?.kind === "dataSet") judgeDataSet(inner, value.value, judgement);
  }
}

function judgeInstance(
  name: string,
  template: Template,
  context: StructureContext & { readonly judgement: Judgement; readonly templateRef: string },
): void {
  const { judgement, templateRef, templates, type } = context;
  const definition = templates.get(templateRef);
  if (definition === undefined) {
    judgement.breach("definitionMissing", `${name}: no definition ${JSON.stringify(templateRef)}`);
    return;
  }
  const { members, parameters } = definition;
  const stranger = template.metrics.find((member) => !members.has(member.name ?? ""));
  if (stranger !== undefined) {
    judgement.breach("definitionMembers", `${name}: ${stranger.name ?? "a member without a name"}`);
  }
  const odd = template.parameters.find((parameter) => !parameters.has(parameter.name ?? ""));
  if (odd !== undefined) judgement.breach("definitionParameters", `${name}: ${odd.name ?? ""}`);
  if (type !== "NBIRTH" && type !== "DBIRTH") return; // data may hold a part of it
  const present = new Set(template.metrics.map((member) => member.name));
  const missing = [...members].find((member) => !present.has(member));
  if (missing !== undefined) judgement.breach("instanceComplete", `${name}: ${missing} is missing`);
}

function judgeParameters(name: string, template: Template, judgement: Judgement): void {
  for (const { name: parameter, type, value } of template.parameters) {
    const where = `${name}: parameter ${parameter ?? ""}`;
    if (parameter === null || parameter === "") judgement.breach("parameterName", where);
    if (type === null || !isBasicType(type)) judgement.breach("parameterType", where);
    if (value !== null && !CELL_KINDS.has(value.kind)) judgement.breach("parameterValue", where);
  }
}

/** Definitions of an NBIRTH, by the name of their metric. */
export function definitionsOf(metrics: readonly Metric[]): Map<string, TemplateShape> {
  const definitions = new Map<string, TemplateShape>();
  for (const { name, value } of metrics) {
    if (name === null || value?.kind !== "template" || value.value.isDefinition !== true) continue;
    definitions.set(name, {
      members: new Set(value.value.metrics.map((member) => member.name ?? "")),
      parameters: new Set(value.value.parameters.map((parameter) => parameter.name ?? "")),
    });
  }
  return definitions;
}

/** The definitions that hold for a message that is no NBIRTH. */
export function structureContext(type: MessageType, node: EdgeNode | null): StructureContext {
  return { type, templates: node?.templates ?? new Map() };
}
