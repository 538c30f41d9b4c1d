/** The whole configuration, checked: every bound and relation of the schema holds. Deeply frozen. */
export interface Config {
  /** Where clients connect; at least one, no two with the same address unless its port is 0. */
  readonly listeners: readonly ListenerConfig[];
  readonly security: SecurityConfig;
  readonly ip: IpConfig;
  readonly connectionRate: ConnectionRateConfig;
  readonly loginGuard: LoginGuardConfig;
  readonly rate: RateConfig;
  readonly audit: AuditConfig;
  readonly takeOver: TakeOverConfig;
  readonly protocol: ProtocolConfig;
  readonly limits: LimitsConfig;
  readonly queue: QueueConfig;
  readonly outbox: OutboxConfig;
  readonly retained: RetainedConfig;
  readonly session: SessionConfig;
  readonly store: StoreConfig;
  readonly deadLetters: DeadLettersConfig;
  readonly sparkplug: SparkplugConfig;
  readonly memory: MemoryConfig;
  readonly sysTopics: SysTopicsConfig;
  readonly admin: AdminConfig;
  readonly log: LogConfig;
  readonly service: ServiceConfig;
}

/** One listener: TCP, or TLS above it where there is a certificate file. */
export interface ListenerConfig {
  /** "host:port", which `parseListenAddress` is known to accept. */
  readonly address: string;
  /** True lets clients in that give no user name. */
  readonly allowAnonymous: boolean;
  /** Addresses and networks, with blanks between; `ipAllow` empty for everybody. */
  readonly ipAllow: string;
  readonly ipBlock: string;
  /** Which header a load balancer puts in front; not "off" only with `trustedProxies`. */
  readonly proxyProtocol: "off" | "v1" | "v2" | "any";
  /** Addresses and networks, with blanks between. */
  readonly trustedProxies: string;
  /** Path; empty for no TLS. The other keys about TLS mean nothing then. */
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly tlsVersionMin: "1.2" | "1.3";
  readonly clientCertificates: "none" | "optional" | "required";
  /** Paths; empty for none. */
  readonly caFile: string;
  readonly crlFile: string;
  readonly crlExpired: "warn" | "refuse";
  readonly crlMissing: "warn" | "refuse";
  readonly certificateClock: "strict" | "grace";
  /** With blanks between; empty for none. */
  readonly certificatePins: string;
  readonly identityFrom: "cn" | "san_dns" | "san_uri" | "san_email" | "fingerprint";
  readonly handshakeTimeoutMs: number;
  readonly handshakesMax: number;
  /** Path of the resource that speaks MQTT over WebSocket; empty for MQTT itself. */
  readonly websocketPath: string;
  /** Origins of pages that may connect, with blanks between; "*" for all. */
  readonly websocketOrigins: string;
}

/** Who may come in, and who may do what. */
export interface SecurityConfig {
  /** Path; empty for none. */
  readonly passwordFile: string;
  /** Path; empty for none. */
  readonly accessFile: string;
  /** Path; empty for none. */
  readonly pinFile: string;
  readonly refusedPublish: "drop" | "close";
  readonly clientIdentifier: "any" | "user" | "user_prefix";
  readonly sessionOwner: "same_user" | "any";
  /** Milliseconds a password that was right needs no check; 0: it always does. */
  readonly loginMemoryMs: number;
  /** Milliseconds from one look at the files to the next; 0: only SIGHUP counts. */
  readonly fileCheckMs: number;
}

/** Who may connect at all: addresses and networks, with blanks between. */
export interface IpConfig {
  /** Empty for everybody. */
  readonly allow: string;
  readonly block: string;
}

/** Connections in a second, on the average, and at once; 0 in a second is no limit. */
export interface ConnectionRateConfig {
  readonly perSecond: number;
  readonly burst: number;
  readonly perAddressPerSecond: number;
  readonly perAddressBurst: number;
  /** Addresses and networks, with blanks between, that count among all together only. */
  readonly exempt: string;
}

/** Guessing of passwords. */
export interface LoginGuardConfig {
  readonly failuresMax: number;
  readonly windowMs: number;
  readonly lockOutMs: number;
  readonly lockOutMsMax: number;
  /** Addresses and networks, with blanks between. */
  readonly exempt: string;
}

/** How much clients may send. A rate of 0 is no limit; a burst of 0 is what the rate gives in a second. */
export interface RateConfig {
  /** PUBLISH packets of one client. */
  readonly clientMessagesPerSecond: number;
  readonly clientMessagesBurst: number;
  /** Bytes of all Control Packets of one client. */
  readonly clientBytesPerSecond: number;
  readonly clientBytesBurst: number;
  /** The same of all clients together. */
  readonly totalMessagesPerSecond: number;
  readonly totalMessagesBurst: number;
  readonly totalBytesPerSecond: number;
  readonly totalBytesBurst: number;
  /** What becomes of a client above its own limit; that of all only ever holds. */
  readonly overLimit: "hold" | "close";
}

/** What is recorded. */
export interface AuditConfig {
  readonly enabled: boolean;
  /** Path; empty for `audit` in the data directory. */
  readonly dir: string;
  readonly fileBytesMax: number;
  readonly fileAgeMsMax: number;
  readonly filesMax: number;
  /** Milliseconds an entry may wait for the disk. */
  readonly flushMs: number;
  /** Bytes that may wait for it. */
  readonly waitingBytesMax: number;
  /** Entries of one kind and origin in a minute. */
  readonly perOriginMax: number;
  /** Entries of one kind in a minute. */
  readonly perMinuteMax: number;
  /** Connects of one client in a minute. */
  readonly connectionsPerClientMax: number;
  readonly headIntervalMs: number;
}

/** Client Identifiers that go to and fro. */
export interface TakeOverConfig {
  /** Take-overs by former holders within the window; 0 damps nothing. */
  readonly returnsMax: number;
  /** Take-overs within one address within the window; 0 damps nothing. */
  readonly sameAddressMax: number;
  readonly windowMs: number;
  readonly dampMs: number;
  readonly dampMsMax: number;
}

/** What the broker speaks besides MQTT 3.1.1. */
export interface ProtocolConfig {
  /** Accept protocol name MQIsdp, protocol level 3. */
  readonly mqtt31: boolean;
  /** Accept an empty Client Identifier with Clean Session 1. */
  readonly zeroLengthClientIdentifiers: boolean;
}

/** Bounds on what clients may do. */
export interface LimitsConfig {
  /** Connections over all listeners. */
  readonly connectionsMax: number;
  /** Milliseconds from accept to a whole CONNECT. */
  readonly connectTimeoutMs: number;
  /** Bytes of a whole Control Packet, fixed header included. */
  readonly packetBytesMax: number;
  /** UTF-8 bytes. */
  readonly clientIdentifierBytesMax: number;
  /** UTF-8 bytes of a Topic Name or Topic Filter. */
  readonly topicBytesMax: number;
  /** Levels of a Topic Name or Topic Filter. */
  readonly topicLevelsMax: number;
  /** Subscriptions of one session. */
  readonly subscriptionsPerSessionMax: number;
  /** Subscriptions of all sessions. */
  readonly subscriptionsMax: number;
  /** Sessions, those without a connection included. */
  readonly sessionsMax: number;
  /** Retained messages. */
  readonly retainedMessagesMax: number;
  /** Bytes of all Retained messages. */
  readonly retainedBytesMax: number;
  /** QoS 1 and 2 messages to one client that wait for its acknowledgement; 1 to 65535. */
  readonly inFlightMessagesMax: number;
  /** QoS 2 Packet Identifiers one client may hold open towards the broker; 1 to 65535. */
  readonly receiveInFlightMax: number;
  /** Milliseconds; 0 is no limit. */
  readonly keepAliveMaxMs: number;
}

/** Messages that wait for a session. */
export interface QueueConfig {
  /** Messages of one session. */
  readonly messagesMax: number;
  /** Bytes of one session; at least `limits.packetBytesMax`. */
  readonly bytesMax: number;
  /** Bytes of all sessions; at least `bytesMax`. */
  readonly totalBytesMax: number;
  /** Messages of all sessions. */
  readonly totalMessagesMax: number;
  /** What is given up when a queue is full. */
  readonly full: "drop_newest" | "drop_oldest";
  /** Milliseconds a message may wait; 0 is for ever. */
  readonly messageExpiryMs: number;
}

/** The last message of each topic. */
export interface RetainedConfig {
  /** Milliseconds a message stays retained; 0 is for ever. */
  readonly expiryMs: number;
  /** What goes when a limit is reached. */
  readonly full: "drop_newest" | "drop_oldest";
}

/** Bytes on their way into one socket: `lowWaterBytes` < `highWaterBytes` <= `bytesMax`. */
export interface OutboxConfig {
  /** Bytes; beyond it QoS 0 messages for this client are dropped and counted. */
  readonly bytesMax: number;
  /** Bytes; from here on publishers into this outbox are not read. */
  readonly highWaterBytes: number;
  /** Bytes; at or below it those publishers are read again. */
  readonly lowWaterBytes: number;
  /** Milliseconds a slow consumer may hold back publishers. */
  readonly slowConsumerGraceMs: number;
  /** Milliseconds without a byte taken until the socket is closed. */
  readonly stalledWriteTimeoutMs: number;
}

/** State that outlives a connection. */
export interface SessionConfig {
  /** Milliseconds an absent client's stored state is kept; 0 is for ever. */
  readonly expiryMs: number;
  /** "drop_newest" refuses a CONNECT, "drop_oldest" discards the session that is away longest. */
  readonly full: "drop_newest" | "drop_oldest";
}

/** Where state is kept. */
export interface StoreConfig {
  readonly kind: "memory" | "sqlite";
  /** Whether an acknowledgement waits for its fsync. */
  readonly durability: "commit" | "interval";
  /** Milliseconds of acknowledgements that may be lost with durability "interval". */
  readonly syncIntervalMs: number;
  readonly syncsPerSecondMax: number;
  /** Bytes of the write-ahead log from which on it is moved to the database. */
  readonly walBytesMax: number;
  /** Bytes that may wait for the disk before publishers are held. */
  readonly backlogBytesMax: number;
  /** Path of the directory, relative to the working directory unless absolute. */
  readonly dataDir: string;
}

/** Messages that were given up. */
export interface DeadLettersConfig {
  /** Dead letters kept; 0 keeps none. */
  readonly messagesMax: number;
  readonly bytesMax: number;
  /** Milliseconds; 0 is for ever. */
  readonly expiryMs: number;
  /** Dead letters kept in a second, on the average. */
  readonly perSecondMax: number;
  /** Whether they are published on `$dead-letter/<topic>`, too. */
  readonly republish: boolean;
}

/** Sparkplug B. */
export interface SparkplugConfig {
  readonly mode: "off" | "aware" | "monitor" | "strict";
  /** Whether established subscriptions get certificates with RETAIN 1. */
  readonly retainLive: boolean;
  /** Certificates; 0 keeps none. */
  readonly certificatesMax: number;
  readonly certificatesBytesMax: number;
  /** Milliseconds; 0 is for ever. */
  readonly certificatesExpiryMs: number;
  /** Whether an NDEATH gets the time at which it goes out. */
  readonly ndeathTimestamp: boolean;
  /** `tck-id=action`, with blanks between. */
  readonly overrides: string;
  readonly onDuplicate: "reject_new" | "take_over";
  /** Message types that pass though the specification does not know them, with blanks between. */
  readonly otherTypes: string;
  readonly rebirthRequests: boolean;
  /** Whether the Will of who leaves without its death is published. */
  readonly synthesizeDeaths: boolean;
  /** Whether metrics that have not changed are counted. */
  readonly reportByException: boolean;
  /** Milliseconds. */
  readonly timestampWindowMs: number;
  readonly nodesMax: number;
  readonly devicesPerNodeMax: number;
  /** Metrics of an Edge Node and all its Devices. */
  readonly metricsPerNodeMax: number;
  readonly hostsMax: number;
  /** Topics of counters; 0 publishes none. */
  readonly countersMax: number;
  /** Whether Edge Nodes and hosts are published as JSON. */
  readonly topology: boolean;
  /** Whether messages are published once more as JSON. */
  readonly json: boolean;
  /** Where alarms are sent; empty for nowhere. */
  readonly alarmUrl: string;
  /** Whether the last value of every metric is kept. */
  readonly lastValues: boolean;
  /** Metrics. */
  readonly lastValuesMax: number;
  readonly lastValuesBytesMax: number;
  /** Messages of each Edge Node; 0 records nothing. */
  readonly recordedMessagesMax: number;
  readonly recordedBytesMax: number;
  /** Path; empty for none. */
  readonly captureFile: string;
  readonly captureIntervalMs: number;
}

/** Stages before the memory is gone; the percentages rise. */
export interface MemoryConfig {
  readonly enabled: boolean;
  /** Bytes; 0 is what the system says. */
  readonly limitBytes: number;
  readonly refuseConnectionsPercent: number;
  readonly shedQos0Percent: number;
  readonly shedQueuesPercent: number;
  readonly shutDownPercent: number;
  /** Milliseconds until a stage ends, and until the last one begins. */
  readonly dwellMs: number;
  /** Milliseconds; 0 is never. */
  readonly loopLagMsMax: number;
}

/** The broker's own numbers under `$SYS/`. */
export interface SysTopicsConfig {
  readonly enabled: boolean;
  /** Milliseconds between two rounds. */
  readonly intervalMs: number;
}

/** HTTP for whoever operates the broker. */
export interface AdminConfig {
  /** "host:port"; empty for none. */
  readonly address: string;
  /** Path; empty where nobody may use the API. */
  readonly tokensFile: string;
  /** Of one caller; 0 is no limit. */
  readonly requestsPerSecond: number;
  /** Paths; empty for no TLS. */
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly clientCertificates: "none" | "optional" | "required";
  /** Paths; empty for none. */
  readonly caFile: string;
  readonly crlFile: string;
  /** In hexadecimal digits; empty for none. */
  readonly metricsTokenSha256: string;
  /** Names that may stand in Host, with blanks between. */
  readonly hosts: string;
}

/** What the broker says about itself. */
export interface LogConfig {
  readonly level: "debug" | "info" | "warn" | "error";
  /** "room=level" with blanks between, which `parseLogLevels` is known to accept. */
  readonly levels: string;
  readonly format: "text" | "json";
  /** Whether lines on standard error begin with their priority. */
  readonly journald: "auto" | "on" | "off";
  /** Path; empty for standard error. */
  readonly file: string;
  readonly fileBytesMax: number;
  /** Files that are kept, with the one that is written. */
  readonly filesMax: number;
  /** Lines of one kind in a second; 0 is no limit. */
  readonly repeatsPerSecondMax: number;
}

/** The process as its supervisor sees it. */
export interface ServiceConfig {
  /** Milliseconds that clients are given at the end to take what is on its way to them. */
  readonly drainMs: number;
  /** Milliseconds something may wait for the disk until the watchdog is not fed; 0 is for ever. */
  readonly storeStuckMsMax: number;
}
