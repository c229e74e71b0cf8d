// The bypass switch: what is on and for how long, what it changes, and switching it on and off without running over what
// somebody else has switched in the meantime.

import { fill, h, visible } from "../dom.js";
import { countdown, moment } from "../parts/moment.js";
import { bypassForm, whatItChanges } from "../parts/switch.js";

export const title = "Bypass";

const PATH = "/api/v1/bypass";

/** So often is asked whether somebody else has switched. */
const REFRESH_MS = 5000;

/** A server's clock that is so near is the same: its Date has whole seconds only. */
const CLOCK_MS = 2000;

export function show(root, state, app) {
  const page = h("article", { class: "page bypass" });
  const shown = new AbortController();
  const parts = { said: h("div", { class: "bypass-said", role: "alert" }), now: h("section", { class: "section" }), form: h("section", { class: "section" }), about: h("section", { class: "section" }) };
  /** What the instance said last: the list, its tag, and how far its clock is from ours. */
  let known = { bypasses: /** @type {any[]} */ ([]), tag: "", ahead: 0 };
  let config = /** @type {any} */ (null);

  const take = async (response) => {
    const ahead = Date.parse(response.headers.get("date") ?? "") - Date.now();
    const tag = response.headers.get("etag") ?? "";
    const { bypasses } = await response.json();
    const isNews = tag !== known.tag;
    known = { bypasses, tag, ahead: Math.abs(ahead) > CLOCK_MS ? ahead : 0 };
    if (isNews) drawNow();
  };

  const read = async () => {
    try {
      await take(await app.api.fetch(PATH, { signal: shown.signal }));
    } catch (error) {
      if (!shown.signal.aborted) say(error);
    }
  };

  const say = (error) => {
    const faults = error.faults?.length ? h("ul", null, error.faults.map((fault) => h("li", null, visible(fault)))) : visible(error.detail || error.message);
    fill(parts.said, h("div", { class: "problem" }, faults));
  };

  /**
   * Switches on the ground of what is shown; where that is outdated, shows what is now and asks again.
   * @param {string} doing in words @param {string} path @param {{method: string, body?: any}} how
   */
  const change = async (doing, path, how) => {
    fill(parts.said);
    try {
      await take(await app.api.fetch(path, { ...how, headers: { "If-Match": known.tag } }));
      app.status.refresh?.();
    } catch (error) {
      if (error.status !== 412) {
        say(error);
        return;
      }
      await read();
      const leave = h("button", { type: "button", class: "button", onclick: () => fill(parts.said) }, "Leave it as it is");
      fill(parts.said, h("div", { class: "bypass-again" },
        h("p", null, h("b", null, "Somebody else has switched in the meantime. "), "Above is what is on now; nothing was changed for you."),
        h("div", { class: "actions-row" }, h("button", { type: "button", class: "button button-primary", onclick: () => change(doing, path, how) }, `All the same: ${doing}`), leave)));
      leave.focus();
    }
  };

  const switchOn = (wanted) => change("switch it on", PATH, { method: "PUT", body: wanted });
  const switchOff = (route) => {
    const own = route === null ? known.bypasses.length > 1 : false;
    if (own) return change("switch all of them off", PATH, { method: "DELETE" });
    return change("switch it off", route === null ? PATH : `${PATH}?route=${encodeURIComponent(route)}`, { method: "DELETE" });
  };

  const drawNow = () => fill(parts.now, h("h2", null, "Now"), current(known, config, switchOff));

  const tick = () => {
    const now = Date.now() + known.ahead;
    for (const place of parts.now.querySelectorAll("[data-until]")) {
      const left = Number(place.dataset.until) - now;
      place.textContent = left > 0 ? countdown(left) : "over";
      if (left <= 0) read();
    }
  };

  const start = async () => {
    fill(page, h("h1", null, "Bypass"), h("p", { class: "prose" }, "Asks the caches on the way to stand aside for a while, to find out whether an old copy is to blame. It always ends by itself."),
      parts.now, parts.said, parts.form, parts.about);
    await read();
    try {
      config = await app.api.get("/api/v1/config", { signal: shown.signal });
    } catch (error) {
      if (!shown.signal.aborted) say(error);
      return;
    }
    drawNow();
    tick();
    fill(parts.form, h("h2", null, "Switch on"), bypassForm(config, switchOn));
    fill(parts.about, h("h2", null, "What it changes"), whatItChanges(config));
    await disobeyed();
  };

  const disobeyed = async () => {
    const seen = await app.api.get("/api/v1/exchanges?hazard=bypass-disobeyed&limit=5", { signal: shown.signal }).catch(() => null);
    if (!seen?.exchanges.length) return;
    parts.about.append(h("h3", null, "Caches seen not to obey"), h("ul", { class: "plain" }, seen.exchanges.map((record) => h("li", null,
      h("a", { href: app.address.link({ exchange: record.id }) }, moment(record.at)), " ", visible(record.request.url)))));
  };

  fill(root, page);
  start();
  const timers = [window.setInterval(tick, 1000), window.setInterval(() => { if (!document.hidden) read(); }, REFRESH_MS)];
  return {
    update() {},
    close() {
      timers.forEach(clearInterval);
      shown.abort();
    },
  };
}

/** What is on: for all routes, and route by route. */
function current({ bypasses, ahead }, config, switchOff) {
  const of = (route) => bypasses.find((one) => one.route === route);
  const forAll = of(null);
  const routes = (config?.route ?? []).map((route) => route.name);
  const gone = bypasses.map((one) => one.route).filter((route) => route !== null && !routes.includes(route));
  const scopes = [null, ...routes, ...gone];
  return h("table", { class: "table bypass-table" },
    h("thead", null, h("tr", null, ["Scope", "State", "Ends in", ""].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", null, scopes.map((route) => row(route, of(route), forAll, ahead, bypasses.length, switchOff))));
}

function row(route, own, forAll, ahead, count, switchOff) {
  const scope = route === null ? "all routes" : route;
  const active = own ?? (route === null ? undefined : forAll);
  const until = active ? Date.parse(active.until) : 0;
  const state = own ? "on" : active ? "on, with all routes" : "off";
  const details = active ? [active.direct ? "traffic goes around the gateway" : null, active.preconditions === "remove" ? "conditions are removed" : null].filter(Boolean) : [];
  return h("tr", { class: active ? "bypass-on" : null, dataset: { scope: route ?? "" } },
    h("th", { scope: "row" }, visible(scope)),
    h("td", null, h("span", { class: `light light-${own ? "warn" : active ? "warn" : "off"}` }, state),
      details.length ? h("div", { class: "quiet" }, details.join("; ")) : null,
      active?.warning ? h("div", { class: "bypass-warning" }, visible(active.warning)) : null),
    h("td", null, active ? [h("b", { class: "bypass-left", dataset: { until: String(until) } }, countdown(until - Date.now() - ahead)), h("span", { class: "quiet" }, " at ", moment(active.until))] : "–"),
    h("td", { class: "bypass-off" }, own ? h("button", { type: "button", class: "button", onclick: () => switchOff(route) },
      route === null && count > 1 ? "Switch all off" : "Switch off") : null));
}
