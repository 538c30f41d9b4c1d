/**
 * The mandatory normative statements of MQTT 3.1.1 (appendix B), in short words of our own. Names of
 * tests carry the tags; `deno task conformance` joins the two.
 */

/** Who has to fulfil a statement. */
export type Binds = "server" | "client" | "both";

/** One statement. */
export interface Statement {
  /** As the standard writes it, without the brackets: `MQTT-3.1.0-2`. */
  readonly tag: string;
  readonly summary: string;
  readonly binds: Binds;
  /** Why no test can prove it here; null for a statement that has to have a test. */
  readonly notApplicable: string | null;
}

const BINDS_CLIENT = "binds the client; a server cannot see the breach";

/** All statements in the order of the standard. */
export const STATEMENTS: readonly Statement[] = [
  both("1.5.3-1", "strings are well-formed UTF-8 without surrogates, or close"),
  both("1.5.3-2", "strings do not contain U+0000, or close"),
  both("1.5.3-3", "EF BB BF is U+FEFF anywhere and is never stripped"),

  both("2.2.2-1", "reserved flag bits have the value of table 2.2"),
  both("2.2.2-2", "invalid flags close the connection"),
  both("2.3.1-1", "SUBSCRIBE, UNSUBSCRIBE, PUBLISH above QoS 0: Packet Identifier not 0"),
  client("2.3.1-2", "a new packet gets an unused Packet Identifier"),
  client("2.3.1-3", "a packet sent again keeps its Packet Identifier"),
  server("2.3.1-4", "the same two rules for what a server sends"),
  both("2.3.1-5", "PUBLISH at QoS 0 has no Packet Identifier"),
  both("2.3.1-6", "PUBACK, PUBREC, PUBREL carry the identifier of their PUBLISH"),
  server("2.3.1-7", "SUBACK, UNSUBACK carry the identifier of their request"),

  client("3.1.0-1", "the first packet of a client is CONNECT"),
  server("3.1.0-2", "a second CONNECT disconnects the client"),
  server("3.1.2-1", "another protocol name is not processed as MQTT 3.1.1"),
  server("3.1.2-2", "unknown protocol level: CONNACK 0x01, then close"),
  server("3.1.2-3", "reserved Connect Flag is 0, or close"),
  both("3.1.2-4", "Clean Session 0 resumes or creates a Session and stores it"),
  server("3.1.2-5", "QoS 1 and 2 messages for an absent client are stored"),
  both("3.1.2-6", "Clean Session 1 discards the old Session; the new one is not reused"),
  server("3.1.2-7", "retained messages survive the end of a Session"),
  server("3.1.2-8", "a Will is stored and published unless DISCONNECT comes"),
  both("3.1.2-9", "Will Flag 1: Will QoS and Retain are used, the fields are there"),
  server("3.1.2-10", "a Will is removed once published or after DISCONNECT"),
  client("3.1.2-11", "Will Flag 0: Will QoS and Retain are 0, no Will fields"),
  server("3.1.2-12", "Will Flag 0: nothing is published at the end"),
  client("3.1.2-13", "Will Flag 0: Will QoS is 0"),
  client("3.1.2-14", "Will QoS is 0, 1 or 2, never 3"),
  client("3.1.2-15", "Will Flag 0: Will Retain is 0"),
  server("3.1.2-16", "Will Retain 0: the Will is published as not retained"),
  server("3.1.2-17", "Will Retain 1: the Will is published as retained"),
  client("3.1.2-18", "User Name Flag 0: no user name"),
  client("3.1.2-19", "User Name Flag 1: a user name"),
  client("3.1.2-20", "Password Flag 0: no password"),
  client("3.1.2-21", "Password Flag 1: a password"),
  client("3.1.2-22", "User Name Flag 0: Password Flag 0"),
  client("3.1.2-23", "packets are not further apart than the Keep Alive", BINDS_CLIENT),
  server("3.1.2-24", "silence for 1.5 times the Keep Alive: close as a failure"),
  client("3.1.3-1", "order: Client Identifier, Will Topic, Message, user, password"),
  both("3.1.3-2", "the Client Identifier identifies the state of a Session"),
  client("3.1.3-3", "the Client Identifier is there and comes first"),
  client("3.1.3-4", "the Client Identifier is a UTF-8 string"),
  server("3.1.3-5", "Client Identifiers of 1 to 23 letters and digits are allowed"),
  server("3.1.3-6", "a zero-byte Client Identifier gets a unique one assigned"),
  client("3.1.3-7", "a zero-byte Client Identifier goes with Clean Session 1"),
  server("3.1.3-8", "zero bytes with Clean Session 0: CONNACK 0x02, then close"),
  server("3.1.3-9", "rejected Client Identifier: CONNACK 0x02, then close"),
  client("3.1.3-10", "the Will Topic is a UTF-8 string"),
  client("3.1.3-11", "the user name is a UTF-8 string"),
  server("3.1.4-1", "CONNECT that does not conform: close without CONNACK"),
  server("3.1.4-2", "the connection in use by a Client Identifier is closed"),
  server("3.1.4-3", "Clean Session is carried out for a good CONNECT"),
  server("3.1.4-4", "a good CONNECT is answered by CONNACK 0"),
  server("3.1.4-5", "nothing behind a rejected CONNECT is processed"),

  server("3.2.0-1", "the first packet of the server is CONNACK"),
  server("3.2.2-1", "Clean Session 1: Session Present 0"),
  server("3.2.2-2", "Clean Session 0 and a stored Session: Session Present 1"),
  server("3.2.2-3", "Clean Session 0 and no stored Session: Session Present 0"),
  server("3.2.2-4", "CONNACK other than 0: Session Present 0"),
  server("3.2.2-5", "CONNACK other than 0: close"),
  server("3.2.2-6", "no return code applies: close without CONNACK"),

  both("3.3.1-1", "DUP is 1 for a PUBLISH sent again"),
  both("3.3.1-2", "DUP is 0 at QoS 0"),
  server("3.3.1-3", "DUP is not handed on; it says whether this is a retransmission"),
  both("3.3.1-4", "both QoS bits close the connection"),
  server("3.3.1-5", "RETAIN 1: message and QoS are stored"),
  server("3.3.1-6", "a new subscription gets the retained messages it matches"),
  server("3.3.1-7", "retained QoS 0 message discards the older one"),
  server("3.3.1-8", "RETAIN is 1 in answer to a new subscription"),
  server("3.3.1-9", "RETAIN is 0 for an established subscription"),
  server("3.3.1-10", "empty retained message: sent on, and removes the stored one"),
  server("3.3.1-11", "an empty retained message is not stored"),
  server("3.3.1-12", "RETAIN 0: nothing is stored, removed or replaced"),
  both("3.3.2-1", "the Topic Name comes first and is a UTF-8 string"),
  both("3.3.2-2", "the Topic Name has no wildcards"),
  server("3.3.2-3", "the Topic Name sent matches the Topic Filter subscribed"),
  both("3.3.4-1", "PUBLISH is answered as its QoS says"),
  server("3.3.5-1", "overlapping subscriptions: the maximum QoS is respected"),
  server("3.3.5-2", "PUBLISH not authorised: acknowledge, or close"),
  both("3.6.1-1", "PUBREL with flags other than 0010 closes"),

  server("3.8.1-1", "SUBSCRIBE with flags other than 0010 closes"),
  client("3.8.3-1", "Topic Filters of SUBSCRIBE are UTF-8 strings"),
  server("3.8.3-2", "wildcards are supported, or refused"),
  client("3.8.3-3", "SUBSCRIBE has at least one Topic Filter"),
  server("3-8.3-4", "reserved bits or QoS 3 in SUBSCRIBE close"),
  server("3.8.4-1", "SUBSCRIBE is answered by SUBACK"),
  server("3.8.4-2", "SUBACK has the Packet Identifier of SUBSCRIBE"),
  server("3.8.4-3", "same Topic Filter: replace, retained again, no interruption"),
  server("3.8.4-4", "several Topic Filters: as a sequence, with one SUBACK"),
  server("3.8.4-5", "SUBACK has a return code for every Topic Filter"),
  server("3.8.4-6", "a message comes at the lower of its QoS and the granted"),
  server("3.9.3-1", "return codes stand in the order of the Topic Filters"),
  server("3.9.3-2", "return codes are 0, 1, 2 or 0x80"),
  server("3.10.1-1", "UNSUBSCRIBE with flags other than 0010 closes"),
  client("3.10.3-1", "Topic Filters of UNSUBSCRIBE are UTF-8 strings"),
  client("3.10.3-2", "UNSUBSCRIBE has at least one Topic Filter"),
  server("3.10.4-1", "Topic Filters are compared character by character"),
  server("3.10.4-2", "no new message after a subscription is deleted"),
  server("3.10.4-3", "deliveries that have begun are completed"),
  server("3.10.4-4", "UNSUBACK with the same Packet Identifier"),
  server("3.10.4-5", "UNSUBACK also where nothing is deleted"),
  server("3.10.4-6", "several Topic Filters: as a sequence, with one UNSUBACK"),
  server("3.12.4-1", "PINGREQ is answered by PINGRESP"),
  server("3.14.1-1", "DISCONNECT with reserved flags closes"),
  client("3.14.4-1", "the client closes after DISCONNECT"),
  client("3.14.4-2", "the client sends nothing after DISCONNECT"),
  server("3.14.4-3", "DISCONNECT discards the Will"),

  both("4.1.0-1", "Session state is stored as long as the Session lasts"),
  both("4.1.0-2", "a Session lasts at least as long as its connection"),
  both("4.3.1-1", "QoS 0 sender: QoS 0 and DUP 0"),
  both("4.3.2-1", "QoS 1 sender: unused identifier, DUP 0, unacknowledged until PUBACK"),
  both("4.3.2-2", "QoS 1 receiver: PUBACK; the identifier is then new again"),
  both("4.3.3-1", "QoS 2 sender: PUBREL on PUBREC, never PUBLISH behind it"),
  both("4.3.3-2", "QoS 2 receiver: PUBREC, no duplicates, PUBCOMP on PUBREL"),
  both("4.4.0-1", "after a resume PUBLISH and PUBREL go again, same identifiers"),
  server("4.5.0-1", "a message enters the Session state of all who match"),
  client("4.5.0-2", "the client acknowledges whatever it receives", BINDS_CLIENT),
  both("4.6.0-1", "PUBLISH packets are sent again in their old order"),
  both("4.6.0-2", "PUBACKs in the order of the PUBLISHes"),
  both("4.6.0-3", "PUBRECs in the order of the PUBLISHes"),
  both("4.6.0-4", "PUBRELs in the order of the PUBRECs"),
  server("4.6.0-5", "every topic is ordered by default"),
  server("4.6.0-6", "messages of a topic and QoS keep the order of their publisher"),
  both("4.7.1-1", "wildcards in Topic Filters, not in Topic Names"),
  both("4.7.1-2", "# is the whole last level"),
  both("4.7.1-3", "+ is a whole level"),
  server("4.7.2-1", "a leading wildcard does not match a leading $"),
  both("4.7.3-1", "topics have at least one character"),
  both("4.7.3-2", "topics do not contain U+0000"),
  both("4.7.3-3", "topics have up to 65,535 bytes"),
  server("4.7.3-4", "topics are matched without normalisation"),
  both("4.8.0-1", "a protocol violation closes its connection"),
  both("4.8.0-2", "a transient error closes its connection"),

  both("6.0.0-1", "packets are in binary WebSocket frames"),
  both("6.0.0-2", "packets need not be aligned to WebSocket frames"),
  client("6.0.0-3", 'the client offers the sub-protocol "mqtt"'),
  server("6.0.0-4", 'the server answers the sub-protocol "mqtt"'),
  server(
    "7.0.0-1",
    "a server that connects to servers is a good client",
    "it does not connect out",
  ),
  both("7.0.0-2", "no extension is needed to interoperate"),
  server("7.1.1-1", "the transport is an ordered, lossless stream of bytes"),
  client("7.1.2-1", "the client's transport is such a stream, too", BINDS_CLIENT),
];

/** The tags in the name of a test. */
export function tagsOf(testName: string): string[] {
  return [...testName.matchAll(/\[(MQTT-[^\]]*)\]/g)].map((match) => match[1]!);
}

function server(number: string, summary: string, notApplicable: string | null = null): Statement {
  return { tag: `MQTT-${number}`, summary, binds: "server", notApplicable };
}

function client(number: string, summary: string, notApplicable: string | null = null): Statement {
  return { tag: `MQTT-${number}`, summary, binds: "client", notApplicable };
}

function both(number: string, summary: string, notApplicable: string | null = null): Statement {
  return { tag: `MQTT-${number}`, summary, binds: "both", notApplicable };
}
