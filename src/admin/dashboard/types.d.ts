/** Shapes of what the admin API answers, as far as the dashboard reads them everywhere. */

/** The event `statistics`. */
export interface Statistics {
  readonly counts: {
    readonly clients_connected: number;
    readonly sessions: number;
    readonly subscriptions: number;
    readonly retained: number;
    readonly queued_messages: number;
    readonly dead_letters: number;
  };
  readonly rates: {
    readonly messages_in_per_s: number;
    readonly messages_out_per_s: number;
    readonly bytes_in_per_s: number;
    readonly bytes_out_per_s: number;
  };
  readonly latency: {
    readonly publish_p50_ms: number | null;
    readonly publish_p99_ms: number | null;
    readonly loop_lag_p99_ms: number | null;
  };
  readonly store: {
    readonly kind: string;
    readonly trouble: string | null;
    readonly latency_ms: number | null;
  };
  readonly memory: {
    readonly stage: string | null;
    readonly resident_bytes: number;
    readonly limit_bytes: number | null;
    readonly heap_used_bytes: number;
  };
}

/** `GET /status`. */
export interface Status extends Statistics {
  readonly version: string;
  readonly node: string | null;
  readonly started_at: string;
  readonly uptime_s: number;
  readonly sparkplug_mode: string;
  readonly warnings: readonly string[];
}

/** A line of the log. */
export interface LogLine {
  /** Rises by one from line to line. */
  readonly number: number;
  readonly time: string;
  readonly level: string;
  readonly room: string;
  readonly text: string;
}
