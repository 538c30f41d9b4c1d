/**
 * MQTT 3.1.1 on the wire: Control Packets, their codec, Topic Names and Topic Filters. Pure
 * functions and buffers, no I/O.
 */
export * from "./byte_buffer.ts";
export * from "./connect.ts";
export * from "./control_packet.ts";
export * from "./decoder.ts";
export * from "./encoder.ts";
export * from "./frame.ts";
export * from "./limits.ts";
export * from "./protocol_error.ts";
export * from "./publish.ts";
export * from "./subscribe.ts";
export * from "./topic.ts";
export * from "./utf8.ts";
