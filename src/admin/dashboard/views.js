/** The views of the page, in the order of the menu. */
import { aboutView } from "./view_about.js";
import { certificatesView } from "./view_certificates.js";
import { clientsView } from "./view_clients.js";
import { deadLettersView } from "./view_dead_letters.js";
import { limitsView } from "./view_limits.js";
import { logView } from "./view_log.js";
import { overviewView } from "./view_overview.js";
import { sessionsView } from "./view_sessions.js";
import { sparkplugView } from "./view_sparkplug.js";
import { topicsView } from "./view_topics.js";

/**
 * @typedef {object} ViewEntry
 * @property {string} name in the address
 * @property {string} title
 * @property {string} icon
 * @property {(context: import("./main.js").Context) => import("./main.js").View} open
 */

/** @type {readonly ViewEntry[]} */
export const VIEWS = [
  { name: "overview", title: "Overview", icon: "overview", open: overviewView },
  { name: "clients", title: "Clients", icon: "clients", open: clientsView },
  { name: "sessions", title: "Sessions", icon: "sessions", open: sessionsView },
  { name: "topics", title: "Topics", icon: "topics", open: topicsView },
  { name: "sparkplug", title: "Sparkplug", icon: "sparkplug", open: sparkplugView },
  { name: "dead-letters", title: "Dead letters", icon: "letters", open: deadLettersView },
  { name: "log", title: "Log", icon: "log", open: logView },
  { name: "certificates", title: "Certificates", icon: "certificates", open: certificatesView },
  { name: "limits", title: "Limits", icon: "limits", open: limitsView },
  { name: "about", title: "About", icon: "about", open: aboutView },
];
