/**
 * Reads DER, the distinguished encoding of ASN.1 (ITU-T X.690 sections 8 and 10), as certificates
 * and CRLs use it. A reader never throws and never reads outside its bytes: the first fault sticks,
 * everything read after it is empty, and whoever reads looks once at the end whether all was well.
 */

/** Tags of the universal class that X.509 uses, with the bit of constructed encodings. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/** Tag number of a context-specific tag, such as `[0]`. */
export function contextTag(number: number, { constructed }: { constructed: boolean }): number {
  return (constructed ? 0xa0 : 0x80) | number;
}

const EMPTY = new Uint8Array(0);
/** Encodings of Object Identifiers longer than this mean nothing to us. */
const OID_BYTES_MAX = 64;

/** Why reading failed; shared by a reader and the readers of what is inside. */
interface Fault {
  reason: string | null;
}

/** Where an element stands. */
interface Header {
  readonly tag: number;
  readonly contentStart: number;
  readonly end: number;
}

/** Reads the elements of one sequence of bytes, one after another. */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #fault: Fault;
  #position: number;

  constructor(bytes: Uint8Array, within?: { start: number; end: number; fault: Fault }) {
    this.#bytes = bytes;
    this.#position = within?.start ?? 0;
    this.#end = within?.end ?? bytes.length;
    this.#fault = within?.fault ?? { reason: null };
  }

  /** The first fault in these bytes, those inside and those around; null where there is none. */
  get problem(): string | null {
    return this.#fault.reason;
  }

  /** True while there is something left to read and nothing was wrong. */
  get more(): boolean {
    return this.#position < this.#end && this.#fault.reason === null;
  }

  /** Notes a fault; the first one stays. */
  fail(reason: string): void {
    this.#fault.reason ??= reason;
  }

  /** Notes a fault if anything is left to read. */
  done(): void {
    if (this.more) this.fail("trailing bytes");
  }

  /** Whether an element with this tag comes next. */
  at(tag: number): boolean {
    return this.more && this.#bytes[this.#position] === tag;
  }

  /** A reader of what is inside the next element. */
  inside(tag: number): DerReader {
    const header = this.#next(tag);
    const start = header?.contentStart ?? this.#end;
    const end = header?.end ?? this.#end;
    return new DerReader(this.#bytes, { start, end, fault: this.#fault });
  }

  /** The contents of the next element; no copy. */
  content(tag: number): Uint8Array {
    const header = this.#next(tag);
    return header === null ? EMPTY : this.#bytes.subarray(header.contentStart, header.end);
  }

  /** The whole next element with its tag and length; no copy. */
  element(tag: number): Uint8Array {
    const start = this.#position;
    const header = this.#next(tag);
    return header === null ? EMPTY : this.#bytes.subarray(start, header.end);
  }

  /** Passes over the next element, whatever it is; gives its tag, -1 if there is none. */
  skip(): number {
    return this.#next(null)?.tag ?? -1;
  }

  /** DER knows one encoding of true and one of false. X.690 section 11.1. */
  boolean(): boolean {
    const content = this.content(TAG.boolean);
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) {
      this.fail("invalid BOOLEAN");
    }
    return content[0] === 0xff;
  }

  /** The two's complement bytes of an INTEGER; at least one, no more than needed. */
  integer(): Uint8Array {
    const content = this.content(TAG.integer);
    const [first, second] = content;
    if (first === undefined) this.fail("empty INTEGER");
    else if (
      second !== undefined && (first === 0 && second < 0x80 || first === 0xff && second >= 0x80)
    ) {
      this.fail("INTEGER longer than needed");
    }
    return content;
  }

  /** An INTEGER from 0 to 32,767. */
  smallInteger(): number {
    const content = this.integer();
    if (content.length > 2 || content[0]! >= 0x80) {
      this.fail("INTEGER out of range");
      return 0;
    }
    return content.length === 1 ? content[0]! : ((content[0] ?? 0) << 8) | (content[1] ?? 0);
  }

  /** The bytes of a BIT STRING that has whole bytes only. */
  bitString(): Uint8Array {
    const content = this.content(TAG.bitString);
    if (content[0] !== 0) this.fail("BIT STRING with unused bits");
    return content.subarray(1);
  }

  /** The first 16 named bits of a BIT STRING; bit 0 is the lowest of the result. */
  namedBits(): number {
    const content = this.content(TAG.bitString);
    const unused = content[0];
    if (unused === undefined || unused > 7 || (unused > 0 && content.length < 2)) {
      this.fail("invalid BIT STRING");
      return 0;
    }
    let bits = 0;
    for (let bit = 0; bit < 16; bit++) {
      const byte = content[1 + (bit >> 3)] ?? 0;
      if ((byte & (0x80 >> (bit & 7))) !== 0) bits |= 1 << bit;
    }
    return bits;
  }

  /** An Object Identifier in dotted form; arcs up to 2^53. X.690 section 8.19. */
  oid(): string {
    const content = this.content(TAG.oid);
    const last = content[content.length - 1];
    if (last === undefined || last >= 0x80 || content.length > OID_BYTES_MAX) {
      this.fail("invalid OBJECT IDENTIFIER");
      return "";
    }
    let text = "";
    let arc = 0;
    for (const byte of content) {
      if ((arc === 0 && byte === 0x80) || arc >= 2 ** 46) this.fail("invalid OBJECT IDENTIFIER");
      arc = arc * 128 + (byte & 0x7f);
      if (byte >= 0x80) continue;
      if (text === "") {
        const root = Math.min(Math.floor(arc / 40), 2);
        text = `${root}.${arc - root * 40}`;
      } else text += `.${arc}`;
      arc = 0;
    }
    return text;
  }

  /** A UTCTime or GeneralizedTime in milliseconds since 1970. RFC 5280 section 4.1.2.5. */
  time(): number {
    const generalized = this.at(TAG.generalizedTime);
    const content = this.content(generalized ? TAG.generalizedTime : TAG.utcTime);
    const ms = parseTime(content, generalized);
    if (Number.isNaN(ms)) {
      this.fail("invalid time");
      return 0;
    }
    return ms;
  }

  /** Reads tag and length and stands behind the element; null where that fails. */
  #next(expected: number | null): Header | null {
    if (this.#fault.reason !== null) return null;
    const bytes = this.#bytes;
    const start = this.#position;
    if (start + 2 > this.#end) return this.#refuse("element missing or cut off");
    const tag = bytes[start]!;
    if (expected !== null && tag !== expected) {
      return this.#refuse(`tag 0x${tag.toString(16)} where 0x${expected.toString(16)} belongs`);
    }
    if ((tag & 0x1f) === 0x1f) return this.#refuse("tag of more than one byte");
    let length = bytes[start + 1]!;
    let contentStart = start + 2;
    if (length >= 0x80) {
      const count = length & 0x7f;
      // X.690 section 10.1: a definite length, in as few bytes as possible.
      if (count === 0 || count > 4) return this.#refuse("invalid length");
      if (contentStart + count > this.#end) return this.#refuse("length cut off");
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + bytes[contentStart + i]!;
      contentStart += count;
      if (length < 0x80 || length < 2 ** (8 * (count - 1))) {
        return this.#refuse("length longer than needed");
      }
    }
    const end = contentStart + length;
    if (end > this.#end) return this.#refuse("element longer than what holds it");
    this.#position = end;
    return { tag, contentStart, end };
  }

  #refuse(reason: string): null {
    this.fail(`${reason} at byte ${this.#position}`);
    return null;
  }
}

/** `YYMMDDHHMMSSZ` or, generalized, `YYYYMMDDHHMMSSZ`; NaN for anything else. */
function parseTime(content: Uint8Array, generalized: boolean): number {
  const yearDigits = generalized ? 4 : 2;
  if (content.length !== yearDigits + 11 || content[content.length - 1] !== 0x5a) return NaN;
  let year = digits(content, 0, yearDigits);
  if (!generalized) year += year >= 50 ? 1900 : 2000;
  const month = digits(content, yearDigits, 2);
  const day = digits(content, yearDigits + 2, 2);
  const hour = digits(content, yearDigits + 4, 2);
  const minute = digits(content, yearDigits + 6, 2);
  const second = digits(content, yearDigits + 8, 2);
  // Also false where a digit was none, since NaN compares with nothing.
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) return NaN;
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return NaN;
  // `Date.UTC` takes years below 100 for those of the last century: RFC 5280 has none of them.
  return year < 100 ? NaN : Date.UTC(year, month - 1, day, hour, minute, second);
}

function digits(content: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = content[i]! - 0x30;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return value;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
