/**
 * The files of the dashboard as text, so that they are in the compiled binary like the code. The plots
 * are uPlot's; everything else stands in `dashboard/`.
 */
import indexHtml from "./dashboard/index.html" with { type: "text" };
import apiJs from "./dashboard/api.js" with { type: "text" };
import clientDrawerJs from "./dashboard/client_drawer.js" with { type: "text" };
import dialogsCss from "./dashboard/dialogs.css" with { type: "text" };
import dialogsJs from "./dashboard/dialogs.js" with { type: "text" };
import domJs from "./dashboard/dom.js" with { type: "text" };
import eventStreamJs from "./dashboard/event_stream.js" with { type: "text" };
import fieldsJs from "./dashboard/fields.js" with { type: "text" };
import formatJs from "./dashboard/format.js" with { type: "text" };
import historyJs from "./dashboard/history.js" with { type: "text" };
import iconSvg from "./dashboard/icon.svg" with { type: "text" };
import layoutCss from "./dashboard/layout.css" with { type: "text" };
import liveJs from "./dashboard/live.js" with { type: "text" };
import mainJs from "./dashboard/main.js" with { type: "text" };
import overviewCss from "./dashboard/overview.css" with { type: "text" };
import partsCss from "./dashboard/parts.css" with { type: "text" };
import payloadJs from "./dashboard/payload.js" with { type: "text" };
import plotJs from "./dashboard/plot.js" with { type: "text" };
import publishFormJs from "./dashboard/publish_form.js" with { type: "text" };
import shapesJs from "./dashboard/shapes.js" with { type: "text" };
import shellJs from "./dashboard/shell.js" with { type: "text" };
import signInJs from "./dashboard/sign_in.js" with { type: "text" };
import sparkplugNodeJs from "./dashboard/sparkplug_node.js" with { type: "text" };
import tableJs from "./dashboard/table.js" with { type: "text" };
import tablesCss from "./dashboard/tables.css" with { type: "text" };
import themeCss from "./dashboard/theme.css" with { type: "text" };
import themeJs from "./dashboard/theme.js" with { type: "text" };
import themeSwitchJs from "./dashboard/theme_switch.js" with { type: "text" };
import treeJs from "./dashboard/tree.js" with { type: "text" };
import viewAboutJs from "./dashboard/view_about.js" with { type: "text" };
import viewCertificatesJs from "./dashboard/view_certificates.js" with { type: "text" };
import viewClientsJs from "./dashboard/view_clients.js" with { type: "text" };
import viewDeadLettersJs from "./dashboard/view_dead_letters.js" with { type: "text" };
import viewLimitsJs from "./dashboard/view_limits.js" with { type: "text" };
import viewLogJs from "./dashboard/view_log.js" with { type: "text" };
import viewOverviewJs from "./dashboard/view_overview.js" with { type: "text" };
import viewSessionsJs from "./dashboard/view_sessions.js" with { type: "text" };
import viewSparkplugJs from "./dashboard/view_sparkplug.js" with { type: "text" };
import viewTopicsJs from "./dashboard/view_topics.js" with { type: "text" };
import viewsCss from "./dashboard/views.css" with { type: "text" };
import viewsJs from "./dashboard/views.js" with { type: "text" };
import uplotJs from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import uplotCss from "uplot/dist/uPlot.min.css" with { type: "text" };

/** The page itself. */
export const DASHBOARD_PAGE: string = indexHtml;

/** What the page consists of besides, by its name below `/dashboard/`. */
export const DASHBOARD_FILES: Readonly<Record<string, string>> = {
  "api.js": apiJs,
  "client_drawer.js": clientDrawerJs,
  "dialogs.css": dialogsCss,
  "dialogs.js": dialogsJs,
  "dom.js": domJs,
  "event_stream.js": eventStreamJs,
  "fields.js": fieldsJs,
  "format.js": formatJs,
  "history.js": historyJs,
  "icon.svg": iconSvg,
  "layout.css": layoutCss,
  "live.js": liveJs,
  "main.js": mainJs,
  "overview.css": overviewCss,
  "parts.css": partsCss,
  "payload.js": payloadJs,
  "plot.js": plotJs,
  "publish_form.js": publishFormJs,
  "shapes.js": shapesJs,
  "shell.js": shellJs,
  "sign_in.js": signInJs,
  "sparkplug_node.js": sparkplugNodeJs,
  "table.js": tableJs,
  "tables.css": tablesCss,
  "theme.css": themeCss,
  "theme.js": themeJs,
  "theme_switch.js": themeSwitchJs,
  "tree.js": treeJs,
  "view_about.js": viewAboutJs,
  "view_certificates.js": viewCertificatesJs,
  "view_clients.js": viewClientsJs,
  "view_dead_letters.js": viewDeadLettersJs,
  "view_limits.js": viewLimitsJs,
  "view_log.js": viewLogJs,
  "view_overview.js": viewOverviewJs,
  "view_sessions.js": viewSessionsJs,
  "view_sparkplug.js": viewSparkplugJs,
  "view_topics.js": viewTopicsJs,
  "views.css": viewsCss,
  "views.js": viewsJs,
  "uplot.css": uplotCss,
  "uplot.js": uplotJs,
};
