/**
 * The admin API of a running broker: what it shows, and what it changes. A further part has its
 * definitions in `src/admin/api_*.ts` (named in `api_definitions.ts`), what it shows or does in a file
 * `_server_api_*.ts`, and one line in `routes` here.
 */
import type { ServerFigures } from "./_server_admin.ts";
import { FigureDesk } from "./_server_api_figures.ts";
import { apiLimits } from "./_server_api_limits.ts";
import { apiCertificates, apiListeners } from "./_server_api_listeners.ts";
import { type ResourceGround, resourceRoutes } from "./_server_api_resources.ts";
import { sparkplugView } from "./_server_api_sparkplug.ts";
import { birthView } from "./_server_api_sparkplug_births.ts";
import { PlantEvents } from "./_server_api_sparkplug_events.ts";
import type { ListenerDetails } from "./_server_listeners.ts";
import type { SparkplugSide } from "./_server_sparkplug.ts";
import type { TurnWitness } from "./_server_turns.ts";
import {
  type ApiClientEvent,
  type ApiLogLine,
  type ApiRoute,
  birthRoutes,
  EventHub,
  eventRoutes,
  limitRoutes,
  listenerRoutes,
  logRoutes,
  type LogView,
  type ReadinessFacts,
  type ReloadOutcome,
  reloadRoutes,
  sparkplugRoutes,
  statusRoutes,
} from "./admin/mod.ts";
import type { BrokerEvent, Histogram } from "./broker/mod.ts";
import { type Config, configDocument } from "./config/mod.ts";
import {
  type Log,
  LOG_ROOMS,
  type LogLine,
  LogRing,
  type LogRoom,
  type NumberedLine,
} from "./system/mod.ts";

/** What the admin listener knows best. */
export interface ApiKit {
  readonly loopLags: Histogram;
  readonly readiness: () => ReadinessFacts;
  readonly figures: () => ServerFigures;
  /** The listener itself. */
  readonly details: () => ListenerDetails;
  /** Calls back ten times a second as long as the listener is open. */
  readonly everySample: (callback: () => void) => void;
}

/** What the routes are made of. */
export interface ApiSurroundings extends ResourceGround {
  readonly listeners: () => readonly ListenerDetails[];
  /** Reads the configuration and its files again. */
  readonly reload: () => Promise<ReloadOutcome>;
  readonly sparkplug: SparkplugSide;
}

/** Lines of the log that are kept. */
const LINES_MAX = 1_000;
/** Clients that come and go, of which listeners are told in a second. */
const CLIENT_EVENTS_MAX = 200;

/** What goes on, for those who listen; nothing is kept where nobody can. */
export class ApiSide {
  readonly hub = new EventHub();
  readonly #ring: LogRing | null;
  /** Of this second. */
  #clientEvents = 0;

  constructor({ admin }: Config) {
    this.#ring = admin.address === "" ? null : new LogRing(LINES_MAX);
    this.hub.everySecond(() => this.#second());
  }

  /** A line of the log. */
  lineSeen(line: LogLine): void {
    const numbered = this.#ring?.add(line);
    if (numbered !== undefined && this.hub.wants("log")) {
      this.hub.publish("log", "log", apiLine(numbered));
    }
  }

  /** The same witness, and those who listen to clients. */
  beside(witness: TurnWitness): TurnWitness {
    return {
      happened: (event) => {
        witness.happened(event);
        if (this.hub.wants("clients")) this.#happened(event);
      },
      denied: (denials) => witness.denied(denials),
      missed: (events) => witness.missed(events),
    };
  }

  /** All routes. */
  routes(surroundings: ApiSurroundings, kit: ApiKit): readonly ApiRoute[] {
    const { config, turns, listeners, sparkplug } = surroundings;
    const all = () => [...listeners(), kit.details()];
    const { figures, loopLags } = kit;
    const desk = new FigureDesk({ config, turns, figures, loopLags, listeners: all });
    kit.everySample(() => desk.sample());
    this.hub.everySecond(() => {
      if (this.hub.wants("statistics")) {
        this.hub.publish("statistics", "statistics", desk.statistics);
      }
    });
    if (sparkplug.desk !== null) {
      const plant = new PlantEvents(sparkplug.desk, this.hub);
      this.hub.everySecond(() => plant.second());
    }
    const { statistics } = turns.broker;
    return [
      ...statusRoutes({ status: () => desk.status, readiness: kit.readiness }),
      ...listenerRoutes({
        listeners: () => apiListeners(all(), turns),
        certificates: () => apiCertificates(all(), Date.now()),
      }),
      ...limitRoutes({
        limits: () =>
          apiLimits({ config, statistics, figures: kit.figures(), streams: this.hub.statistics }),
        config: () => configDocument(config),
      }),
      ...resourceRoutes(surroundings, () => kit.readiness().accepting),
      ...reloadRoutes(surroundings.reload),
      ...logRoutes(logView(turns.log, () => this.#ring?.lines ?? [])),
      ...eventRoutes(this.hub),
      ...sparkplugRoutes(sparkplugView(config.sparkplug.mode, sparkplug)),
      ...birthRoutes(birthView(turns, sparkplug.values)),
    ];
  }

  #happened(event: BrokerEvent): void {
    const { connection } = event;
    if (event.kind !== "connected" && event.kind !== "closed") return;
    if (++this.#clientEvents > CLIENT_EVENTS_MAX) return;
    const { origin: { remoteAddress: address, listener } } = connection;
    const told: ApiClientEvent = {
      time: new Date().toISOString(),
      change: event.kind === "connected" ? "connected" : "disconnected",
      client_id: connection.clientIdentifier,
      user: connection.userName,
      address,
      listener,
      cause: event.kind === "closed" ? event.cause : null,
      resumed: event.kind === "connected" ? event.resumed : null,
    };
    this.hub.publish("clients", "client", told);
  }

  #second(): void {
    const lost = this.#clientEvents - CLIENT_EVENTS_MAX;
    this.#clientEvents = 0;
    if (lost > 0) this.hub.publish("clients", "clients_untold", { count: lost });
  }
}

function logView(log: Log, lines: () => readonly NumberedLine[]): LogView {
  return {
    lines: () => lines().map(apiLine),
    rooms: LOG_ROOMS,
    levels: () => log.levels,
    setLevel: (room, level) => {
      const { level: all, levels } = log.levels;
      if (room === null) {
        log.levels = { level: level ?? all, levels };
        return;
      }
      const { [room as LogRoom]: _, ...others } = levels;
      log.levels = { level: all, levels: level === null ? others : { ...others, [room]: level } };
    },
  };
}

function apiLine({ number, wallMs, level, room, text, fields }: NumberedLine): ApiLogLine {
  return { number, time: new Date(wallMs).toISOString(), level, room, text, fields };
}
