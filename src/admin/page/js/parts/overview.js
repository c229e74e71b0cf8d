// Above the list, in one look: what is failing, why, and who has to act.

import { address } from "../address.js";
import { fill, h, visible } from "../dom.js";
import { catalogue, colourOf, entry, partiesOf } from "./catalogue.js";
import { chart, total } from "./chart.js";
import { count, percent, plural, sum } from "./numbers.js";
import { trends, nowAndThen } from "./trends.js";

const CAUSES_MAX = 5;

/** Shows it for the route that the list is filtered by, or for all. */
export class Overview {
  element = h("section", { class: "overview", "aria-label": "What fails, why, and who has to act", hidden: true });
  #route = /** @type {string|undefined} */ (undefined);
  #series = /** @type {import("./trends.js").RouteSeries[]} */ ([]);
  #minutes = 60;
  #work;

  /** @param {Record<string, string>} state */
  constructor(state) {
    this.#route = state.route;
    this.#work = nowAndThen(async (signal) => {
      const [{ minutes, routes }] = await Promise.all([trends(null, signal), catalogue()]);
      [this.#series, this.#minutes] = [routes, minutes];
      this.#draw();
    });
  }

  /** @param {Record<string, string>} state */
  update(state) {
    if (this.#route === state.route) return;
    this.#route = state.route;
    this.#draw();
  }

  close() {
    this.#work.stop();
  }

  #draw() {
    const shown = this.#series.filter((series) => !this.#route || series.route === this.#route);
    const any = shown.some((series) => sum(series.requests) > 0);
    this.element.hidden = !any;
    if (!any) return;
    const whole = total(shown);
    const pick = (from, until) => address.go({ since: new Date(from).toISOString(), until: new Date(until).toISOString() });
    fill(this.element,
      h("div", { class: "overview-text" }, headline(whole, this.#minutes, this.#route), hazards(shown)),
      chart(whole, { label: `412s over the last ${this.#minutes} min`, onpick: pick }),
      causes(whole));
  }
}

function headline(series, minutes, route) {
  const [failed, requests] = [sum(series.failed), sum(series.requests)];
  const where = [route ? [" on ", visible(route)] : null, " in the last ", period(series, minutes)];
  const share = percent(failed / Math.max(requests, 1));
  if (failed === 0) return h("p", { class: "overview-headline" }, h("b", null, "No 412"), where, ", ", plural(requests, "request"));
  return h("p", { class: "overview-headline" }, h("b", { class: "overview-number" }, count(failed)), " × 412", where,
    h("span", { class: "quiet" }, ` ${share} of ${plural(requests, "request")}`));
}

/** How long that is; less than the chart is wide after a start. */
function period(series, minutes) {
  const watched = Math.round((Date.now() - Math.max(series.watched, series.from)) / 60_000);
  const seen = Math.min(watched, minutes);
  return seen >= 59 ? "hour" : seen <= 1 ? "minute" : `${seen} min`;
}

function causes(series) {
  const found = totals(series.causes);
  const most = Math.max(1, ...found.map(([, number]) => number));
  const rest = sum(found.slice(CAUSES_MAX).map(([, number]) => number));
  const line = ([cause, number]) => h("li", null,
    h("a", { class: `cause-bar ${colourOf(cause)}`, href: address.link({ cause }), title: entry(cause)?.title },
      h("span", { class: "cause-bar-number number" }, count(number)),
      h("span", { class: "cause-bar-line", style: { "--share": `${(number / most) * 100}%` } }),
      h("span", { class: "cause-bar-name" }, cause),
      h("span", { class: "cause-bar-party party" }, partiesOf(cause))));
  return h("ul", { class: "overview-causes", "aria-label": "Causes, and who usually has to act" }, found.slice(0, CAUSES_MAX).map(line),
    rest ? h("li", { class: "overview-rest" }, h("a", { class: "quiet", href: address.link({ view: "routes" }) }, `${count(rest)} by ${plural(found.length - CAUSES_MAX, "other cause")}`)) : null);
}

function hazards(all) {
  const together = {};
  for (const series of all) {
    for (const [hazard, numbers] of Object.entries(series.hazards)) together[hazard] = (together[hazard] ?? 0) + sum(numbers);
  }
  const found = Object.entries(together).filter(([, number]) => number > 0).sort((a, b) => b[1] - a[1]);
  if (found.length === 0) return null;
  return h("p", { class: "overview-hazards" }, h("span", { class: "row-sign sign-hazard", "aria-hidden": "true" }, "▲"), "Without a 412: ",
    found.slice(0, 3).map(([hazard, number], at) => [at ? ", " : "", h("a", { href: address.link({ hazard }), title: entry(hazard)?.title }, hazard), ` ${count(number)}`]),
    found.length > 3 ? [" and ", h("a", { class: "quiet", href: address.link({ view: "routes" }) }, plural(found.length - 3, "more kind"))] : null);
}

/** @param {Record<string, number[]>} causes @returns {[string, number][]} most first */
export function totals(causes) {
  const found = Object.entries(causes).map(([cause, numbers]) => /** @type {[string, number]} */ ([cause, sum(numbers)]));
  return found.filter(([, number]) => number > 0).sort((a, b) => b[1] - a[1]);
}
