/** The keys of a listener that are about WebSocket. */
import type { KeySchema } from "./_schema_types.ts";

/** A part of the table `listeners`. */
export const WEBSOCKET_KEYS = [
  {
    name: "websocket_path",
    type: "string",
    form: "text",
    default: "",
    doc:
      'With a path, such as "/mqtt", the listener speaks MQTT over WebSocket there, and nothing else; with certificate_file over TLS (wss). handshake_timeout_ms and handshakes_max bound its opening handshakes, too.',
  },
  {
    name: "websocket_origins",
    type: "string",
    form: "text",
    default: "",
    doc:
      'Origins of the web pages that may connect, with blanks between: "https://hmi.plant http://10.0.0.7:8080"; "*" lets pages from everywhere. Empty means none. Clients that are no browsers are not asked.',
  },
] as const satisfies readonly KeySchema[];
