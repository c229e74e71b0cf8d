// Per route: the rate of 412s over time, and their causes.

import { address } from "../address.js";
import { api } from "../api.js";
import { fill, h, visible } from "../dom.js";
import { catalogue, colourOf, entry, partiesOf } from "../parts/catalogue.js";
import { chart, chartTable } from "../parts/chart.js";
import { count, percent, plural, sum } from "../parts/numbers.js";
import { totals } from "../parts/overview.js";
import { nowAndThen, PERIODS, trends } from "../parts/trends.js";

export const title = "Routes";

/** @param {HTMLElement} root */
export function show(root) {
  let wanted = /** @type {number|null} */ (null);
  const cards = h("ul", { class: "route-cards" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const period = h("select", { class: "select", "aria-label": "Period", onchange: () => { wanted = Number(period.value); work.again(); } },
    PERIODS.map((value) => h("option", { value }, `last ${value} min`)));
  fill(root, h("div", { class: "page" }, h("div", { class: "page-head" }, h("h1", null, "Routes"), period), problem, cards));
  const work = nowAndThen(async (signal) => {
    try {
      const [{ minutes, routes: series }, { routes }] = await Promise.all([trends(wanted, signal), api.get("/api/v1/routes", { signal }), catalogue()]);
      // What is open, or has the focus, must not be drawn anew under the reader.
      if (cards.contains(document.activeElement) || cards.querySelector("details[open]")) return;
      problem.hidden = true;
      period.value = String(minutes);
      drawCards(cards, series, routes, minutes);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      problem.hidden = false;
      problem.textContent = error.message;
    }
  });
  return { update() {}, close: () => work.stop() };
}

function drawCards(cards, series, routes, minutes) {
  const all = routes.map((totalsOfRoute) => ({ totalsOfRoute, series: series.find((one) => one.route === totalsOfRoute.route) }));
  const busy = all.filter(({ totalsOfRoute }) => totalsOfRoute.requests > 0);
  busy.sort((a, b) => sum(b.series?.failed ?? []) - sum(a.series?.failed ?? []) || b.totalsOfRoute.requests - a.totalsOfRoute.requests);
  const idle = all.filter(({ totalsOfRoute }) => totalsOfRoute.requests === 0 && totalsOfRoute.route !== "unmatched");
  fill(cards, busy.map((one) => card(one, minutes)),
    idle.length ? h("li", { class: "quiet" }, "No request so far: ", idle.map(({ totalsOfRoute }, at) => [at ? ", " : "", visible(totalsOfRoute.route)])) : null,
    busy.length === 0 && idle.length === 0 ? h("li", { class: "empty" }, "There are no routes.") : null);
}

function card({ totalsOfRoute, series }, minutes) {
  const { route, requests, precondition_failed: failed } = totalsOfRoute;
  const here = { view: "exchanges", route };
  const recent = series ? sum(series.failed) : 0;
  return h("li", { class: "route-card" },
    h("div", { class: "route-head" },
      h("h2", null, h("a", { href: address.link(here) }, visible(route))),
      h("p", null, h("b", null, count(recent)), ` × 412 `, h("span", { class: "quiet" },
        series ? `${percent(recent / Math.max(sum(series.requests), 1))} of ${plural(sum(series.requests), "request")}` : ""))),
    series ? h("a", { class: "route-chart", href: address.link(here), "aria-label": `The exchanges of route ${route}` },
      chart(series, { label: `412s of route ${route} over the last ${minutes} minutes` })) : null,
    series ? causeTable(route, totals(series.causes), recent) : null,
    hazardLine(route, series),
    h("p", { class: "quiet route-since" }, `Since the start: ${count(failed)} × 412 of ${plural(requests, "request")}, ${percent(totalsOfRoute.precondition_failed_rate)}. `,
      alterations(totalsOfRoute.alterations)),
    series && recent > 0 ? h("details", null, h("summary", null, "The chart as a table"), h("div", { class: "scrolls" }, chartTable(series))) : null);
}

function causeTable(route, causes, all) {
  if (causes.length === 0) return h("p", { class: "quiet" }, "No 412 in that time.");
  const line = ([cause, number]) => h("tr", { class: colourOf(cause) },
    h("td", null, h("span", { class: "swatch", "aria-hidden": "true" }), h("a", { href: address.link({ view: "exchanges", route, cause }), title: entry(cause)?.title }, cause)),
    h("td", null, h("span", { class: "party" }, partiesOf(cause))),
    h("td", { class: "number" }, count(number)),
    h("td", { class: "number quiet" }, percent(number / Math.max(all, 1))));
  return h("table", { class: "table route-causes" },
    h("thead", null, h("tr", null, ["Cause", "Must act", "412s", "Share"].map((head, at) => h("th", { scope: "col", class: at > 1 ? "number" : null }, head)))),
    h("tbody", null, causes.map(line)));
}

function hazardLine(route, series) {
  const found = totals(series?.hazards ?? {});
  if (found.length === 0) return null;
  return h("p", null, h("span", { class: "row-sign sign-hazard", "aria-hidden": "true" }, "▲"), "Without a 412: ",
    found.map(([hazard, number], at) => [at ? ", " : "", h("a", { href: address.link({ view: "exchanges", route, hazard }), title: entry(hazard)?.title }, hazard), ` ${count(number)}`]));
}

function alterations(list) {
  if (list.length === 0) return null;
  const most = [...list].sort((a, b) => b.count - a.count).slice(0, 4);
  return ["Altered: ", most.map((one, at) => [at ? ", " : "", h("code", null, one.field), ` ${one.change} on the ${one.on} ${count(one.count)}`]), "."];
}
