// What else was recorded of a resource, the attempts of one retry loop folded into one line.

import { h, visible } from "../dom.js";
import { confidenceChip } from "./evidence.js";
import { beganAt, lasting, moment } from "./moment.js";
import { linesOf } from "./observed.js";

const CONDITIONS = ["if-match", "if-none-match", "if-unmodified-since", "if-modified-since", "if-range"];

/** A pause longer than this between two attempts ends a loop. */
const PAUSE_MAX_MS = 10 * 60_000;

/**
 * Attempts of the same client at the same thing under the same condition, newest loop first, newest attempt first.
 * @param {any[]} records @returns {any[][]}
 */
export function loops(records) {
  const ordered = [...records].sort((one, other) => began(other) - began(one));
  const found = /** @type {Array<{key: string, records: any[]}>} */ ([]);
  for (const record of ordered) {
    const key = attempt(record);
    const open = found.find((loop) => loop.key === key && began(loop.records.at(-1)) - began(record) <= PAUSE_MAX_MS);
    // An attempt that was not refused ends what went before: nobody repeats a success.
    if (open && record.response?.status === 412) open.records.push(record);
    else found.push({ key, records: [record] });
  }
  return found.map((loop) => loop.records);
}

function began(record) {
  return beganAt(record.id) ?? Date.parse(record.at);
}

function attempt(record) {
  const sent = CONDITIONS.map((name) => linesOf(record.request.headers, name));
  return JSON.stringify([record.client, record.request.method, record.request.url, sent]);
}

/**
 * @param {any[]} records without the one that is shown, if one is
 * @param {import("./client.js").Clients} clients
 * @param {(id: string) => string} link
 * @param {any} [present] the one that is shown
 */
export function relatedList(records, clients, link, present) {
  const lines = loops(present ? [...records, present] : records).filter((loop) => loop.length > 1 || loop[0] !== present);
  if (!lines.length) return h("p", { class: "quiet" }, "Nothing else was recorded of this resource.");
  return h("ul", { class: "related" }, lines.map((loop) => h("li", null,
    loop.length === 1 ? one(loop[0], clients, link, present) : folded(loop, clients, link, present))));
}

function folded(loop, clients, link, present) {
  const [last, first] = [loop[0], loop.at(-1)];
  const times = loop.filter((record) => record.response?.status === 412).length;
  const outcome = last.response?.status === 412
    ? (times === loop.length ? "all refused" : "refused again at the end")
    : `at the end ${last.response?.status ?? "no answer"}`;
  return h("details", { class: "loop", open: false },
    h("summary", null, h("span", { class: "related-line" },
      h("span", { class: "related-at" }, moment(first.at)),
      h("b", { class: `status status-${last.response?.status ?? "none"}` }, String(last.response?.status ?? "–")),
      h("span", { class: "related-what" }, h("b", null, `${loop.length} attempts`), " by ", clients.label(last.client), " with ", method(last), condition(last),
        h("span", { class: "quiet" }, `, within ${lasting(began(last) - began(first))}, ${outcome}`),
        loop.includes(present) ? [" ", h("span", { class: "chip happening-here" }, "this exchange is one of them")] : null, " ", why(last)))),
    h("ol", { class: "related related-inner", reversed: true }, loop.map((record) => h("li", null, one(record, clients, link, present)))));
}

function one(record, clients, link, present) {
  const line = [
    h("span", { class: "related-at" }, moment(record.at)),
    h("b", { class: `status status-${record.response?.status ?? "none"}` }, String(record.response?.status ?? "–")),
    h("span", { class: "related-what" }, clients.label(record.client), " ", method(record), condition(record), " ", why(record),
      record === present ? [" ", h("span", { class: "chip happening-here" }, "this exchange")] : null),
  ];
  return record === present ? h("span", { class: "related-line" }, line) : h("a", { class: "related-line", href: link(record.id) }, line);
}

function method(record) {
  return h("code", null, visible(record.request.method));
}

function condition(record) {
  const lines = CONDITIONS.flatMap((name) => linesOf(record.request.headers, name));
  return lines.length ? [" ", lines.map((value, at) => [at ? ", " : "", h("code", { class: "value" }, visible(value))])] : null;
}

function why(record) {
  if (record.diagnosis) return [h("code", { class: "cause" }, record.diagnosis.cause), " ", confidenceChip(record.diagnosis.confidence)];
  if (record.hazards?.length) return h("code", { class: "cause" }, record.hazards.map((hazard) => hazard.hazard).join(", "));
  return h("span", { class: "quiet" }, (record.alterations ?? []).map((altered) => `${altered.field} ${altered.change}`).join(", "));
}
