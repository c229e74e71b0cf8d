// One exchange: the picture of its way first, then the verdict with what to do, then what went before and beside it.

import { fill, h, visible, visibleText } from "../dom.js";
import { actions, probeResult } from "../parts/actions.js";
import { Clients } from "../parts/client.js";
import { copyButton } from "../parts/copy.js";
import { CONFIDENCE, confidenceChip, entryLink, evidenceList, fixList, otherCauses, partyChip, withCode } from "../parts/evidence.js";
import { lineageOf } from "../parts/lineage.js";
import { curlFold, messages, timings } from "../parts/messages.js";
import { moment } from "../parts/moment.js";
import { gist } from "../parts/gist.js";
import { fieldName } from "../parts/observed.js";
import { relatedList } from "../parts/related.js";
import { wayPicture } from "../parts/stations.js";
import { happenings, timeline } from "../parts/timeline.js";
import { merged } from "../parts/difference.js";

export const title = "Exchange";

const RECORDS_MAX = 200;

/** At most so often the neighbours are asked for again while the feed brings more. */
const REFRESH_MS = 2000;

export function show(root, state, app) {
  const page = h("article", { class: "page exchange" });
  fill(root, page);
  let shown = /** @type {AbortController|null} */ (null);
  let id = "";
  let parts = /** @type {ReturnType<typeof layout>|null} */ (null);
  let known = { record: /** @type {any} */ (null), records: /** @type {any[]} */ ([]), resource: /** @type {any} */ (null), problem: "" };
  let waiting = 0;

  const draw = () => { if (parts) drawAll(parts, known, app, (amended) => { known.record = amended; draw(); }); };

  const neighbours = async (signal) => {
    const url = encodeURIComponent(known.record.request.url);
    const [records, resource] = await Promise.allSettled([
      app.api.get(`/api/v1/exchanges?resource=${url}&limit=${RECORDS_MAX}`, { signal }),
      app.api.get(`/api/v1/resources?url=${url}`, { signal }),
    ]);
    if (signal.aborted) return;
    known.records = records.status === "fulfilled" ? records.value.exchanges : known.records;
    known.resource = resource.status === "fulfilled" ? resource.value : null;
    known.problem = records.status === "rejected" ? records.reason.message : "";
    draw();
  };

  const load = async (wanted) => {
    shown?.abort();
    shown = new AbortController();
    const { signal } = shown;
    id = wanted;
    parts = null;
    known = { record: null, records: [], resource: null, problem: "" };
    fill(page, h("p", { class: "quiet", role: "status" }, "Loading …"));
    try {
      known.record = await app.api.get(`/api/v1/exchanges/${encodeURIComponent(wanted)}`, { signal });
    } catch (error) {
      if (signal.aborted) return;
      fill(page, h("h1", null, "No such record"), h("p", { class: "problem", role: "alert" }, visible(error.detail || error.message)),
        h("p", null, h("a", { href: app.address.link({ exchange: null }) }, "To the list of exchanges")));
      return;
    }
    if (signal.aborted) return;
    document.title = `${known.record.response?.status ?? "–"} ${visibleText(known.record.request.method)} ${visibleText(pathOf(known.record.request.url))} · why412`;
    parts = layout(page);
    draw();
    await neighbours(signal);
  };

  const unsubscribe = app.feed.subscribe((record) => {
    if (!known.record || !shown) return;
    if (record.id === id) {
      known.record = record;
      draw();
    } else if (record.request.url === known.record.request.url && !waiting) {
      const { signal } = shown;
      waiting = window.setTimeout(() => { waiting = 0; if (!signal.aborted) neighbours(signal); }, REFRESH_MS);
    }
  });

  load(state.exchange);
  return {
    update(next) { if (next.exchange !== id) load(next.exchange); },
    close() {
      unsubscribe();
      clearTimeout(waiting);
      shown?.abort();
    },
  };
}

/** The places of the page, in its order; each is filled by itself, so that what is unfolded elsewhere stays so. */
function layout(page) {
  const place = (name, ...classes) => h("section", { class: ["section", `exchange-${name}`, ...classes].join(" ") });
  const parts = {
    head: h("header", { class: "exchange-head" }), actions: h("div", null), way: place("way"), verdict: place("verdict"), side: h("aside", { class: "exchange-side" }),
    history: place("history"), related: place("related"), messages: place("messages"), drawn: "",
  };
  fill(page, parts.head, parts.actions, parts.way, h("div", { class: "exchange-columns" }, parts.verdict, parts.side), parts.history, parts.related, parts.messages);
  return parts;
}

function drawAll(parts, { record, records, resource, problem }, app, onAmended) {
  const link = (exchange) => app.address.link({ exchange });
  const clients = new Clients(record.client);
  const ofOthers = records.filter((one) => one.id !== record.id);
  const origin = lineageOf(record, ofOthers, resource);
  // The record itself changes seldom; what stands beside it with every neighbour.
  const version = JSON.stringify([record.id, record.amended_at, record.repeated, record.probe]);
  if (parts.drawn !== version) {
    parts.drawn = version;
    fill(parts.head, head(record, app, clients));
    fill(parts.actions, actions(record, app, onAmended));
    fill(parts.verdict, verdict(record, app), hazards(record, app), outlook(record, app));
    fill(parts.side, side(record));
    fill(parts.messages, h("h2", null, "The messages"), messages(record), curlFold(record, app));
  }
  fill(parts.way, gist(record, origin), wayPicture(record, origin, link, clients));
  const lines = happenings(resource, [...ofOthers, record], record.id);
  const resourceLink = app.address.link({ view: "resource", resource: record.request.url });
  fill(parts.history, h("h2", null, "What happened to this resource ", h("a", { class: "beside", href: resourceLink }, "all of it")),
    problem ? h("p", { class: "problem" }, visible(problem)) : null, timeline(lines, clients, link));
  fill(parts.related, h("h2", null, "Recorded of the same resource"), relatedList(ofOthers, clients, link, record));
}

function head(record, app, clients) {
  const { diagnosis, hazards: found, alterations } = record;
  const says = diagnosis?.title ?? found[0]?.title ?? (alterations[0] ? altered(alterations[0]) : "Recorded");
  const first = diagnosis ?? found[0];
  return [
    h("p", { class: "exchange-what" },
      h("b", { class: `status status-${record.response?.status ?? "none"}` }, String(record.response?.status ?? "no answer")), " ",
      h("b", null, h("code", null, visible(record.request.method))), " ",
      h("code", { class: "value" }, visible(record.request.url))),
    h("h1", null, says),
    h("p", { class: "exchange-chips" },
      first ? entryLink(first.cause ?? first.hazard, first.detail, app.address) : null,
      first ? confidenceChip(first.confidence) : null,
      diagnosis ? partyChip(diagnosis.party) : null,
      record.bypass ? h("span", { class: "chip chip-bypass" }, `under bypass: ${record.bypass.scope}${record.bypass.direct ? ", direct" : ""}${record.bypass.preconditions === "remove" ? ", conditions removed" : ""}`) : null),
    h("p", { class: "quiet exchange-about" },
      moment(record.at), " · route ", h("a", { href: app.address.link({ view: "exchanges", route: record.route }) }, visible(record.route)),
      " · ", clients.label(record.client), " · ", h("span", null, "instance ", visible(record.instance), `, ${record.role}`),
      " · ", h("code", null, record.id), copyButton(record.id, { label: "Copy the name of the exchange" }),
      record.amended_at ? [" · amended at ", moment(record.amended_at), " by what came later"] : null),
    record.repeated ? h("p", { class: "quiet" }, `The same was seen ${record.repeated} more times within the minute, counted and not recorded.`) : null,
  ];
}

function verdict(record, app) {
  const { diagnosis } = record;
  if (!diagnosis) return null;
  return [
    h("h2", null, "What to do"), fixList(diagnosis.fix),
    h("h2", null, "What happened"), h("p", { class: "prose" }, withCode(diagnosis.explanation)),
    h("h2", null, "How we know ", h("span", { class: "beside" }, confidenceChip(diagnosis.confidence), " ", CONFIDENCE[diagnosis.confidence] ?? "")),
    evidenceList(diagnosis.evidence),
    diagnosis.others.length ? [h("h2", null, "What fits as well"), otherCauses(diagnosis.others, app.address)] : null,
  ];
}

function hazards(record, app) {
  return record.hazards.map((found, at) => h("div", { class: "hazard" },
    record.diagnosis || at ? h("h2", null, "Also: ", visible(found.title)) : null,
    record.diagnosis || at ? h("p", { class: "exchange-chips" }, entryLink(found.hazard, found.detail, app.address), confidenceChip(found.confidence)) : null,
    found.fix?.length ? [h("h3", null, "What to do"), fixList(found.fix)] : null,
    h("h3", null, "What happened"), h("p", { class: "prose" }, withCode(found.explanation)),
    h("h3", null, "How we know ", h("span", { class: "beside" }, confidenceChip(found.confidence), " ", CONFIDENCE[found.confidence] ?? "")),
    evidenceList(found.evidence)));
}

/** What an alteration that did no harm here comes to elsewhere, by what was changed on the way. */
const LEADS_TO = {
  response: { weakened: "etag-weakened", suffixed: "etag-suffixed", stripped: "etag-stripped" },
  request: { stripped: "precondition-dropped" },
};

function outlook(record, app) {
  if (record.diagnosis || record.hazards.length || !record.alterations.length) return null;
  const names = new Set(record.alterations.map((one) => LEADS_TO[one.on]?.[one.change] ?? (one.on === "request" ? "precondition-rewritten" : "etag-rewritten")));
  return [h("h2", null, "What it leads to"),
    h("p", { class: "prose" }, "Nothing was refused or lost in this exchange. But this is how ", [...names].map((name, at) => [at ? " and " : "", entryLink(name, null, app.address)]),
      " begins: once the client sends back what it was given, or writes under a condition that does not arrive as it was sent.")];
}

const KNOWN_BY = { pairing: "seen on both sides", ledger: "by other answers of this resource", double: "by a second field of the same message" };

function side(record) {
  const current = record.current;
  const bypassed = record.bypass ? `${record.bypass.scope}${record.bypass.direct ? ", around the gateway" : ""}, conditions ${record.bypass.preconditions === "remove" ? "removed" : "kept"}` : null;
  return [
    record.probe ? [h("h2", null, "Probe"), probeResult(record.probe)] : null,
    record.alterations.length ? [h("h2", null, "Alterations"), h("ul", { class: "alterations" }, record.alterations.map(alteration))] : null,
    current ? [h("h2", null, "Current, as last seen"), h("dl", { class: "pairs" },
      current.etag === null ? null : [h("dt", null, "ETag"), h("dd", null, h("code", { class: "value" }, visible(current.etag)))],
      current.last_modified === null ? null : [h("dt", null, "Last-Modified"), h("dd", null, h("code", { class: "value" }, visible(current.last_modified)))],
      h("dt", null, "Seen"), h("dd", null, moment(current.seen_at)))] : null,
    bypassed ? [h("h2", null, "Bypass"), h("p", null, bypassed)] : null,
    farSide(record),
    h("h2", null, "Time"), timings(record),
  ];
}

function farSide(record) {
  const far = record.far_side;
  if (!far) return null;
  const other = record.role === "outer" ? "inner" : "outer";
  return [h("h2", null, `The ${other} instance`), h("dl", { class: "pairs" },
    far.exchange ? [h("dt", null, "Its record"), h("dd", null, h("code", null, far.exchange), copyButton(far.exchange, { label: `Copy the name of the exchange at the ${other} instance` }))] : null,
    far.at ? [h("dt", null, "Answered"), h("dd", null, moment(far.at), h("span", { class: "quiet" }, " by its clock"))] : null,
    far.cause ? [h("dt", null, "Its verdict"), h("dd", null, h("code", null, visible(far.cause)))] : null,
    h("dt", null, "Signed"), h("dd", null, far.signed ? "yes" : far.exchange ? "no, so nothing is proven by it" : "–"),
    far.unauthentic ? [h("dt", null, "Beware"), h("dd", { class: "far-unauthentic" }, "something that looked like a mark or report was not authentic")] : null)];
}

function alteration(one) {
  const [before, after] = [one.before, one.after];
  const value = (text) => h("code", { class: "value" }, visible(text));
  const shown = before === null ? [value(after), " added"] : after === null ? [h("code", { class: "value" }, h("del", { class: "byte-removed" }, visible(before))), " removed"]
    : h("code", { class: "value" }, merged(before, after));
  return h("li", null, h("b", null, fieldName(one.field)), ` ${one.change}, on the ${one.on}: `, shown,
    h("span", { class: "quiet" }, ` (${KNOWN_BY[one.known_by] ?? one.known_by})`));
}

function altered(one) {
  return `${fieldName(one.field)} was ${one.change} on its way to the ${one.on === "request" ? "origin" : "client"}`;
}

function pathOf(url) {
  return url.replace(/^[a-z]+:\/\/[^/]*/i, "") || url;
}
