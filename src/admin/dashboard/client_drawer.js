/** One client in full, with what can be done to it. */
import { segment } from "./api.js";
import { confirmed, Drawer, failure, toast } from "./dialogs.js";
import { make } from "./dom.js";
import { labelled, roleButton, select } from "./fields.js";
import { bytes, duration, integer, time } from "./format.js";
import { state } from "./shapes.js";
import { factList } from "./table.js";

/** @typedef {import("./main.js").Context} Context */

const BAN_TIMES = /** @type {const} */ ([["600", "10 minutes"], ["3600", "1 hour"], [
  "86400",
  "1 day",
], ["", "for ever"]]);

/** What a client speaks. @type {Readonly<Record<string, string>>} */
export const VIA = { tcp: "MQTT", tls: "MQTT · TLS", ws: "WebSocket", wss: "WebSocket · TLS" };

/**
 * Opens the drawer of a client; `changed` is called when it is no longer as it was.
 * @param {Context} context
 * @param {string} clientId
 * @param {() => void} changed
 */
export async function openClient(context, clientId, changed) {
  const drawer = new Drawer(clientId, { kind: "Client" });
  try {
    const client = await context.api.get(`clients/${segment(clientId)}`);
    drawer.show(...contentOf(client));
    drawer.offer(...actionsOf(context, client, () => {
      drawer.close();
      changed();
    }));
  } catch (error) {
    drawer.show(failure(error, () => {
      drawer.close();
      void openClient(context, clientId, changed);
    }));
  }
}

/** @param {any} client */
function contentOf(client) {
  return [
    factList([
      ["User", userOf(client)],
      ["Address", client.address],
      [
        "Listener",
        `${client.listener} · ${VIA[client.transport] ?? client.transport}`,
      ],
      ["Connected", time(client.connected_at)],
      ["Keep Alive", client.keep_alive_s === 0 ? "off" : duration(client.keep_alive_s)],
      ["Session", client.clean_session ? "clean" : "kept"],
      [
        "Received",
        `${integer(client.messages_in)} messages · ${bytes(client.bytes_in)}`,
      ],
      ["Sent", bytes(client.bytes_out)],
      ["Queued", `${integer(client.queued_messages)} messages · ${bytes(client.queued_bytes)}`],
      ["Not yet taken", bytes(client.unsent_bytes)],
      ["In flight", integer(client.in_flight)],
    ]),
    ...willOf(client.will),
    ...tlsOf(client.tls),
    ...certificateOf(client.certificate),
    ...subscriptionsOf(client.filters, client.subscriptions),
  ];
}

/** @param {any} client */
function userOf({ user, user_verified }) {
  if (user === null) return "anonymous";
  return user_verified ? user : make("span", {}, user, " ", state("warn", "not proved"));
}

/** @param {any} tls */
function tlsOf(tls) {
  if (tls === null || tls === undefined) return [];
  return [
    make("h3", {}, "TLS"),
    factList([
      ["Version", tls.version],
      ["Cipher", tls.cipher],
      ["Resumed", tls.resumed ? "yes" : "no"],
    ]),
  ];
}

/** @param {any} will */
function willOf(will) {
  if (will === null || will === undefined) return [];
  return [
    make("h3", {}, "Will"),
    factList([
      ["Topic", make("code", {}, will.topic)],
      ["QoS", integer(will.qos)],
      ["Retained", will.retain ? "yes" : "no"],
      ["Size", bytes(will.payload_bytes)],
    ]),
  ];
}

/** @param {any} certificate */
function certificateOf(certificate) {
  if (certificate === null || certificate === undefined) return [];
  return [
    make("h3", {}, "Certificate"),
    factList([["Subject", certificate.subject], [
      "Valid until",
      time(certificate.not_after),
    ], ["SHA-256", make("code", { class: "wrap" }, certificate.fingerprint)]]),
  ];
}

/**
 * Subscriptions as they are listed for a client or a session.
 * @param {any[]} filters the first of them
 * @param {number} count
 */
export function subscriptionsOf(filters, count) {
  const rows = filters.map(({ filter, qos }) =>
    make(
      "li",
      {},
      make("code", {}, filter),
      make("span", { class: "tag" }, `QoS ${qos}`),
    )
  );
  return [
    make("h3", {}, `Subscriptions (${integer(count)})`),
    rows.length === 0
      ? make("p", { class: "muted" }, "None.")
      : make("ul", { class: "plain-list" }, ...rows),
    rows.length < count && make("p", { class: "muted" }, "The first ones of them."),
  ];
}

/**
 * @param {Context} context
 * @param {any} client
 * @param {() => void} done
 */
function actionsOf({ api, identity: { role } }, client, done) {
  async function disconnect() {
    const will = make("input", { type: "checkbox", checked: true });
    const fields = client.will ? make("label", { class: "check" }, will, "Publish its Will") : null;
    const text = `${client.client_id} may connect again at once.`;
    if (!await confirmed("Disconnect this client?", { text, action: "Disconnect", fields })) return;
    await api.change("DELETE", `clients/${segment(client.client_id)}`, {
      query: { will: will.checked },
    });
    toast("ok", `${client.client_id} is disconnected.`);
    done();
  }
  return [
    roleButton("Disconnect", { role, needs: "operate", press: disconnect }),
    roleButton("Ban…", {
      role,
      needs: "operate",
      class: "button danger",
      press: () => ban(api, client, done),
    }),
  ];
}

/**
 * @param {import("./api.js").Api} api
 * @param {any} client
 * @param {() => void} done
 */
async function ban(api, client, done) {
  let kind = "client_id";
  let seconds = "3600";
  /** @type {Record<string, string>} */
  const values = { client_id: client.client_id, address: hostOf(client.address) };
  if (client.user) values.user = client.user;
  const reason = make("input", { type: "text", maxlength: "200" });
  /** @type {[string, string][]} */
  const choices = Object.entries(values).map((
    [name, value],
  ) => [name, `${name.replace("_", " ")}: ${value}`]);
  const fields = make(
    "div",
    { class: "fields" },
    labelled("By", select("By", { choices, changed: (value) => void (kind = value) })),
    labelled(
      "For",
      select("For", {
        choices: BAN_TIMES,
        chosen: seconds,
        changed: (value) => void (seconds = value),
      }),
    ),
    labelled("Reason", reason),
  );
  const text =
    "Who is banned is disconnected, and refused until the ban ends. Bans outlive a restart.";
  if (!await confirmed("Ban this client?", { text, action: "Ban", fields })) {
    return;
  }
  await api.change("POST", "bans", {
    body: {
      kind,
      value: values[kind],
      seconds: seconds === "" ? null : Number(seconds),
      reason: reason.value,
    },
  });
  toast("ok", `${values[kind]} is banned.`);
  done();
}

/**
 * The address without its port.
 * @param {string} address
 */
function hostOf(address) {
  return address.replace(/^\[(.*)\](?::\d+)?$/, "$1").replace(/^([^:]+):\d+$/, "$1");
}

/**
 * Whether somebody is there.
 * @param {boolean} connected
 */
export function presence(connected) {
  return connected ? state("ok", "connected") : state("idle", "away");
}
