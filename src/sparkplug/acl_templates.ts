/** Rules of access for the roles of Sparkplug (7.8), in the form that the access file's `use` takes. */
import { CERTIFICATE_PREFIX, NAMESPACE } from "./topic.ts";

/** A rule of a template. The security room knows the same shape. */
export interface AclTemplateRule {
  readonly action: "allow";
  readonly operations: readonly ("publish" | "subscribe" | "read")[];
  readonly filter: string;
}

/** A template. */
export interface AclTemplate {
  readonly parameters: readonly string[];
  expand(args: readonly string[]): readonly AclTemplateRule[] | { readonly problem: string };
}

const PUBLISH = ["publish"] as const;
const RECEIVE = ["subscribe", "read"] as const;
const NODE_TYPES = ["NBIRTH", "NDATA", "NDEATH"];
const DEVICE_TYPES = ["DBIRTH", "DDATA", "DDEATH"];

/** Templates by name. */
export const ACL_TEMPLATES: ReadonlyMap<string, AclTemplate> = new Map([
  ["sparkplug-node", template(["Group ID", "Edge Node ID"], nodeRules)],
  ["sparkplug-host", template(["Host Application ID"], hostRules)],
  ["sparkplug-viewer", template([], viewerRules)],
]);

function template(
  parameters: readonly string[],
  rules: (args: readonly string[]) => readonly AclTemplateRule[],
): AclTemplate {
  return {
    parameters,
    expand(args) {
      const wrong = args.findIndex((id) => id === "" || /[+#/\0]/.test(id));
      if (wrong < 0) return rules(args);
      const id = JSON.stringify(args[wrong]);
      return { problem: `${id} is no ${parameters[wrong]}: it must not be empty or hold + # /` };
    },
  };
}

/** An Edge Node speaks for itself and its Devices, and hears its commands and the hosts. */
function nodeRules(args: readonly string[]): AclTemplateRule[] {
  const [group, node] = args as readonly [string, string];
  return [
    ...NODE_TYPES.map((type) => allow(PUBLISH, `${NAMESPACE}/${group}/${type}/${node}`)),
    ...DEVICE_TYPES.map((type) => allow(PUBLISH, `${NAMESPACE}/${group}/${type}/${node}/+`)),
    allow(RECEIVE, `${NAMESPACE}/${group}/NCMD/${node}`),
    // Field clients subscribe to NCMD/E/# as well, which covers nobody else's topics.
    allow(RECEIVE, `${NAMESPACE}/${group}/NCMD/${node}/#`),
    allow(RECEIVE, `${NAMESPACE}/${group}/DCMD/${node}/#`),
    allow(RECEIVE, `${NAMESPACE}/STATE/+`),
  ];
}

/** A host hears everything, commands everybody, and speaks for itself. */
function hostRules(args: readonly string[]): AclTemplateRule[] {
  return [
    ...viewerRules(),
    allow(PUBLISH, `${NAMESPACE}/STATE/${args[0]}`),
    allow(PUBLISH, `${NAMESPACE}/+/NCMD/+`),
    allow(PUBLISH, `${NAMESPACE}/+/DCMD/+/+`),
  ];
}

/** A viewer hears everything and says nothing. */
function viewerRules(): AclTemplateRule[] {
  return [allow(RECEIVE, `${NAMESPACE}/#`), allow(RECEIVE, `${CERTIFICATE_PREFIX}#`)];
}

function allow(operations: AclTemplateRule["operations"], filter: string): AclTemplateRule {
  return { action: "allow", operations, filter };
}
