// Starts everything, and shows the view that the URL names.

import { address } from "./address.js";
import { api } from "./api.js";
import { fill, h } from "./dom.js";
import { feed } from "./feed.js";
import { startKeys } from "./parts/keys.js";
import { makeShell } from "./parts/shell.js";
import { status } from "./parts/status.js";
import { applyTheme } from "./parts/theme.js";
import { askForToken } from "./parts/token.js";

/**
 * A view is a module with a `title` and `show(root, state, app)`, which returns what takes further states and ends it.
 * @typedef {{title: string, show: (root: HTMLElement, state: Record<string, string>, app: App) => Shown}} View
 * @typedef {{update: (state: Record<string, string>) => void, close: () => void}} Shown
 * @typedef {{api: typeof api, feed: typeof feed, address: typeof address, status: typeof status}} App
 */

/** @type {Record<string, () => Promise<View>>} */
const VIEWS = {
  exchanges: () => import("./views/exchanges.js"),
  exchange: () => import("./views/exchange.js"),
  resource: () => import("./views/resource.js"),
  routes: () => import("./views/routes.js"),
  bypass: () => import("./views/bypass.js"),
  pair: () => import("./views/pair.js"),
  catalogue: () => import("./views/catalogue.js"),
  demo: () => import("./views/demo.js"),
};

const app = { api, feed, address, status };

/** What is shown: its name, and what it returned. @type {{name: string, shown: Shown|null}} */
let current = { name: "", shown: null };
let root;
/** Whether a view has been shown already. */
let arrived = false;

async function showState(state) {
  const name = state.exchange ? "exchange" : (state.view ?? "exchanges");
  if (current.name === name && current.shown) {
    current.shown.update(state);
    return;
  }
  current.shown?.close();
  const mine = (current = { name, shown: null });
  fill(root);
  window.scrollTo({ top: 0, behavior: "instant" });
  const load = Object.hasOwn(VIEWS, name) ? VIEWS[name] : null;
  if (!load) {
    document.title = "why412";
    fill(root, h("p", { class: "problem" }, "There is no such view. ", h("a", { href: "/" }, "To the exchanges")));
    return;
  }
  let view;
  try {
    view = await load();
  } catch (error) {
    console.warn(error);
    if (current === mine) fill(root, h("p", { class: "problem" }, `The part of the page for “${name}” could not be loaded.`));
    return;
  }
  // Somebody may have gone on in the meantime.
  if (current !== mine) return;
  document.title = `${view.title} · why412`;
  mine.shown = view.show(root, address.read(), app);
  // What had the focus is gone with the view it was in; the keyboard goes on from the new one.
  if (document.activeElement === document.body && arrived) root.focus({ preventScroll: true });
  arrived = true;
}

function start() {
  applyTheme();
  api.onTokenNeeded(askForToken);
  root = makeShell();
  address.start();
  startKeys();
  address.subscribe(showState);
  showState(address.read());
  status.start();
  feed.start();
}

start();
