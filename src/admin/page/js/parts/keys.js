// The keyboard: keys that work everywhere, keys of the view that is shown, and the list of them all.

import { address } from "../address.js";
import { h } from "../dom.js";

/** @typedef {{keys: string[], says: string, does: (event: KeyboardEvent) => void}} Binding */

/** Of the view that is shown. @type {Binding[]} */
let ofView = [];

/**
 * Sets the keys of a view. @param {Binding[]} bindings
 * @returns {() => void} takes them away
 */
export function bind(bindings) {
  ofView = bindings;
  return () => { if (ofView === bindings) ofView = []; };
}

const VIEWS = { 1: "exchanges", 2: "routes", 3: "bypass", 4: "pair", 5: "catalogue" };

/** @type {Binding[]} */
const EVERYWHERE = [
  { keys: ["/"], says: "Search", does: search },
  { keys: ["Escape"], says: "Leave a field; go back to the list", does: back },
  { keys: Object.keys(VIEWS), says: "Exchanges, routes, bypass, pair, catalogue", does: (event) => address.go({ view: VIEWS[event.key] }) },
  { keys: ["?"], says: "Show these keys", does: () => showKeys() },
];

const NAMES = { ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", " ": "Space" };

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const target = /** @type {Element} */ (event.target);
    const writing = target.matches?.("input, select, textarea, [contenteditable]");
    if (writing) {
      if (event.key !== "Escape") return;
      // A field for searches would be emptied.
      event.preventDefault();
      /** @type {HTMLElement} */ (target).blur();
      return;
    }
    const binding = [...ofView, ...EVERYWHERE].find((one) => one.keys.includes(event.key));
    if (!binding) return;
    event.preventDefault();
    binding.does(event);
  });
}

/** Shows what every key does. */
export function showKeys() {
  const line = ({ keys, says }) => [
    h("dt", null, ...keys.flatMap((key, at) => [at ? " " : null, h("kbd", null, NAMES[key] ?? key)])),
    h("dd", null, says),
  ];
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": "keys-title", id: "keys" },
    h("form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); dialog.close(); } },
      h("h2", { id: "keys-title" }, "Keys"),
      h("dl", { class: "keys" }, [...ofView, ...EVERYWHERE].map(line)),
      h("div", { class: "dialog-actions" }, h("button", { class: "button", type: "submit" }, "Close"))));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** To the search of the view, or else to that of the list. */
function search() {
  const field = /** @type {HTMLInputElement|null} */ (document.querySelector("[data-search]"));
  if (field) {
    field.focus();
    field.select();
  } else {
    address.go({ view: "exchanges" });
    whenThere("[data-search]", (found) => found.focus());
  }
}

/** From an exchange, or from another view, to the list; its filters stand in the URL of an exchange. */
function back() {
  const state = address.read();
  if (state.exchange) address.go({ exchange: null });
  else if (state.view) address.go({ view: "exchanges" });
}

function whenThere(selector, then, tries = 60) {
  const found = document.querySelector(selector);
  if (found) then(found);
  else if (tries > 0) requestAnimationFrame(() => whenThere(selector, then, tries - 1));
}
