// Times as people read them: the clock of where they are, to the millisecond, with the whole of it in UTC behind.

import { h } from "../dom.js";

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });

/** When it was, with the date only where it was not today. @param {string|null|undefined} text RFC 3339 */
export function moment(text) {
  const time = new Date(text ?? "");
  if (Number.isNaN(time.getTime())) return h("span", null, text ?? "at an unknown time");
  return h("time", { datetime: text, title: `${text} (UTC)`, class: "moment" }, momentText(time));
}

/** @param {Date} time */
function momentText(time) {
  const clock = `${CLOCK.format(time)}.${String(time.getMilliseconds()).padStart(3, "0")}`;
  return DAY.format(time) === DAY.format(new Date()) ? clock : `${DAY.format(time)}, ${clock}`;
}

/** A length of time in its two largest units: `1 h 2 min`, `3.20 s`, `450 ms`. @param {number} ms */
export function lasting(ms) {
  const whole = Math.max(0, ms);
  if (whole < 1) return `${Math.round(whole * 1000)} µs`;
  if (whole < 1000) return `${whole < 10 ? whole.toFixed(1) : Math.round(whole)} ms`;
  if (whole < 60_000) return `${(whole / 1000).toFixed(whole < 10_000 ? 2 : 1)} s`;
  const minutes = Math.floor(whole / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((whole % 60_000) / 1000)} s`;
  return minutes < 1440 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

/** What is left, as a countdown shows it: `14:05`, `1:00:00`. @param {number} ms */
export function countdown(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** When an exchange began, by its name (a ULID); null for what is none. @param {string|null|undefined} id */
export function beganAt(id) {
  const digits = [...(id ?? "").slice(0, 10)].map((digit) => DIGITS.indexOf(digit));
  if (digits.length < 10 || digits.includes(-1)) return null;
  return digits.reduce((sum, digit) => sum * 32 + digit, 0);
}
