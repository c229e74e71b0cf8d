// The list of what was recorded, live: what is failing, why, and who has to act.

import { address } from "../address.js";
import { ApiError } from "../api.js";
import { fill, h } from "../dom.js";
import { bind } from "../parts/keys.js";
import { Filters } from "../parts/filters.js";
import { List } from "../parts/list.js";
import { model } from "../parts/model.js";
import { Nothing } from "../parts/nothing.js";
import { count } from "../parts/numbers.js";
import { Overview } from "../parts/overview.js";
import { rowLink } from "../parts/rows.js";
import { status } from "../parts/status.js";

export const title = "Exchanges";

/** Where one was when the list was left, so that coming back finds it. @type {{at: number, selected: string|null, filters: object|null}} */
const left = { at: 0, selected: null, filters: null };

const HEADS = [["", "row-kind"], ["What happened", "row-what"], ["Must act", "row-party"], ["Request", "row-link"], ["Route", "row-route"], ["Client", "row-client"], ["", "row-times"], ["Age", "row-age"]];

/** @param {HTMLElement} root @param {Record<string, string>} state */
export function show(root, state) {
  const again = left.filters !== null && model.filters === left.filters;
  const newer = h("button", { class: "button button-primary newer", type: "button", hidden: true, onclick: toNewest });
  const list = new List(again ? left.selected : null, (number) => drawNewer(newer, number));
  const overview = new Overview(state);
  const filters = new Filters(state);
  const nothing = new Nothing();
  const problem = h("div", { class: "problem list-problem", role: "alert", hidden: true });
  const foot = h("div", { class: "list-foot quiet", role: "status" });
  const head = h("div", { class: "list-head" }, filters.element,
    h("div", { class: "row row-head", "aria-hidden": "true" }, HEADS.map(([says, name]) => h("span", { class: name }, says))));
  fill(root, h("h1", { class: "seen-by-readers-only" }, "Exchanges"), overview.element, head, problem, nothing.element, list.element, foot, newer);

  const listening = new AbortController();
  const draw = () => {
    list.take();
    list.element.setAttribute("aria-busy", String(model.state === "loading"));
    drawProblem(problem);
    drawFoot(foot);
    const empty = model.state === "ready" && model.groups.length === 0;
    head.classList.toggle("list-head-empty", empty || model.state === "failed");
    if (empty) nothing.show(address.read(), model.reading);
    else nothing.hide();
  };
  model.addEventListener("change", draw, { signal: listening.signal });
  status.addEventListener("change", () => { if (hasFailed() && status.reachable) model.reload(); else if (!nothing.element.hidden) draw(); }, { signal: listening.signal });
  const unbind = bind(keys(list));
  model.show(state, { unseen: true });
  draw();
  if (again) window.scrollTo({ top: left.at, behavior: "instant" });
  focusSelected(list, again);

  function toNewest() {
    if (model.detached) model.reload();
    list.toTop();
  }

  return {
    update(changed) {
      overview.update(changed);
      filters.update(changed);
      model.show(changed);
    },
    close() {
      Object.assign(left, { at: window.scrollY, selected: list.selected, filters: model.filters });
      listening.abort();
      unbind();
      overview.close();
      filters.close();
      list.close();
    },
  };
}

/** Whether trying again may help: not where the question itself is refused. */
const hasFailed = () => model.state === "failed" && !(model.error?.status >= 400 && model.error?.status < 500);

/** @param {List} list */
function keys(list) {
  const narrow = (by) => { if (list.current) address.go(by(list.current.one)); };
  return [
    { keys: ["j", "ArrowDown"], says: "Next line", does: () => list.move(1) },
    { keys: ["k", "ArrowUp"], says: "Line before", does: () => list.move(-1) },
    { keys: ["Enter"], says: "Open the exchange", does: () => { if (list.current) address.go({ exchange: list.current.one.id }); } },
    { keys: ["ArrowRight"], says: "Show every attempt of a retry loop", does: () => { if (list.current) model.toggle(list.current.group, true); } },
    { keys: ["ArrowLeft"], says: "Fold the attempts again", does: () => { if (list.current) model.toggle(list.current.group, false); } },
    { keys: ["r"], says: "Only this resource", does: () => narrow((one) => ({ resource: one.url })) },
    { keys: ["c"], says: "Only this cause or hazard", does: () => narrow((one) => (one.kind === "failed" ? { cause: one.says } : one.kind === "hazard" ? { hazard: one.says } : {})) },
    { keys: ["t"], says: "To the newest", does: () => list.toTop() },
  ];
}

/** One comes back to the line one left. */
function focusSelected(list, again) {
  if (!again || list.selected === null) return;
  const row = list.element.querySelector(`[data-key="${CSS.escape(list.selected)}"]`);
  if (row) rowLink(row)?.focus({ preventScroll: true });
}

function drawNewer(button, number) {
  const waiting = model.detached ? model.unseen : number;
  button.hidden = !model.detached && number === 0;
  const says = model.detached && waiting === 0 ? "To the newest" : `${count(waiting)} newer`;
  if (button.textContent !== says) button.textContent = says;
}

function drawProblem(element) {
  element.hidden = model.state !== "failed";
  if (model.state !== "failed") return;
  const error = model.error instanceof ApiError ? model.error : new ApiError({ status: -1, detail: String(model.error) });
  const unreachable = error.status === 0;
  fill(element, h("p", null, h("b", null, unreachable ? "The instance cannot be reached. " : "The instance cannot answer that. "),
    unreachable ? "Trying again every few seconds." : error.message),
  error.faults.length > 1 ? h("ul", null, error.faults.map((fault) => h("li", null, fault))) : null,
  h("p", null, h("button", { class: "button", type: "button", onclick: () => model.reload() }, "Try again"), " ",
    unreachable ? null : h("a", { class: "button", href: "/" }, "Take all filters away")));
}

function drawFoot(element) {
  const { state, reading, next, groups } = model;
  if (state === "loading" && groups.length === 0) fill(element, "Reading…");
  else if (reading) fill(element, "Reading older records…");
  else if (state !== "ready" || groups.length === 0 && next === null) fill(element);
  else if (next !== null) fill(element, h("button", { class: "button", type: "button", onclick: () => model.older() }, model.error ? "Reading failed. Try again" : "Look further back"));
  else fill(element, "Nothing older is kept.");
}
