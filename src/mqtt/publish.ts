/** PUBLISH, read in place (section 3.3). */
import { DecodeError, type ProtocolError } from "./protocol_error.ts";
import type { Qos } from "./control_packet.ts";

/**
 * Where the fields of a PUBLISH stand in the bytes it came in. One object serves any number of
 * packets; offsets are only good as long as those bytes are.
 */
export class PublishView {
  qos: Qos = 0;
  dup = false;
  retain = false;
  /** Offset of the first byte of the Topic Name, behind its two length bytes. */
  topicStart = 0;
  topicEnd = 0;
  /** 0 at QoS 0. */
  packetId = 0;
  payloadStart = 0;
  end = 0;

  /**
   * Reads the fields of the complete packet `bytes[…, end)` whose first byte is `first` and whose
   * body starts at `bodyStart`. The Topic Name's characters are not judged here.
   */
  read(
    bytes: Uint8Array,
    first: number,
    range: { bodyStart: number; end: number },
  ): ProtocolError | null {
    const { bodyStart, end } = range;
    this.dup = (first & 0x08) !== 0;
    this.qos = ((first >> 1) & 0x03) as Qos;
    this.retain = (first & 0x01) !== 0;
    this.end = end;
    if (bodyStart + 2 > end) return DecodeError.packetTruncated;
    this.topicStart = bodyStart + 2;
    this.topicEnd = this.topicStart + ((bytes[bodyStart]! << 8) | bytes[bodyStart + 1]!);
    this.packetId = 0;
    this.payloadStart = this.topicEnd;
    if (this.qos > 0) {
      this.payloadStart += 2;
      if (this.payloadStart > end) return DecodeError.packetTruncated;
      this.packetId = (bytes[this.topicEnd]! << 8) | bytes[this.topicEnd + 1]!;
      if (this.packetId === 0) return DecodeError.packetIdZero; // [MQTT-2.3.1-1]
    }
    return this.topicEnd > end ? DecodeError.packetTruncated : null;
  }
}
