// Times and durations as people read and write them.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const UNITS = { s: SECOND, m: MINUTE, h: HOUR, d: DAY };

/**
 * How long ago, in a few characters.
 * @param {number} then milliseconds since 1970
 * @param {number} [now]
 */
export function age(then, now = Date.now()) {
  const passed = Math.max(0, now - then);
  if (passed < 10 * SECOND) return "now";
  if (passed < MINUTE) return `${Math.floor(passed / SECOND)} s`;
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} min`;
  if (passed < 2 * DAY) return `${Math.floor(passed / HOUR)} h`;
  return `${Math.floor(passed / DAY)} d`;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const FINE = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long", hourCycle: "h23" });

/**
 * The time of day, here; with seconds where steps of time are finer than minutes.
 * @param {number} when
 * @param {number} [step] milliseconds
 */
export const clock = (when, step = MINUTE) => (step % MINUTE ? FINE : CLOCK).format(when);

/** Date and time with the zone, here. @param {number} when */
export const whole = (when) => WHOLE.format(when);

/**
 * A duration such as `15m` or `1h 30m` in milliseconds, or null.
 * @param {string} text
 */
export function duration(text) {
  if (!/^(?:\s*\d+\s*[smhd])+\s*$/.test(text)) return null;
  return [...text.matchAll(/(\d+)\s*([smhd])/g)].reduce((all, [, number, unit]) => all + Number(number) * UNITS[unit], 0);
}

/**
 * When a `since` or `until` of the URL is: a time, or a duration back from now. Null if it is neither.
 * @param {string|undefined} text
 * @param {number} [now]
 */
export function moment(text, now = Date.now()) {
  if (!text) return null;
  const back = duration(text);
  if (back !== null) return now - back;
  const when = Date.parse(text);
  return Number.isNaN(when) ? null : when;
}

/** What a `since` or `until` says, for people. @param {string} text */
export function momentSays(text) {
  if (duration(text) !== null) return `${text.trim().replace(/(\d+)\s*m\b/, "$1min").replaceAll(/(\d+)\s*([a-z]+)/g, "$1 $2")} ago`;
  const when = Date.parse(text);
  return Number.isNaN(when) ? text : whole(when);
}

/** As the value of a `datetime-local` input: local time without a zone. @param {number|null} when */
export function localInput(when) {
  if (when === null) return "";
  const local = new Date(when - new Date(when).getTimezoneOffset() * MINUTE);
  return local.toISOString().slice(0, 16);
}
