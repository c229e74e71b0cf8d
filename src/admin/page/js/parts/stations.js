// The way of an exchange as a picture: the stations, and below each what it saw of every condition and validator, one
// line per field, with what the gateway made of it in the middle. A table by its roles; a list on a narrow screen.

import { h, visible } from "../dom.js";
import { inWords, marked, unlike } from "./difference.js";
import { isRead, linesOf, requestLeg, responseLeg, same, wayOf } from "./observed.js";
import { membersOf } from "./lineage.js";
import { moment } from "./moment.js";

/**
 * @param {any} record
 * @param {import("./lineage.js").Origin|null} origin where the validator that was sent back came from
 * @param {(id: string) => string} link to an exchange
 * @param {import("./client.js").Clients} clients
 */
export function wayPicture(record, origin, link, clients) {
  const way = wayOf(record);
  const groups = [];
  if (origin) groups.push(group(readTitle(record, origin, link, clients), origin.leg, way, record, null));
  const request = requestLeg(record);
  groups.push(group(requestTitle(record), request, way, record, origin));
  groups.push(group(answerTitle(record), responseLeg(record), way, record, null));
  return h("div", { class: "way", role: "table", "aria-label": "Conditions and validators at each station" }, header(way), groups);
}

function header(way) {
  const zone = (stations, name) => h("div", { class: `way-zone way-${name}`, role: "columnheader" }, stations.map(station));
  return h("div", { class: "way-head", role: "rowgroup" },
    h("div", { class: "way-row", role: "row" },
      h("div", { class: "way-field", role: "columnheader" }, h("span", { class: "seen-by-readers-only" }, "Field")),
      zone(way.near, "near"), zone([way.between], "between"), zone(way.far, "far")));
}

function station(one) {
  const classes = ["station", `station-${one.kind}`, one.here ? "station-here" : "", one.suspected ? "station-suspected" : ""];
  return h("div", { class: classes.filter(Boolean).join(" ") },
    h("span", { class: "station-name" }, one.name), one.says ? h("span", { class: "station-says" }, one.says) : null);
}

function readTitle(record, origin, link, clients) {
  const read = origin.method ? `${origin.method} answered ${origin.status}` : `given by ${origin.by}`;
  const who = origin.client === record.client ? "to this client" : ["to ", clients.label(origin.client)];
  const when = origin.at ? [" at ", moment(origin.at)] : null;
  const title = origin.exact ? "How the client got it" : "What the client had been given";
  const shown = origin.exchange ? h("a", { href: link(origin.exchange) }, read) : read;
  return [h("b", null, title), h("span", { class: "way-about" }, shown, " ", who, when,
    origin.coding ? [", ", h("code", null, "Content-Encoding: ", visible(origin.coding))] : null)];
}

function requestTitle(record) {
  return [h("b", null, "What the client sent"), h("span", { class: "way-about" }, record.request.method, " at ", moment(record.at),
    record.request.headers.filter(([name]) => /^accept-encoding$/i.test(name))
      .map(([, value]) => [", ", h("code", null, "Accept-Encoding: ", visible(value))]))];
}

/** What tells of a cache or a gateway beside the validators. */
const TELLING = /^(?:age|via|x-cache|cache-status|cf-cache-status|x-varnish|server|content-encoding)$/i;

function answerTitle(record) {
  const telling = (record.response?.headers ?? []).filter(([name]) => TELLING.test(name));
  return [h("b", null, "The answer"), h("span", { class: "way-about" },
    telling.map(([name, value], at) => [at ? ", " : "", h("code", null, `${name}: `, visible(value))]))];
}

/** One direction: its title, and a line per field. */
function group(title, leg, way, record, origin) {
  const rows = leg.rows.length
    ? spared(leg.rows).map((row) => line(row, leg, way, record, origin))
    : [h("div", { class: "way-row way-nothing", role: "row" }, h("div", { role: "cell", class: "way-whole" }, "No condition was sent."))];
  return h("div", { class: `way-leg ${leg.toOrigin ? "way-in" : "way-out"}`, role: "rowgroup" },
    h("div", { class: "way-title", role: "row" }, h("div", { role: "cell", class: "way-whole" },
      h("span", { class: "way-arrow", "aria-hidden": "true" }, leg.toOrigin ? "→" : "←"), title)),
    rows);
}

/** Why something is not known is said once, not in every line. */
function spared(rows) {
  const why = (row) => [row.near, row.far].map((side) => side.unknown ?? "").join("|");
  const silent = (side) => ("unknown" in side ? { unknown: "" } : side);
  return rows.map((row, at) => (at > 0 && why(row) !== "|" && why(row) === why(rows[at - 1]) ? { ...row, near: silent(row.near), far: silent(row.far) } : row));
}

function line(row, leg, way, record, origin) {
  const change = changeOf(row, leg, way, record);
  const judged = leg.toOrigin ? judgedAgainst(row, record) : null;
  const names = (stations) => stations.map((one) => one.name).join(" and ");
  const bytes = (side, other, later) => (change.altered
    ? sideCell(row.field, side, other, (text, one) => marked(text, one, { later }))
    : sideCell(row.field, side, judged && membersOf(judged.lines[0]).length === membersOf(row.far.lines[0]).length ? judged : null, unlike));
  const near = bytes(row.near, row.far, !leg.toOrigin);
  const far = bytes(row.far, row.near, leg.toOrigin);
  return h("div", { class: `way-row${change.altered ? " way-altered" : ""}${change.class === "way-same" ? " way-row-same" : ""}`, role: "row", dataset: { field: row.field.toLowerCase() } },
    h("div", { class: "way-field", role: "rowheader" }, row.field),
    h("div", { class: "way-cell way-near", role: "cell", dataset: { at: names(way.near) } }, near, givenNote(row), derivedNote(row, leg, origin)),
    h("div", { class: `way-cell way-between ${change.class}`, role: "cell", dataset: { at: way.between.name } }, h("span", { class: "way-change" }, change.says)),
    h("div", { class: "way-cell way-far", role: "cell", dataset: { at: names(way.far) } }, far, judgedNote(row, judged)));
}

/** What is there, at one side; with the value it is held against, the bytes that differ are marked. */
function sideCell(field, side, other, compared) {
  if ("unknown" in side) return h("span", { class: "way-unknown" }, "not known", side.unknown ? h("span", { class: "way-note" }, side.unknown) : null);
  const note = side.says ? h("span", { class: "way-note" }, side.says) : null;
  if (!side.lines.length) return [h("span", { class: other ? "way-missing" : "way-none" }, "not there"), note];
  const one = field !== "Status" && other && "lines" in other && other.lines.length === 1 && side.lines.length === 1 ? other.lines[0] : null;
  const value = (text) => h("code", { class: "bytes" }, one === null || isDigest(text) ? visible(text) : compared(text, one));
  const whole = other && "lines" in other && !other.lines.length;
  return [side.lines.map((text) => h("div", { class: `way-value${whole ? " byte-whole" : ""}` }, value(text))), note];
}

/**
 * What the origin held a refused condition against, as its 412 says it or as it was last seen.
 * @returns {{lines: string[], says: string}|null}
 */
function judgedAgainst(row, record) {
  if (record.response?.status !== 412 || !("lines" in row.far) || row.far.lines.length !== 1 || isDigest(row.far.lines[0])) return null;
  if (record.diagnosis?.cause === "gateway-answered" || row.far.lines[0].trim() === "*") return null;
  const field = { "if-match": "etag", "if-unmodified-since": "last-modified" }[row.field.toLowerCase()];
  if (!field) return null;
  if (record.diagnosis?.cause === "missing-resource") return null;
  const named = linesOf(record.response.headers, field);
  if (named.length === 1) return { lines: named, says: "the 412 names as current" };
  const seen = field === "etag" ? record.current?.etag : record.current?.last_modified;
  return seen ? { lines: [seen], says: "was current when last seen" } : null;
}

function judgedNote(row, judged) {
  if (!judged) return null;
  const [sent, current] = [row.far.lines[0].trim(), judged.lines[0].trim()];
  const members = membersOf(sent);
  const isWeak = row.field === "If-Match" && members.length === 1 && sent.startsWith("W/");
  const says = sent !== current ? members.length > 1 && members.includes(current) ? "holds " : "not " : "equal to ";
  return h("span", { class: "way-note way-judged" }, says, h("code", { class: "bytes" }, members.length > 1 ? visible(current) : unlike(current, sent)),
    `, which ${judged.says}`, sent === current && isWeak ? "; but If-Match compares strongly, and a weak tag never matches so" : null);
}

/** What the client sent, where this instance sent another thing on. */
function givenNote(row) {
  if (!row.given) return null;
  const sent = row.given.length ? row.given.map((text) => h("code", { class: "bytes" }, visible(text))) : "not there";
  return h("span", { class: "way-note" }, "the client sent: ", sent);
}

/** How what was sent differs from what had been given. */
function derivedNote(row, leg, origin) {
  if (!leg.toOrigin || !origin || origin.exact || !("lines" in row.near) || !/^if-(?:match|none-match|range)$/i.test(row.field)) return null;
  const given = origin.leg.rows.find((one) => one.field === "ETag")?.near;
  if (!given || !("lines" in given) || given.lines.length !== 1 || row.near.lines.length !== 1) return null;
  const words = inWords(given.lines[0], row.near.lines[0]);
  return words ? h("span", { class: "way-note way-derived" }, "the client ", words) : null;
}

/** What happened between the two sides. @returns {{says: any, class: string, altered: boolean}} */
function changeOf(row, leg, way, record) {
  const own = way.between.kind === "why412";
  const [from, to] = leg.toOrigin ? [row.near, row.far] : [row.far, row.near];
  if ("unknown" in from || "unknown" in to) return { says: "not known", class: "way-open", altered: false };
  if (row.field === "Status" && !same(from.lines, to.lines)) return { says: "gave another status", class: "way-bad", altered: true };
  if (leg.fromStore) return { says: "from its store", class: "way-stored", altered: !same(from.lines, to.lines) };
  if (same(from.lines, to.lines)) return { says: own ? "passed on as it came" : "unchanged", class: "way-same", altered: false };
  // A cache that asks for itself, or has answered itself, changes the conditions of a read by right.
  const usual = leg.toOrigin && !row.alteration && isRead(record.request.method);
  const style = usual ? "way-usual" : "way-bad";
  const note = usual ? h("span", { class: "way-note" }, "usual for a cache on a read") : null;
  const says = (text) => ({ says: [text, note], class: style, altered: true });
  if (!from.lines.length) return says("added it");
  if (!to.lines.length) return says("removed it");
  if (from.lines.length > 1 || to.lines.length > 1) return says(row.alteration?.change === "merged" ? "merged the lines" : "changed the lines");
  if (isDigest(from.lines[0]) || isDigest(to.lines[0])) return digests(row, style);
  return says(inWords(from.lines[0], to.lines[0]) ?? "replaced it");
}

/** Long values travel as digests: the instance has compared them, the page cannot. */
function digests(row, style) {
  if (row.alteration) return { says: `changed it (${row.alteration.change})`, class: style, altered: true };
  return { says: "unchanged, by its digest", class: "way-same", altered: false };
}

function isDigest(text) {
  return /^\(\d+ bytes, SHA-256 begins [0-9a-f]+\)$/.test(text);
}
