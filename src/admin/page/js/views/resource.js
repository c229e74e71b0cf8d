// One resource: its history as a line of time, the validators it has shown, and everything recorded of it.

import { fill, h, visible, visibleText } from "../dom.js";
import { Clients } from "../parts/client.js";
import { moment } from "../parts/moment.js";
import { relatedList } from "../parts/related.js";
import { happenings, timeline } from "../parts/timeline.js";

export const title = "Resource";

const RECORDS_MAX = 500;
const REFRESH_MS = 2000;

export function show(root, state, app) {
  const page = h("article", { class: "page exchange" });
  fill(root, page);
  let shown = /** @type {AbortController|null} */ (null);
  let url = "";
  let waiting = 0;

  const load = async (wanted) => {
    shown?.abort();
    shown = new AbortController();
    const { signal } = shown;
    const isNew = url !== wanted;
    url = wanted;
    document.title = `${visibleText(wanted)} · why412`;
    if (isNew) fill(page, h("p", { class: "quiet", role: "status" }, "Loading …"));
    const asked = encodeURIComponent(wanted);
    const [records, resource] = await Promise.allSettled([
      app.api.get(`/api/v1/exchanges?resource=${asked}&limit=${RECORDS_MAX}`, { signal }),
      app.api.get(`/api/v1/resources?url=${asked}`, { signal }),
    ]);
    if (!signal.aborted) draw(page, wanted, records, resource, app);
  };

  const unsubscribe = app.feed.subscribe((record) => {
    if (record.request.url !== url || waiting) return;
    waiting = window.setTimeout(() => { waiting = 0; load(url); }, REFRESH_MS);
  });
  load(state.resource ?? "");
  return {
    update(next) { if ((next.resource ?? "") !== url) load(next.resource ?? ""); },
    close() {
      unsubscribe();
      clearTimeout(waiting);
      shown?.abort();
    },
  };
}

function draw(page, url, recorded, known, app) {
  const link = (exchange) => app.address.link({ exchange });
  const records = recorded.status === "fulfilled" ? recorded.value.exchanges : [];
  const resource = known.status === "fulfilled" ? known.value : null;
  const lines = happenings(resource, records, null);
  const clients = new Clients(...lines.map((line) => line.client));
  const problems = [recorded, known].filter((one) => one.status === "rejected" && one.reason.status !== 404);
  fill(page,
    h("header", { class: "exchange-head" },
      h("h1", { class: "value" }, visible(url)),
      h("p", { class: "quiet" }, resource ? ["Known since ", moment(resource.since), resource.serves_ranges ? "; it serves ranges" : ""]
        : "The ledger knows nothing of it: it was not seen since the start, or has made room for others.")),
    problems.map((one) => h("p", { class: "problem", role: "alert" }, visible(one.reason.message))),
    h("section", { class: "section" }, h("h2", null, "What happened"),
      lines.length ? timeline(lines, clients, link) : h("p", { class: "quiet" }, "Nothing that is remembered.")),
    resource?.validators.length ? h("section", { class: "section" }, h("h2", null, "The validators it has shown"), validators(resource.validators, clients, records, link)) : null,
    h("section", { class: "section" }, h("h2", null, "Recorded of it ",
      h("a", { class: "beside", href: app.address.link({ view: "exchanges", resource: url }) }, "in the list")), relatedList(records, clients, link)));
}

function validators(seen, clients, records, link) {
  const recorded = new Set(records.map((record) => record.id));
  const value = (text) => (text === null ? h("span", { class: "quiet" }, "none") : h("code", { class: "value" }, visible(text)));
  const columns = ["ETag", "Last-Modified", "Coding", "By", "First", "Last", "Times", "Given to"];
  return h("div", { class: "wide" }, h("table", { class: "table table-stacks" },
    h("thead", null, h("tr", null, columns.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", null, seen.map((one) => h("tr", null, [
      [value(one.etag), one.double ? h("div", { class: "quiet" }, one.double.field, ": ", value(one.double.value)) : null],
      value(one.last_modified),
      one.coding === null ? h("span", { class: "quiet" }, "none") : value(one.coding),
      [recorded.has(one.exchange) ? h("a", { href: link(one.exchange) }, one.by) : one.by, `, ${one.status}`,
        one.from_store ? h("div", { class: "quiet" }, "from a store: ", one.from_store) : null, one.product ? h("div", { class: "quiet" }, one.product) : null],
      moment(one.first),
      moment(one.last),
      String(one.times),
      one.given_to.map((to) => h("div", null, clients.label(to.client), " ", moment(to.at))),
    ].map((content, at) => h("td", { dataset: { column: columns[at] } }, h("div", null, content))))))));
}
