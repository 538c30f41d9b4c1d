/** Figures, sizes and times as people read them. */

const INTEGER = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const CLOCK = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
const COUNT_UNITS = ["", " k", " M", " G"];
const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;
/** What is not known. */
export const UNKNOWN = "–";

/**
 * A whole number with groups of digits.
 * @param {number | string | null | undefined} value strings are numbers above 2^53
 */
export function integer(value) {
  if (value === null || value === undefined || value === "") return UNKNOWN;
  if (typeof value === "string") {
    return /^-?\d+$/.test(value) ? INTEGER.format(BigInt(value)) : value;
  }
  return Number.isFinite(value) ? INTEGER.format(value) : UNKNOWN;
}

/**
 * A figure that moves: three digits, and k, M or G.
 * @param {number | null | undefined} value
 */
export function rate(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) {
    return UNKNOWN;
  }
  let scaled = value;
  let unit = 0;
  while (Math.abs(scaled) >= (unit === 0 ? 9_999.5 : 999.5) && unit < COUNT_UNITS.length - 1) {
    scaled /= 1_000;
    unit++;
  }
  const text = unit === 0 && Math.abs(scaled) >= 100
    ? INTEGER.format(scaled)
    : SHORT.format(scaled);
  return `${text}${COUNT_UNITS[unit]}`;
}

/**
 * A size.
 * @param {number | string | null | undefined} value
 */
export function bytes(value) {
  if (value === null || value === undefined || value === "") return UNKNOWN;
  let scaled = Number(value);
  if (!Number.isFinite(scaled)) return UNKNOWN;
  let unit = 0;
  while (Math.abs(scaled) >= (unit === 0 ? 1_023.5 : 999.5) && unit < BYTE_UNITS.length - 1) {
    scaled /= 1_024;
    unit++;
  }
  return `${unit === 0 ? INTEGER.format(scaled) : SHORT.format(scaled)} ${BYTE_UNITS[unit]}`;
}

/**
 * A duration of the machine.
 * @param {number | null | undefined} ms
 */
export function milliseconds(ms) {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return UNKNOWN;
  if (ms >= 1_000) return `${SHORT.format(ms / 1_000)} s`;
  if (ms < 0.1 && ms > 0) return `${SHORT.format(ms * 1_000)} µs`;
  return `${SHORT.format(ms)} ms`;
}

/**
 * A duration of people: the two largest units.
 * @param {number | null | undefined} seconds
 */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) {
    return UNKNOWN;
  }
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < MINUTE_S) return `${whole} s`;
  if (whole < HOUR_S) {
    return `${Math.floor(whole / MINUTE_S)} min ${whole % MINUTE_S} s`;
  }
  if (whole < DAY_S) {
    return `${Math.floor(whole / HOUR_S)} h ${Math.floor(whole % HOUR_S / MINUTE_S)} min`;
  }
  return `${Math.floor(whole / DAY_S)} d ${Math.floor(whole % DAY_S / HOUR_S)} h`;
}

/**
 * When, in the time zone of whoever looks; without the date if it is today's.
 * @param {string | number | null | undefined} at RFC 3339, or milliseconds since 1970
 */
export function time(at) {
  const date = dateOf(at);
  if (date === null) return UNKNOWN;
  const today = new Date().toDateString() === date.toDateString();
  return today ? CLOCK.format(date) : `${day(at)} ${CLOCK.format(date)}`;
}

/**
 * A date.
 * @param {string | number | null | undefined} at
 */
export function day(at) {
  const date = dateOf(at);
  if (date === null) return UNKNOWN;
  const month = String(date.getMonth() + 1).padStart(2, "0");
  return `${date.getFullYear()}-${month}-${String(date.getDate()).padStart(2, "0")}`;
}

/**
 * How long ago.
 * @param {string | number | null | undefined} at
 */
export function ago(at) {
  const date = dateOf(at);
  return date === null ? UNKNOWN : `${duration((Date.now() - date.getTime()) / 1_000)} ago`;
}

/** @param {string | number | null | undefined} at */
function dateOf(at) {
  if (at === null || at === undefined || at === "") return null;
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? null : date;
}
