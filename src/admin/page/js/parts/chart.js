// Small charts of 412s over time, stacked by cause: SVG made here, readable without seeing it, and without its colours.

import { h, svg } from "../dom.js";
import { colourOf, inOrder } from "./catalogue.js";
import { plural, sum } from "./numbers.js";
import { clock } from "./time.js";

/**
 * What is drawn: numbers per step of time. Before `watched` nobody looked.
 * @typedef {{from: number, step: number, watched: number, causes: Record<string, number[]>, failed: number[], requests: number[]}} Series
 */

const HEIGHT = 100;

/**
 * @param {Series} series
 * @param {{label: string, onpick?: (from: number, until: number) => void}} options
 */
export function chart(series, { label, onpick }) {
  const steps = series.failed.length;
  const most = Math.max(1, ...series.failed);
  const causes = inOrder(Object.keys(series.causes));
  const bars = series.failed.map((_, step) => bar(series, causes, step, most, onpick));
  const drawing = svg("svg", {
    class: "chart", viewBox: `0 0 ${Math.max(steps, 1)} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
    "aria-label": `${label}. ${says(series)}`,
  }, unwatched(series), bars);
  const until = series.from + steps * series.step;
  return h("div", { class: "chart-box" },
    h("span", { class: "chart-most quiet", "aria-hidden": "true" }, most === 1 && sum(series.failed) === 0 ? "" : most),
    drawing,
    h("div", { class: "chart-axis quiet", "aria-hidden": "true" }, h("span", null, clock(series.from)), h("span", null, clock(until))));
}

/** The time before the start of the instance: no 412s there says nothing. */
function unwatched(series) {
  const steps = Math.min((series.watched - series.from) / series.step, series.failed.length);
  if (steps < 1) return null;
  return svg("g", null, svg("title", null, `Not watched before ${clock(series.watched)}`),
    svg("rect", { class: "unwatched", x: 0, width: Math.floor(steps), y: 0, height: HEIGHT }));
}

/** The numbers of a chart as a table, for whoever cannot see it or wants them. @param {Series} series */
export function chartTable(series) {
  const causes = inOrder(Object.keys(series.causes));
  const rows = series.failed.map((failed, step) => [step, failed]).filter(([, failed]) => failed > 0).reverse();
  return h("table", { class: "table chart-table" },
    h("thead", null, h("tr", null, ...["From", "Requests", "412", "Causes"].map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", null, rows.map(([step, failed]) => h("tr", null,
      h("td", null, clock(series.from + step * series.step, series.step)),
      h("td", { class: "number" }, series.requests[step] ?? 0),
      h("td", { class: "number" }, failed),
      h("td", null, causes.filter((cause) => series.causes[cause][step]).map((cause) => `${cause} ${series.causes[cause][step]}`).join(", "))))));
}

/** The sum of several series over the same time. @param {Series[]} all @returns {Series} */
export function total(all) {
  const add = (one, other) => one.map((number, at) => number + (other[at] ?? 0));
  const causes = {};
  for (const series of all) {
    for (const [cause, numbers] of Object.entries(series.causes)) causes[cause] = causes[cause] ? add(causes[cause], numbers) : numbers;
  }
  const [first, ...others] = all;
  return {
    from: first.from, step: first.step, watched: first.watched, causes,
    failed: others.reduce((numbers, series) => add(numbers, series.failed), first.failed),
    requests: others.reduce((numbers, series) => add(numbers, series.requests), first.requests),
  };
}

function bar(series, causes, step, most, onpick) {
  const from = series.from + step * series.step;
  const title = `${clock(from, series.step)}: ${plural(series.failed[step], "412")} of ${plural(series.requests[step] ?? 0, "request")}`;
  let at = HEIGHT;
  const parts = causes.filter((cause) => series.causes[cause][step] > 0).map((cause) => {
    const height = (series.causes[cause][step] / most) * HEIGHT;
    at -= height;
    return svg("rect", { class: `fill ${colourOf(cause)}`, x: step + 0.08, width: 0.84, y: at, height: Math.max(height - 0.8, 0.8) });
  });
  const lines = causes.filter((cause) => series.causes[cause][step] > 0).map((cause) => `\n${cause} ${series.causes[cause][step]}`);
  return svg("g", { class: onpick ? "bar bar-pick" : "bar", onclick: onpick ? () => onpick(from, from + series.step) : null },
    svg("title", null, title + lines.join("")),
    svg("rect", { class: "bar-ground", x: step, width: 1, y: 0, height: HEIGHT }),
    parts);
}

function says(series) {
  const failed = sum(series.failed);
  if (failed === 0) return "No 412.";
  const causes = Object.entries(series.causes).map(([cause, numbers]) => [cause, sum(numbers)]).filter(([, number]) => number > 0);
  causes.sort((a, b) => b[1] - a[1]);
  const highest = series.failed.indexOf(Math.max(...series.failed));
  return `${plural(failed, "412")} of ${plural(sum(series.requests), "request")}, most at ${clock(series.from + highest * series.step)}: ${
    causes.map(([cause, number]) => `${cause} ${number}`).join(", ")}.`;
}
