/** The tables about who may come in. */
import { COUNT_MAX } from "./_schema_bounds.ts";
import type { TableSchema } from "./_schema_types.ts";

/** A part of the schema. */
export const SECURITY_TABLES = [
  {
    name: "security",
    repeated: false,
    doc:
      "Who may come in, and who may do what. The files are read again at SIGHUP and when they have changed; one with a mistake changes nothing.",
    keys: [
      {
        name: "password_file",
        type: "string",
        form: "path or nothing",
        default: "",
        doc:
          "File with users and the hashes of their passwords, made by `relayq passwd`; those of mosquitto_passwd are accepted as they are. Empty means that nobody is asked for a password.",
      },
      {
        name: "access_file",
        type: "string",
        form: "path or nothing",
        default: "",
        doc:
          "File with the rules of who may publish, subscribe and read what; `relayq acl check` checks it, `relayq acl import` makes one of Mosquitto's. What no rule allows is denied. Empty means that whoever is let in may do everything.",
      },
      {
        name: "pin_file",
        type: "string",
        form: "path or nothing",
        default: "",
        doc:
          'File with the certificates that users, or whoever uses a Client Identifier, must show, in lines like "user gw-1 sha256/…" and "client press-7 sha256/…", on whatever listener and besides whatever else is asked for. Empty means none.',
      },
      {
        name: "client_identifier",
        type: "enum",
        values: ["any", "user", "user_prefix"],
        default: "any",
        doc:
          'Which Client Identifiers a client may use: "user" only its user name (of password or certificate), "user_prefix" that name, alone or with a colon and more behind it, or one that the server assigns. Others get return code 2.',
      },
      {
        name: "session_owner",
        type: "enum",
        values: ["same_user", "any"],
        default: "same_user",
        doc:
          'Who may take over or resume the session of a Client Identifier: only the user who made it (others get return code 2), or anybody who is let in. "any" for a while hands sessions over to users with other names. What anonymous clients make belongs to whoever comes first.',
      },
      {
        name: "login_memory_ms",
        type: "integer",
        default: 600_000,
        min: 0,
        max: 3_600_000,
        doc:
          "For so long after a login the same password of the same user is accepted without being hashed again, so that many clients can come back at once. Wrong ones are always hashed, and a reload of the password file forgets it all. 0 hashes always.",
      },
      {
        name: "file_check_ms",
        type: "integer",
        default: 5_000,
        min: 0,
        max: 3_600_000,
        doc:
          "How often the broker looks whether files of this section and of the listeners have changed: those are read again once they have been left alone for a second. 0 means at SIGHUP only.",
      },
      {
        name: "refused_publish",
        type: "enum",
        values: ["drop", "close"],
        default: "drop",
        doc:
          "What becomes of a PUBLISH that no rule allows: it is acknowledged and given up, or the connection is closed. Either way the message is a dead letter.",
      },
    ],
  },
  {
    name: "ip",
    repeated: false,
    doc:
      "Who may connect at all, by address, whichever listener he comes to: judged before TLS. Every listener can have lists of its own besides.",
    keys: [
      {
        name: "allow",
        type: "string",
        form: "addresses",
        default: "",
        doc:
          'Addresses and networks, with blanks between, that may connect: "10.0.0.7 192.168.0.0/16 2001:db8::/32". Empty means all. An IPv4 address that is mapped into IPv6 is the IPv4 address.',
      },
      {
        name: "block",
        type: "string",
        form: "addresses",
        default: "",
        doc: "Addresses and networks that may not connect, even if they are allowed.",
      },
    ],
  },
  {
    name: "connection_rate",
    repeated: false,
    doc:
      "How many connections are accepted in a second. An address (an IPv6 network of 64 bits) that opens too many is refused; beyond the rate of all together nobody is refused, but all wait to be accepted. Who is refused counts for nothing.",
    keys: [
      {
        name: "per_second",
        type: "integer",
        default: 1000,
        min: 0,
        max: 1_000_000,
        doc: "Connections that are accepted in a second, on the average. 0 means no limit.",
      },
      {
        name: "burst",
        type: "integer",
        default: 10_000,
        min: 1,
        max: COUNT_MAX,
        doc:
          "Connections that are accepted at once after a quiet time: all clients of a plant come back together after a power cut.",
      },
      {
        name: "per_address_per_second",
        type: "integer",
        default: 100,
        min: 0,
        max: 1_000_000,
        doc: "Connections of one address in a second, on the average. 0 means no limit.",
      },
      {
        name: "per_address_burst",
        type: "integer",
        default: 1000,
        min: 1,
        max: COUNT_MAX,
        doc:
          "Connections of one address that are accepted at once. More clients than this behind one router get in by trying again.",
      },
      {
        name: "exempt",
        type: "string",
        form: "addresses",
        default: "127.0.0.0/8 ::1",
        doc:
          "Addresses and networks, with blanks between, that count only among all together: such as a router with many clients behind it.",
      },
    ],
  },
  {
    name: "login_guard",
    repeated: false,
    doc:
      "Guessing of passwords. An address (an IPv6 network of 64 bits) from which too many wrong ones come is locked out, each time for twice as long.",
    keys: [
      {
        name: "failures_max",
        type: "integer",
        default: 10,
        min: 1,
        max: 100,
        doc: "So many wrong passwords within the window lock an address out.",
      },
      {
        name: "window_ms",
        type: "integer",
        default: 60_000,
        min: 1000,
        max: 86_400_000,
        doc: "The window in which wrong passwords are counted.",
      },
      {
        name: "lock_out_ms",
        type: "integer",
        default: 60_000,
        min: 100,
        max: 86_400_000,
        doc: "How long the first lock-out lasts.",
      },
      {
        name: "lock_out_ms_max",
        type: "integer",
        default: 3_600_000,
        min: 100,
        max: 86_400_000,
        doc: "The longest lock-out.",
      },
      {
        name: "exempt",
        type: "string",
        form: "addresses",
        default: "",
        doc:
          'Addresses and networks that are never locked out, with blanks between: "10.0.0.7 192.168.0.0/16".',
      },
    ],
  },
] as const satisfies readonly TableSchema[];
