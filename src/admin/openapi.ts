/** The document of the API: OpenAPI 3.1, made of the table of routes. */
import { titleOf } from "./problem.ts";
import type { AnyDefinition } from "./route.ts";
import { integer, type JsonSchema, object, type ScalarFields, text } from "./schema.ts";

/** Statuses of problems that any route may answer with. */
const COMMON_PROBLEMS = [400, 421, 500] as const;
/** Those of routes that not everybody may ask. */
const GUARDED_PROBLEMS = [401, 403, 429] as const;

/** RFC 9457, and members that some problems have besides. */
const PROBLEM: JsonSchema = {
  ...object({ type: text(), title: text(), status: integer(), detail: text() }).json,
  additionalProperties: true,
};

/** The whole document. */
export function openApi(definitions: readonly AnyDefinition[], version: string): JsonSchema {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const definition of definitions) {
    const place = paths[definition.path] ??= {};
    place[definition.method.toLowerCase()] = operationOf(definition);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "RelayQ admin API",
      version,
      description: "Roles: read < operate < admin. Names of clients and topics in paths are " +
        "percent-encoded, slashes included. Problems are application/problem+json (RFC 9457).",
      license: { name: "See the repository" },
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "`relayq admin token` makes one." },
        certificate: { type: "mutualTLS", description: "A client certificate with a role." },
      },
      schemas: { Problem: PROBLEM },
    },
  };
}

function operationOf(definition: AnyDefinition): JsonSchema {
  const { method, path, role, tag, summary, query, body, parameters, events } = definition;
  const names = [...path.matchAll(/\{([a-z_]+)\}/g)].map((match) => match[1]!);
  const described = parameters as Readonly<Record<string, string | undefined>>;
  return {
    operationId: operationId(method, path),
    tags: [tag],
    summary,
    ...role === null ? { security: [] } : {
      "x-role": role,
      security: [{ token: [] }, { certificate: [] }],
    },
    parameters: [
      ...names.map((name) => ({
        name,
        in: "path",
        required: true,
        schema: { type: "string", minLength: 1 },
        ...described[name] === undefined ? {} : { description: described[name] },
      })),
      ...queryParameters(query),
    ],
    ...body === null ? {} : {
      requestBody: { required: true, content: { "application/json": { schema: body.json } } },
    },
    responses: responsesOf(definition),
    ...Object.keys(events).length === 0 ? {} : {
      "x-events": Object.fromEntries(
        Object.entries(events).map(([name, { json }]) => [name, json]),
      ),
    },
  };
}

function queryParameters(query: ScalarFields): readonly JsonSchema[] {
  return Object.entries(query).map(([name, { json, absent }]) => {
    const { description, ...schema } = json;
    return {
      name,
      in: "query",
      required: absent === undefined,
      schema,
      ...description === undefined ? {} : { description },
    };
  });
}

function responsesOf({ role, body, answer, status, media, problems }: AnyDefinition): JsonSchema {
  const content = {
    ...answer === null ? {} : { "application/json": { schema: answer.json } },
    ...Object.fromEntries(media.map((type) => [type, { schema: { type: "string" } }])),
  };
  const isEmpty = Object.keys(content).length === 0;
  const good = isEmpty ? 204 : status;
  const statuses = [
    ...COMMON_PROBLEMS,
    ...role === null ? [] : GUARDED_PROBLEMS,
    ...body === null ? [] : [413, 415, 422],
    ...problems,
  ];
  const refusals = [...new Set(statuses)].sort((a, b) => a - b).map((code) => [code, {
    description: titleOf(code),
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  }]);
  return Object.fromEntries([
    [good, { description: titleOf(good), ...isEmpty ? {} : { content } }],
    ...refusals,
  ]);
}

/** `GET /api/v1/clients/{client_id}` is `get_clients_client_id`. */
function operationId(method: string, path: string): string {
  const words = path.replace("/api/v1/", "").replace(/[^A-Za-z0-9]+/g, " ").trim();
  return `${method.toLowerCase()}_${words.replaceAll(" ", "_")}`;
}
