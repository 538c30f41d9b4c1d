/** A client of MQTT 3.1.1 and a load generator, for the tools of an engineer at a gateway. */
export * from "./client_error.ts";
export { type ClientStream, closeQuietly, writeAll } from "./client_stream.ts";
export { type ClientSettings, MqttClient } from "./mqtt_client.ts";
export { openStream, type StreamTarget } from "./open_stream.ts";
export { openTls, type TlsTrust } from "./tls_stream.ts";
export { Load, type LoadFigures, type LoadPlan } from "./load.ts";
