// Where the validator in a condition came from: the answer that gave it to the client, as the history of the resource
// tells it.

import { isRead, knownBy, linesOf, responseLeg, wayOf } from "./observed.js";
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

/**
 * What an instance behind the gateway makes of a tag that it never gave out: what it did give, altered by then.
 * @returns {Origin|null}
 */
function ofAlterations(record, resource, tags, began) {
  const altered = (record.alterations ?? []).find((one) => one.on === "response" && one.after !== null && one.before !== null && tags.includes(one.after));
  if (!altered) return null;
  const seen = (resource?.validators ?? []).filter((one) => one.etag === altered.before && one.by === "a read");
  const given = seen.flatMap((one) => one.given_to.map((to) => ({ one, to }))).filter(({ to }) => Date.parse(to.at) < began);
  const found = given.sort((one, other) => Date.parse(other.to.at) - Date.parse(one.to.at))[0];
  const row = { field: "ETag", near: { lines: [altered.after], says: "as it was sent back" }, far: { lines: [altered.before], says: knownBy(altered) }, alteration: altered };
  return {
    at: found?.to.at ?? record.at, method: null, status: found?.one.status ?? 200, client: found?.to.client ?? record.client, exchange: null, coding: null,
    by: found ? "a read" : "an earlier answer", exact: true, leg: { toOrigin: false, rows: [row] },
  };
}

/** What the verdict says of who was given it, when neither a record nor the ledger has that answer any more. @returns {Origin|null} */
function ofEvidence(record, resource, fit, dates) {
  const given = (record.diagnosis?.evidence ?? []).filter((fact) => fact.kind === "given" && fact.values?.length).map((fact) => Object.fromEntries(fact.values));
  const found = given.find((one) => fit(one.value) || dates.includes(one.value));
  if (!found) return null;
  const field = fit(found.value) ? "ETag" : "Last-Modified";
  const seen = (resource?.validators ?? []).find((one) => one.by === found.by && (field === "ETag" ? one.etag : one.last_modified) === found.value);
  return {
    at: found.at, method: null, status: seen?.status ?? 0, client: found.to ?? record.client, exchange: null, coding: found.coding ?? null, by: found.by,
    leg: seen ? ledgerLeg(record, seen) : { toOrigin: false, rows: [sightingRow(record, field, found.value, undefined)] },
  };
}

/** The validators of one answer that the ledger remembers. @returns {import("./observed.js").Leg} */
function ledgerLeg(record, seen) {
  const rows = [["ETag", seen.etag, seen.origin?.etag], ["Last-Modified", seen.last_modified, seen.origin?.last_modified]];
  return { toOrigin: false, rows: rows.filter(([, value]) => value !== null).map(([field, value, gave]) => sightingRow(record, field, value, gave)) };
}

/** One of them; `gave` is what the origin gave, null if none, undefined if that is not known. */
function sightingRow(record, field, value, gave) {
  const { between } = wayOf(record);
  const row = { field, near: { lines: [value] }, alteration: null };
  if (between.kind === "why412") return { ...row, far: { lines: [value] } };
  if (gave !== undefined) return { ...row, far: { lines: gave === null ? [] : [gave] } };
  return { ...row, far: { unknown: between.suspected ? "one instance sees one side" : "this answer has no record of its own" } };
}

/** Where a tag was taken away before the client could have it, and the verdict says so. @returns {Origin|null} */
function ofStripped(record, earlier) {
  if (record.diagnosis?.cause !== "etag-stripped") return null;
  const stripped = (one) => one.client === record.client && one.alterations.some((altered) => altered.on === "response" && altered.field === "etag" && altered.change === "stripped");
  const found = earlier.filter(stripped).sort((one, other) => beganAt(other.id) - beganAt(one.id))[0];
  if (found) return { ...answerOf(found), exact: false };
  const gave = record.diagnosis.evidence.map((fact) => Object.fromEntries(fact.values ?? [])).find((one) => one.origin !== undefined && one.client === undefined);
  if (!gave) return null;
  const row = { field: "ETag", near: { lines: [] }, far: { lines: [gave.origin] }, alteration: null };
  return { at: "", method: null, status: 200, client: record.client, exchange: null, coding: null, by: "an earlier answer", exact: false, leg: { toOrigin: false, rows: [row] } };
}

function answerOf(record) {
  return {
    at: record.at,
    method: record.request.method,
    status: record.response.status,
    client: record.client,
    exchange: record.id,
    coding: linesOf(record.response.headers, "content-encoding").join(", ") || null,
    by: "",
    leg: responseLeg(record),
  };
}

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
  const given = (fit, exact) => {
    const found = ofRecords(record, earlier, fit, dates) ?? ofEvidence(record, resource, fit, dates) ?? ofSightings(record, resource, fit, dates, began);
    // A refusal names a tag to whoever has another one already: nobody has his tag from there but by returning it.
    if (!found || (!exact && found.status === 412)) return null;
    return { ...found, leg: told(found.leg, record), exact };
  };
  return given((tag) => tags.includes(tag), true) ?? ofAlterations(record, resource, tags, began)
    ?? given((tag) => tags.map(core).includes(core(tag)), false) ?? ofStripped(record, earlier);
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
  return answerOf(found);
}

/**
 * What the verdict itself knows of the far side of that answer: by the report on it, or by other answers.
 * @param {import("./observed.js").Leg} leg @param {any} record
 */
function told(leg, record) {
  const reported = (record.diagnosis?.evidence ?? []).filter((fact) => fact.kind === "origin-gave").map((fact) => Object.fromEntries(fact.values ?? []));
  const rows = leg.rows.map((row) => {
    if (!("unknown" in row.far) || !("lines" in row.near) || row.near.lines.length !== 1) return row;
    const [near] = row.near.lines;
    const report = reported.find((one) => one.field?.toLowerCase() === row.field.toLowerCase() && one.client === near);
    if (report) return { ...row, far: { lines: report.origin === undefined ? [] : [report.origin] } };
    const altered = (record.alterations ?? []).find((one) => one.on === "response" && one.field === row.field.toLowerCase() && one.after === near);
    if (!altered) return row;
    return { ...row, alteration: altered, far: { lines: altered.before === null ? [] : [altered.before], says: knownBy(altered) } };
  });
  return { ...leg, rows };
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
  return {
    at: to.at,
    method: null,
    status: seen.status,
    client: to.client,
    exchange: null,
    coding: seen.coding,
    by: seen.by,
    leg: ledgerLeg(record, seen),
  };
}

/** The members of a list of tags; RFC 9110 §8.8.3: a comma within quotes separates nothing. @param {string} value */
export function membersOf(value) {
  return (value.match(/(?:[^",]|"[^"]*"?)+/g) ?? []).map((member) => member.trim()).filter((member) => member !== "");
}

/** A tag without what clients lose or add: strength, quotes, and the escapes of quotes. @param {string} tag */
function core(tag) {
  return tag.trim().replace(/^W\//i, "").replaceAll("&quot;", "").replaceAll(/["'\\]/g, "");
}
