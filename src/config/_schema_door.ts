/** The keys of a listener that are about who may come to it, and through what. */
import type { KeySchema } from "./_schema_types.ts";

/** A part of the table `listeners`. */
export const DOOR_KEYS = [
  {
    name: "ip_allow",
    type: "string",
    form: "addresses",
    default: "",
    doc:
      "Addresses and networks, with blanks between, that may connect to this listener, as far as the table ip lets them. Empty means all.",
  },
  {
    name: "ip_block",
    type: "string",
    form: "addresses",
    default: "",
    doc: "Addresses and networks that may not, even if they are allowed.",
  },
  {
    name: "proxy_protocol",
    type: "enum",
    values: ["off", "v1", "v2", "any"],
    default: "off",
    doc:
      "Whether a load balancer in front says by the PROXY protocol, and in which version, who its client is. Then the header must come, within limits.connect_timeout_ms, and the address in it is what lists, rates, lock-outs and the log go by.",
  },
  {
    name: "trusted_proxies",
    type: "string",
    form: "addresses",
    default: "",
    doc:
      "Addresses and networks of these load balancers, with blanks between. Nobody else may connect to a listener with proxy_protocol.",
  },
] as const satisfies readonly KeySchema[];
