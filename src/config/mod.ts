/**
 * The configuration: TOML text in, a typed and checked `Config` or all diagnostics out. This room
 * does no I/O and knows nothing of the rest of the broker.
 *
 * @module
 */
export type {
  AdminConfig,
  AuditConfig,
  Config,
  LimitsConfig,
  ListenerConfig,
  LogConfig,
  MemoryConfig,
  OutboxConfig,
  ProtocolConfig,
  QueueConfig,
  ServiceConfig,
  SessionConfig,
  SparkplugConfig,
  StoreConfig,
  SysTopicsConfig,
  TakeOverConfig,
} from "./config.ts";
export { configDocument } from "./config_document.ts";
export { configReference } from "./config_reference.ts";
export { DEFAULT_CONFIG } from "./default_config.ts";
export type { Diagnostic } from "./diagnostic.ts";
export { exampleConfig } from "./example_config.ts";
export { keyName } from "./key_name.ts";
export {
  isLoopbackHost,
  type ListenAddress,
  type ListenAddressProblem,
  parseListenAddress,
} from "./listen_address.ts";
export { CONFIG_LENGTH_MAX, loadConfig, type LoadedConfig } from "./load_config.ts";
export { type LogLevels, parseLogLevels } from "./log_levels.ts";
export { nearestName } from "./nearest_name.ts";
export { type ConfigOverrides, type OverriddenConfig, overrideConfig } from "./override_config.ts";
