/** What the decoder accepts at most. All are checked before memory is spent on a packet. */
export interface DecoderLimits {
  /** Bytes of a whole Control Packet, fixed header included. */
  readonly packetBytesMax: number;
  /** Bytes of a Client Identifier. */
  readonly clientIdentifierBytesMax: number;
  /** Bytes of a Topic Name or Topic Filter. */
  readonly topicBytesMax: number;
  /** Levels of a Topic Name or Topic Filter. */
  readonly topicLevelsMax: number;
  /** Whether MQTT 3.1 (`MQIsdp`, protocol level 3) is accepted. */
  readonly mqtt31: boolean;
}

/** The widest limits that MQTT 3.1.1 itself allows. */
export const PROTOCOL_LIMITS: DecoderLimits = {
  packetBytesMax: 268_435_460,
  clientIdentifierBytesMax: 65_535,
  topicBytesMax: 65_535,
  topicLevelsMax: 65_536,
  mqtt31: true,
};
