// What happened, in as few sentences as it takes: what became of the tag on its way to the client, what the client sent
// back, what became of that, and what the origin held it against.

import { h, visible } from "../dom.js";
import { inWords } from "./difference.js";
import { evidenceSentence, MOMENT } from "./evidence.js";
import { isFromStore, isRead, requestLeg, responseLeg, same, wayOf } from "./observed.js";

/** @param {any} record @param {import("./lineage.js").Origin|null} origin @returns {HTMLElement|null} */
export function gist(record, origin) {
  const way = wayOf(record);
  const { between } = way;
  const sure = record.diagnosis?.confidence ?? record.hazards[0]?.confidence ?? "proven";
  const gateway = `${between.suspected ? "a gateway" : "the gateway"}${{ likely: " most likely", possible: " possibly" }[sure] ?? ""}`;
  const naming = refused(record, gateway);
  const sentences = record.response?.status === 412
    ? refusal(record, origin, gateway)
    : [isRead(record.request.method) || !onTheWay(record, gateway) ? null : sent(record, null), onTheWay(record, gateway), answered(record, gateway)];
  const said = sentences.filter((one) => one !== null);
  // What the 412 names is no news by itself.
  const isNews = said.length > 1 || record.response?.status !== 412 || !naming || record.diagnosis?.cause === "gateway-answered";
  return said.length && isNews ? h("p", { class: "gist" }, said.map((one, at) => [at ? " " : "", one])) : null;
}

/** What led to a 412, in the order in which it happened. */
function refusal(record, origin, gateway) {
  const gave = origin ? given(record, origin, gateway) : null;
  const facts = record.diagnosis?.evidence ?? [];
  const kind = MEANWHILE.find((one) => facts.some((fact) => fact.kind === one));
  const fact = facts.find((one) => one.kind === kind);
  const between = fact ? evidenceSentence(fact.says) : null;
  const isBefore = fact?.kind === "wrote" && Date.parse(MOMENT.exec(fact.says)?.[0] ?? "") < Date.parse(origin?.at ?? "");
  return [isBefore ? between : null, gave, sent(record, gave ? origin : null), onTheWay(record, gateway), isBefore ? null : between, refused(record, gateway)];
}

/** What decided it and is not on the way itself, most telling first: somebody wrote, the origin had carried it out before … */
const MEANWHILE = ["gone", "elsewhere", "origin-answered", "wrote", "sequence", "clocks", "malformed"];

/** What the client was given, and how that came about. */
function given(record, origin, gateway) {
  const rows = origin.leg.rows.filter((one) => one.field !== "Status");
  const row = rows.find(altered) ?? rows.find((one) => one.field === validatorOf(record)) ?? rows[0];
  if (!row || !("lines" in row.near)) return null;
  const came = tag(row.near);
  const stored = origin.leg.fromStore ? " out of a store" : null;
  if (!("lines" in row.far)) return ["The client was given ", came, stored, "."];
  if (!row.near.lines.length) return ["The origin gave ", tag(row.far), "; ", h("b", null, gateway, " removed it"), ", so the client had none to send back."];
  if (!altered(row)) return ["The client was given ", came, stored, stored ? "." : ", as the origin gave it."];
  return ["The origin gave ", tag(row.far), "; ", h("b", null, gateway, " ", changed(row.far, row.near)), ", so the client was given ", came, "."];
}

function sent(record, origin) {
  const row = condition(record);
  if (!row) return record.diagnosis?.cause === "no-precondition" ? "The request carried no condition." : null;
  const side = row.given ? { lines: row.given } : "lines" in row.near ? row.near : row.far;
  if (!("lines" in side)) return null;
  if (origin?.exact) return ["It sent that back in ", row.field, "."];
  if (!("lines" in row.near)) return [row.field, ": ", tag(side), " arrived."];
  if (!origin) return ["The client sent ", row.field, ": ", tag(side), "."];
  const had = origin.leg.rows.find((one) => one.field === "ETag")?.near;
  if (!had || !("lines" in had) || !had.lines.length) return ["It sent ", row.field, ": ", tag(side), "."];
  return [h("b", null, "The client changed it"), " and sent ", row.field, ": ", tag(side), " (", changed(had, side), ")."];
}

function onTheWay(record, gateway) {
  const row = requestLeg(record).rows.find(altered);
  if (!row || (!row.alteration && isRead(record.request.method))) return null;
  if (!row.near.lines.length) return ["On the way to the origin ", h("b", null, gateway, ` added ${row.field}: `, tag(row.far)), "."];
  return ["On the way to the origin ", h("b", null, gateway, " ", changed(row.near, row.far)), row.far.lines.length ? [": ", tag(row.far), " arrived."] : [": no ", row.field, " arrived."]];
}

function refused(record, gateway) {
  if (record.diagnosis?.cause === "gateway-answered") return ["The origin did not refuse it: ", h("b", null, gateway, " made this 412"), "."];
  if (record.diagnosis?.cause === "missing-resource") return null;
  const rows = responseLeg(record).rows;
  const current = rows.find((one) => one.field === validatorOf(record)) ?? rows.find((one) => one.field === "ETag");
  const side = current && ("lines" in current.far ? current.far : current.near);
  if (side && "lines" in side && side.lines.length === 1) return ["The 412 names ", tag(side), " as current."];
  return record.current?.etag ? ["Current, as last seen, is ", tag({ lines: [record.current.etag] }), "."] : null;
}

/** An exchange without a 412: what was changed in its answer. */
function answered(record, gateway) {
  const leg = responseLeg(record);
  if (isFromStore(record)) return "The answer came out of a store between the pair.";
  const row = leg.rows.find((one) => one.field !== "Status" && altered(one));
  if (!row) return null;
  return ["The origin gave ", row.far.lines.length ? tag(row.far) : `no ${row.field}`, "; ", h("b", null, gateway, " ", changed(row.far, row.near)),
    row.near.lines.length ? [", so the client was given ", tag(row.near), "."] : [", so the client was given none."]];
}

/** The validator that the condition is about. */
function validatorOf(record) {
  return /-since$/i.test(condition(record)?.field ?? "") ? "Last-Modified" : "ETag";
}

function condition(record) {
  return requestLeg(record).rows[0] ?? null;
}

function altered(row) {
  return "lines" in row.near && "lines" in row.far && !same(row.near.lines, row.far.lines);
}

function changed(from, to) {
  if (!from.lines.length) return "added it";
  if (!to.lines.length) return "removed it";
  return (from.lines.length === 1 && to.lines.length === 1 && inWords(from.lines[0], to.lines[0])) || "changed it";
}

function tag(side) {
  return side.lines.length ? side.lines.map((text, at) => [at ? ", " : "", h("code", { class: "bytes" }, visible(text))]) : "none";
}
