// What surrounds every view: where one can go, how the feed and the pair are doing, and what everybody has to know.

import { api } from "../api.js";
import { address } from "../address.js";
import { fill, h } from "../dom.js";
import { feed } from "../feed.js";
import { status } from "./status.js";

const VIEWS = [["exchanges", "Exchanges"], ["routes", "Routes"], ["bypass", "Bypass"], ["pair", "Pair"], ["catalogue", "Catalogue"]];

/** Makes the shell and returns where the view goes. @param {() => void} showKeys */
export function makeShell(showKeys) {
  const root = h("main", { id: "view", tabindex: "-1" });
  const banner = h("div", { class: "banners", role: "status" });
  const nav = h("nav", { class: "nav", "aria-label": "Views" });
  const state = h("div", { class: "header-state" });
  document.body.append(
    h("a", { class: "skip", href: "#view" }, "To the content"),
    h("header", { class: "header" }, h("a", { class: "brand", href: "/" }, "why412"), nav, state),
    banner,
    root,
  );
  const draw = () => {
    fill(nav, links());
    fill(state, feedLight(), pairLight(), themeSwitch(), tokenButton(),
      h("button", { class: "button-quiet", type: "button", title: "Keys (?)", onclick: showKeys }, "?"));
    fill(banner, banners());
  };
  for (const [target, event] of [[feed, "state"], [status, "change"], [api.changes, "token"]]) target.addEventListener(event, draw);
  address.subscribe(draw);
  draw();
  return root;
}

function links() {
  const now = address.read();
  const current = now.view ?? "exchanges";
  const views = status.value?.demo ? [["demo", "Demo"], ...VIEWS] : VIEWS;
  return views.map(([view, title]) => h("a", {
    href: address.link({ view }), class: "nav-link", "aria-current": view === current ? "page" : null,
  }, title));
}

const FEED_SAYS = { connecting: "connecting", live: "live", reconnecting: "reconnecting", paused: "paused" };

function feedLight() {
  return h("span", { class: `light light-${feed.state}`, role: "status", id: "feed-state" }, FEED_SAYS[feed.state]);
}

function pairLight() {
  const pairing = status.value?.pairing;
  if (!pairing) return null;
  return h("a", { class: `light light-pair-${pairing.state}`, href: address.link({ view: "pair" }), title: pairing.says }, pairing.state === "alone" ? "alone" : "pair");
}

function tokenButton() {
  if (api.token === null) return null;
  return h("button", { class: "button-quiet", type: "button", onclick: () => api.forgetToken() }, "Forget token");
}

function themeSwitch() {
  const now = document.documentElement.dataset.theme ?? "auto";
  const next = { auto: "light", light: "dark", dark: "auto" }[now];
  const choose = () => {
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    localStorage.setItem("why412-theme", next);
    feed.dispatchEvent(new Event("state"));
  };
  return h("button", { class: "button-quiet", type: "button", title: `Colours: ${now}; choose ${next}`, onclick: choose }, now);
}

function banners() {
  const said = [];
  if (!status.reachable) said.push(h("p", { class: "banner banner-bad" }, "The instance cannot be reached. Trying again."));
  if (status.bypasses.length) {
    const scope = status.bypasses.map((bypass) => bypass.route ?? "all routes").join(", ");
    said.push(h("p", { class: "banner banner-warn" }, `A bypass is on for ${scope}. `,
      h("a", { href: address.link({ view: "bypass" }) }, "Look at it")));
  }
  return said;
}
