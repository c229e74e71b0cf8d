// The history of a resource as a line of time: who read what, who wrote, what was sent and what came of it. Put together
// from what the ledger remembers and from the records, each event once.

import { h, visible } from "../dom.js";
import { beganAt, lasting, moment } from "./moment.js";
import { fieldName, isRead, linesOf } from "./observed.js";

/**
 * @typedef {{
 *   at: number, client: string|null, kind: "read"|"wrote"|"refused"|"lost"|"gone"|"other", method: string, status: number|null,
 *   sent: Array<[string, string]>, tag: string|null, date: string|null, coding: string|null, exchange: string|null,
 *   recorded: boolean, cause: string|null, note: string|null, times: number, last: number, present: boolean,
 * }} Happening
 */

const SENT = ["if-match", "if-none-match", "if-unmodified-since", "if-modified-since", "if-range"];

/** @param {any|null} resource @param {any[]} records @param {string|null} present @returns {Happening[]} */
export function happenings(resource, records, present) {
  const all = records.map((record) => ofRecord(record, present));
  const known = new Set(all.map((one) => one.exchange));
  for (const write of resource?.writes ?? []) if (!known.has(write.exchange)) all.push(ofWrite(write));
  for (const refusal of resource?.refusals ?? []) if (!known.has(refusal.exchange)) all.push(ofRefusal(refusal));
  const told = new Set(all.map((one) => one.exchange));
  for (const seen of resource?.validators ?? []) {
    if (seen.by === "the answer to a write" || seen.by === "a 412") continue;
    for (const to of seen.given_to) {
      const at = Date.parse(to.at);
      const isTold = all.some((one) => one.client === to.client && one.tag === seen.etag && Math.abs(one.at - at) < 2);
      const isLast = to === seen.given_to.at(-1) && seen.times > 0;
      if (!isTold && !(isLast && told.has(seen.exchange))) all.push(ofSighting(seen, to));
    }
  }
  if (resource?.absence) all.push(ofAbsence(resource.absence));
  return folded(all.sort((one, other) => one.at - other.at));
}

function event(of) {
  return {
    client: null, method: "", status: null, sent: [], tag: null, date: null, coding: null, exchange: null, recorded: false, cause: null,
    note: null, times: 1, last: of.at, present: false, ...of,
  };
}

function ofRecord(record, present) {
  const headers = record.response?.headers;
  const status = record.response?.status ?? null;
  const read = isRead(record.request.method);
  const good = status !== null && status < 400;
  const kind = status === 412 ? "refused" : good && read ? "read" : good ? "wrote" : "other";
  return event({
    at: beganAt(record.id) ?? Date.parse(record.at),
    client: record.client,
    kind,
    method: record.request.method,
    status,
    sent: SENT.flatMap((name) => linesOf(record.request.headers, name).map((value) => [fieldName(name), value])),
    tag: linesOf(headers, "etag")[0] ?? null,
    date: linesOf(headers, "last-modified")[0] ?? null,
    coding: linesOf(headers, "content-encoding")[0] ?? null,
    exchange: record.id,
    recorded: true,
    cause: record.diagnosis?.cause ?? record.hazards?.[0]?.hazard ?? null,
    note: record.amended_at ? "amended since" : null,
    present: record.id === present,
  });
}

function ofWrite(write) {
  const at = beganAt(write.exchange) ?? Date.parse(write.at);
  const lost = { "client-gone": "the client left before the answer", "no-answer": "no answer came" }[write.outcome] ?? null;
  const sent = write.if_match === null ? [] : [["If-Match", write.if_match]];
  const unnamed = write.conditional && write.if_match === null ? "with another condition" : null;
  return event({
    at, client: write.client, kind: lost ? "lost" : "wrote", method: write.method, status: write.status, sent, tag: write.etag, exchange: write.exchange,
    note: [lost, unnamed, write.direct ? "around the gateway" : null].filter(Boolean).join("; ") || null,
  });
}

function ofRefusal(refusal) {
  return event({
    at: beganAt(refusal.exchange) ?? Date.parse(refusal.at), client: refusal.client, kind: "refused", method: refusal.method, status: 412,
    tag: refusal.etag, exchange: refusal.exchange, note: refusal.times > 1 ? `the same ${refusal.times} times` : null,
  });
}

function ofSighting(seen, to) {
  const method = { "a read": "GET", "HEAD": "HEAD", "a 304": "GET" }[seen.by] ?? "";
  return event({
    at: Date.parse(to.at), client: to.client, kind: "read", method, status: seen.status, tag: seen.etag, date: seen.last_modified,
    coding: seen.coding, note: seen.from_store ? "out of a store" : null,
  });
}

function ofAbsence(absence) {
  return event({ at: Date.parse(absence.at), client: absence.client, kind: "gone", status: absence.status, note: absence.deleted ? "deleted" : "not found" });
}

/** What the same client does again, with the same outcome and nothing in between, is one line. @param {Happening[]} all */
function folded(all) {
  const lines = /** @type {Happening[]} */ ([]);
  const alike = (one) => JSON.stringify([one.client, one.kind, one.method, one.status, one.sent, one.tag, one.coding, one.cause]);
  for (const one of all) {
    const before = lines.at(-1);
    if (before && alike(before) === alike(one)) {
      before.times += 1;
      before.last = one.at;
      before.present ||= one.present;
      if (one.present || !before.recorded) before.exchange = one.exchange ?? before.exchange;
      before.recorded ||= one.recorded;
      before.note ??= one.note;
    } else {
      lines.push({ ...one });
    }
  }
  return lines;
}

/**
 * @param {Happening[]} lines
 * @param {import("./client.js").Clients} clients
 * @param {(id: string) => string} link
 */
export function timeline(lines, clients, link) {
  return h("ol", { class: "timeline" }, lines.map((one) => h("li", {
    class: `happening happening-${one.kind} ${clients.colour(one.client)}${one.present ? " happening-present" : ""}`,
    "aria-current": one.present ? "true" : null,
  },
  h("span", { class: "happening-at" }, moment(new Date(one.at).toISOString())),
  h("span", { class: "happening-client" }, clients.label(one.client)),
  h("span", { class: "happening-says" }, sentence(one), one.times > 1 ? times(one) : null,
    one.note ? h("span", { class: "quiet" }, ` (${one.note})`) : null,
    one.present ? [" ", h("span", { class: "chip happening-here" }, one.times > 1 ? "this exchange is one of them" : "this exchange")] : null),
  h("span", { class: "happening-link" }, one.recorded && !one.present ? h("a", { href: link(one.exchange) }, one.cause ?? "record") : one.present ? h("span", { class: "quiet" }, one.cause ?? "") : null))));
}

function times(one) {
  return h("span", { class: "happening-times" }, ` ${one.times} times within ${lasting(one.last - one.at)}`);
}

function sentence(one) {
  const given = one.tag ?? one.date;
  const tag = given === null ? "no validator" : value(given);
  const coding = one.coding ? [" in ", value(one.coding)] : null;
  const method = one.method ? h("code", null, visible(one.method)) : "a request";
  const sent = one.sent.length ? [" with ", one.sent.map(([name, text], at) => [at ? ", " : "", name, " ", value(text)])] : null;
  const bare = one.sent.length || one.note?.includes("condition") ? null : " without a condition";
  switch (one.kind) {
    case "read":
      return one.status === 304
        ? ["confirmed ", tag, sent, ", 304"]
        : ["read it by ", method, sent, " and was given ", tag, coding];
    case "wrote":
      return ["wrote by ", method, sent, bare, h("b", null, `, ${one.status}`), given === null ? ", told no new validator" : [", now ", tag]];
    case "lost":
      return ["may have written by ", method, sent, bare];
    case "refused":
      return ["was refused ", method, sent, h("b", { class: "happening-bad" }, ", 412"), given === null ? null : ["; the answer named ", tag]];
    case "gone":
      return `found that it was not there, ${one.status}`;
    case "other":
      return ["asked by ", method, sent, one.status === null ? ", no answer" : `, ${one.status}`];
  }
  return method;
}

function value(text) {
  return h("code", { class: "value" }, visible(text));
}
