// The catalogue: every cause and every hazard, what happened, how we know, what to do.

import { address } from "../address.js";
import { fill, h } from "../dom.js";
import { catalogue, colourOf, partiesOf } from "../parts/catalogue.js";
import { bind } from "../parts/keys.js";

export const title = "Catalogue";

/** @param {HTMLElement} root @param {Record<string, string>} state */
export function show(root, state) {
  const search = h("input", {
    class: "input", type: "search", "aria-label": "Search the catalogue", placeholder: "Search the catalogue…", dataset: { search: "" },
    spellcheck: "false", autocomplete: "off", oninput: () => filter(),
  });
  const body = h("div", { class: "section" }, h("p", { class: "quiet" }, "Reading…"));
  const none = h("p", { class: "empty", hidden: true }, "No entry says that.");
  fill(root, h("div", { class: "page" }, h("div", { class: "page-head" }, h("h1", null, "Catalogue"), search), body, none));
  /** @type {{element: HTMLDetailsElement, text: string, id: string}[]} */
  let entries = [];

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { element, text } of entries) element.hidden = !words.every((word) => text.includes(word));
    for (const section of body.querySelectorAll("section")) section.hidden = !section.querySelector("details:not([hidden])");
    none.hidden = entries.some(({ element }) => !element.hidden);
  }

  function open(id) {
    const found = entries.find((one) => one.id === id);
    if (!found) return;
    search.value = "";
    filter();
    found.element.open = true;
    found.element.scrollIntoView({ block: "start" });
    found.element.querySelector("summary").focus({ preventScroll: true });
  }

  const move = (by) => {
    const shown = entries.filter(({ element }) => !element.hidden).map(({ element }) => element.querySelector("summary"));
    const at = shown.indexOf(document.activeElement);
    shown[Math.min(Math.max(at + by, 0), shown.length - 1)]?.focus();
  };
  const unbind = bind([
    { keys: ["j", "ArrowDown"], says: "Next entry", does: () => move(1) },
    { keys: ["k", "ArrowUp"], says: "Entry before", does: () => move(-1) },
  ]);

  catalogue().then(({ causes, hazards }) => {
    const make = (one) => {
      const element = article(one);
      entries.push({ element, id: one.id, text: JSON.stringify(one).toLowerCase() });
      return element;
    };
    fill(body,
      h("section", { class: "section" }, h("h2", null, "Causes of a 412"),
        h("p", { class: "quiet" }, "In their order of precedence: where several are true at once, the first is named, and the others stand behind it."), causes.map(make)),
      h("section", { class: "section" }, h("h2", null, "Hazards"), h("p", { class: "quiet" }, "Damage or waste that no 412 shows."), hazards.map(make)));
    if (state.entry) open(state.entry);
  }, (error) => fill(body, h("p", { class: "problem" }, error.message)));

  return { update: (changed) => { if (changed.entry) open(changed.entry); }, close: unbind };
}

function article(one) {
  const isCause = one.kind === "cause";
  return /** @type {HTMLDetailsElement} */ (h("details", { class: `entry ${isCause ? colourOf(one.id) : ""}`, id: one.id },
    h("summary", null, h("code", { class: "entry-id" }, one.id), h("span", { class: "entry-title" }, one.title),
      one.party ? h("span", { class: "party entry-party" }, partiesOf(one.id)) : null),
    h("div", { class: "entry-body" },
      h("p", null, one.explanation),
      h("h3", null, "What to do"), fixes(one.fix),
      one.details.length ? [h("h3", null, "Finer distinctions"), h("dl", { class: "entry-details" }, one.details.map((detail) => [
        h("dt", null, h("code", null, detail.id)), h("dd", null, detail.explanation, detail.fix.length ? fixes(detail.fix) : null)]))] : null,
      one.example ? [h("h3", null, "For example"), h("pre", { class: "entry-example" }, one.example)] : null,
      h("p", { class: "quiet" }, one.specification.join(" · ")),
      h("p", null, h("a", { href: address.link({ view: "exchanges", [one.kind]: one.id }) }, "Recorded exchanges with this"), " · ",
        h("a", { href: address.link({ view: "catalogue", entry: one.id }) }, "Link to this entry")))));
}

/** The names of settings stand between backquotes. */
function fixes(list) {
  return h("ul", { class: "fixes" }, list.map((fix) => h("li", null, fix.split("`").map((part, at) => (at % 2 ? h("code", null, part) : part)))));
}
