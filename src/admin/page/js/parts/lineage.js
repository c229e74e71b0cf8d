// Where the validator in a condition came from: the answer that gave it to the client, as the history of the resource
// tells it.

import { isRead, linesOf, responseLeg, wayOf } from "./observed.js";
import { beganAt } from "./moment.js";

/**
 * The answer that gave the client what it sent back.
 * @typedef {{
 *   at: string|number, method: string|null, status: number, client: string|null, exchange: string|null,
 *   coding: string|null, by: string, exact: boolean, leg: import("./observed.js").Leg,
 * }} Origin
 */

const TAGS = ["if-match", "if-none-match", "if-range"];
const DATES = ["if-unmodified-since", "if-modified-since"];

/** What was sent back: tags, and dates. @param {any} record */
export function sentBack(record) {
  const of = (names) => names.flatMap((name) => linesOf(record.request.headers, name));
  const tags = of(TAGS).flatMap(membersOf).filter((tag) => tag !== "*");
  const dates = of(DATES);
  return { tags, dates };
}

/**
 * @param {any} record
 * @param {any[]} records of the same resource
 * @param {any|null} resource what the ledger knows of it
 * @returns {Origin|null}
 */
export function lineageOf(record, records, resource) {
  const { tags, dates } = sentBack(record);
  if (!tags.length && !dates.length) return null;
  const began = beganAt(record.id) ?? Date.parse(record.at);
  const earlier = records.filter((one) => one.id !== record.id && (beganAt(one.id) ?? Infinity) < began);
  const fits = [(tag) => tags.includes(tag), (tag) => tags.map(core).includes(core(tag))];
  for (const [at, fit] of fits.entries()) {
    const found = ofRecords(record, earlier, fit, dates) ?? ofSightings(record, resource, fit, dates, began);
    if (found) return { ...found, exact: at === 0 };
  }
  return null;
}

/** The latest recorded answer that gave it, to this client before others, by a read before others. */
function ofRecords(record, earlier, fit, dates) {
  const gave = (one) => {
    const headers = one.response?.headers;
    return linesOf(headers, "etag").some(fit) || linesOf(headers, "last-modified").some((date) => dates.includes(date));
  };
  const rank = (one) => (one.client === record.client ? 2 : 0) + (isRead(one.request.method) && one.response.status === 200 ? 1 : 0);
  const found = earlier.filter(gave).sort((one, other) => rank(other) - rank(one) || beganAt(other.id) - beganAt(one.id))[0];
  if (!found || (found.client !== record.client && found.response.status === 412)) return null;
  return {
    at: found.at,
    method: found.request.method,
    status: found.response.status,
    client: found.client,
    exchange: found.id,
    coding: linesOf(found.response.headers, "content-encoding").join(", ") || null,
    by: "",
    leg: responseLeg(found),
  };
}

/** What the ledger remembers of it: only this side of the gateway. */
function ofSightings(record, resource, fit, dates, began) {
  const sightings = (resource?.validators ?? []).filter((seen) => (seen.etag !== null && fit(seen.etag))
    || (seen.last_modified !== null && dates.includes(seen.last_modified)));
  const given = sightings.flatMap((seen) => seen.given_to.map((to) => ({ seen, to })))
    .filter(({ to }) => Date.parse(to.at) < began);
  const rank = ({ seen, to }) => (to.client === record.client ? 2 : 0) + (seen.by === "a read" ? 1 : 0);
  const found = given.sort((one, other) => rank(other) - rank(one) || Date.parse(other.to.at) - Date.parse(one.to.at))[0];
  if (!found || (found.to.client !== record.client && found.seen.status === 412)) return null;
  const { seen, to } = found;
  const row = (field, value) => ({ field, near: { lines: [value] }, far: { unknown: "this answer has no record of its own" }, alteration: null });
  const beside = wayOf(record).between.kind === "why412";
  const seenHere = (field, value) => (beside ? { ...row(field, value), far: { lines: [value] } } : row(field, value));
  const rows = [["ETag", seen.etag], ["Last-Modified", seen.last_modified]].filter(([, value]) => value !== null);
  return {
    at: to.at,
    method: null,
    status: seen.status,
    client: to.client,
    exchange: null,
    coding: seen.coding,
    by: seen.by,
    leg: { toOrigin: false, rows: rows.map(([field, value]) => seenHere(field, value)) },
  };
}

/** The members of a list of tags; RFC 9110 §8.8.3: a comma within quotes separates nothing. @param {string} value */
function membersOf(value) {
  return (value.match(/(?:[^",]|"[^"]*"?)+/g) ?? []).map((member) => member.trim()).filter((member) => member !== "");
}

/** A tag without what clients lose or add: strength, quotes, and the escapes of quotes. @param {string} tag */
function core(tag) {
  return tag.trim().replace(/^W\//i, "").replaceAll("&quot;", "").replaceAll(/["'\\]/g, "");
}
