// What surrounds every view: where one can go, how the feed and the pair are doing, and what everybody has to know.

import { address } from "../address.js";
import { api } from "../api.js";
import { fill, h, visible } from "../dom.js";
import { feed } from "../feed.js";
import { showKeys } from "./keys.js";
import { status } from "./status.js";
import { chooseTheme, theme } from "./theme.js";

const VIEWS = [["exchanges", "Exchanges"], ["routes", "Routes"], ["bypass", "Bypass"], ["pair", "Pair"], ["catalogue", "Catalogue"]];

/** Makes the shell; what it returns is where the view goes. */
export function makeShell() {
  const root = h("main", { id: "view", tabindex: "-1" });
  const skip = h("a", { class: "skip", href: "#view", onclick: (event) => { event.preventDefault(); root.focus(); } }, "To the content");
  document.body.append(skip,
    h("header", { class: "header" },
      h("a", { class: "brand", href: "/", title: "All exchanges" }, "why412"), nav(),
      h("div", { class: "header-state" }, instance(), feedLight(), pairLight(), tokenButton(), themeSwitch(),
        h("button", { class: "button-quiet", type: "button", title: "Keys (?)", "aria-label": "Keys", onclick: showKeys }, "?"))),
    banners(), root);
  return root;
}

/** Draws `element` by `draw` whenever what `read` says of one of the `sources` changes; never for nothing. */
function live(element, sources, read, draw) {
  let before = /** @type {string|null} */ (null);
  const look = () => {
    const now = JSON.stringify(read());
    if (now === before) return;
    before = now;
    draw(element);
  };
  for (const [target, event] of sources) target.addEventListener(event, look);
  look();
  return element;
}

const STATUS = /** @type {[EventTarget, string]} */ ([status, "change"]);
const FEED = /** @type {[EventTarget, string]} */ ([feed, "state"]);

function nav() {
  const link = ([view, title]) => h("a", { href: address.link({ view }), class: "nav-link", dataset: { view } }, title);
  const element = h("nav", { class: "nav", "aria-label": "Views" }, VIEWS.map(link));
  const mark = () => {
    const { exchange, view } = address.read();
    const current = exchange || view === "resource" ? "exchanges" : (view ?? "exchanges");
    for (const one of element.children) {
      if (one.dataset.view === current) one.setAttribute("aria-current", "page");
      else one.removeAttribute("aria-current");
    }
  };
  address.subscribe(mark);
  return live(element, [STATUS], () => status.value?.demo ?? false, () => {
    const there = element.querySelector("[data-view=demo]");
    if (status.value?.demo && !there) element.append(link(["demo", "Demo"]));
    if (!status.value?.demo && there) there.remove();
    mark();
  });
}

function instance() {
  return live(h("span", { class: "header-instance quiet" }), [STATUS], () => [status.value?.instance, status.value?.role, status.value?.version], (element) => {
    const { value } = status;
    element.title = value ? `Instance ${value.instance}, ${value.role}, version ${value.version}` : "";
    fill(element, value ? visible(value.instance) : null);
  });
}

const FEED_LIGHTS = { connecting: "warn", live: "good", reconnecting: "warn", paused: "off" };
const FEED_SAYS = {
  connecting: "connecting", live: "live", reconnecting: "reconnecting", paused: "paused",
};

function feedLight() {
  return live(h("span", { id: "feed-state", role: "status", title: "The live feed" }), [FEED], () => feed.state, (element) => {
    element.className = `light light-${FEED_LIGHTS[feed.state]}`;
    fill(element, FEED_SAYS[feed.state]);
  });
}

const PAIR_LIGHTS = { alone: "off", working: "good", silent: "warn", unauthentic: "bad", "no-traffic": "off" };
const PAIR_SAYS = { alone: "alone", working: "pair", silent: "pair silent", unauthentic: "pair not authentic", "no-traffic": "pair idle" };

function pairLight() {
  const element = h("a", { id: "pair-state", href: address.link({ view: "pair" }) });
  return live(element, [STATUS], () => [status.value?.pairing?.state, status.value?.pairing?.says], () => {
    const pairing = status.value?.pairing;
    element.hidden = !pairing;
    if (!pairing) return;
    element.className = `light light-${PAIR_LIGHTS[pairing.state] ?? "warn"}`;
    element.title = pairing.says;
    fill(element, PAIR_SAYS[pairing.state] ?? pairing.state);
  });
}

function tokenButton() {
  const button = h("button", { id: "forget-token", class: "button-quiet", type: "button", onclick: forget }, "Forget token");
  return live(button, [[api.changes, "token"]], () => api.token !== null, () => { button.hidden = api.token === null; });
}

/** What was shown with the token goes with it. */
function forget() {
  api.forgetToken();
  location.reload();
}

function themeSwitch() {
  const button = h("button", { id: "theme", class: "button-quiet", type: "button", onclick: () => { chooseTheme(); draw(); } });
  const draw = () => {
    const { now, next } = theme();
    button.title = `Colours: ${now}. Choose ${next}`;
    fill(button, { system: "◐", light: "○", dark: "●" }[now], h("span", { class: "seen-by-readers-only" }, `Colours: ${now}. Choose ${next}`));
  };
  draw();
  return button;
}

function banners() {
  const element = h("div", { class: "banners", role: "status" });
  const read = () => [status.reachable, status.value?.ready, status.value?.not_ready_because, status.bypasses];
  return live(element, [STATUS], read, () => fill(element, unreachable(), notReady(), bypass()));
}

function unreachable() {
  return status.reachable ? null : h("p", { class: "banner banner-bad" }, "The instance cannot be reached. What is shown is what was known before; trying again every few seconds.");
}

function notReady() {
  const { value } = status;
  if (!status.reachable || !value || value.ready !== false) return null;
  return h("p", { class: "banner banner-warn" }, "The instance is not ready", value.not_ready_because ? [": ", visible(value.not_ready_because)] : null, ".");
}

function bypass() {
  if (status.bypasses.length === 0) return null;
  const scopes = status.bypasses.map((one) => [
    one.route === null ? "all routes" : ["route ", visible(one.route)], ` until ${new Date(one.until).toLocaleTimeString()}`,
    one.direct ? ", around the gateway" : "", one.preconditions === "remove" ? ", with preconditions removed" : "",
  ]);
  return h("p", { class: "banner banner-warn", id: "bypass-banner" }, "A bypass is on: ", scopes.map((scope, at) => [at ? "; " : "", scope]), ". ",
    h("a", { href: address.link({ view: "bypass" }) }, "Look at it or end it"));
}
