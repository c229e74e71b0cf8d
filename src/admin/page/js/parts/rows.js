// One line of the list: what happened, why, who has to act, on what, when.

import { address } from "../address.js";
import { fill, h, visible, visibleText } from "../dom.js";
import { plural } from "./numbers.js";
import { age, whole } from "./time.js";

const KINDS = {
  failed: { sign: "✕", says: "412 Precondition Failed" },
  hazard: { sign: "▲", says: "Hazard: damage or waste that no 412 shows" },
  alteration: { sign: "≠", says: "Alteration: arrived different from what was sent" },
  other: { sign: "·", says: "Recorded" },
};

const PARTIES = {
  client: "client", "other-client": "other client", gateway: "gateway", origin: "origin", unknown: "unknown",
};

/**
 * What a line shows: a group, or one attempt of it.
 * @typedef {{key: string, group: import("./model.js").Group, one: import("./summary.js").Summary, nested: boolean, version: number}} Item
 */

/**
 * Makes a line that can be drawn anew for the same item.
 * @param {Item} item
 * @param {(item: Item) => void} onToggle
 */
export function makeRow(item, onToggle) {
  const element = h("li", { class: "row", dataset: { key: item.key } });
  drawRow(element, item, onToggle);
  return element;
}

/** @param {HTMLElement} element @param {Item} item @param {(item: Item) => void} onToggle */
export function drawRow(element, item, onToggle) {
  const { one, group, nested } = item;
  const focused = element.contains(document.activeElement);
  element.className = `row row-${one.kind}${nested ? " row-nested" : ""}`;
  fill(element, kind(one), what(one), party(one), target(one, item), h("span", { class: "row-route" }, visible(one.route)),
    h("span", { class: "row-client mono", title: "the client, as a shortened keyed hash" }, visible(one.client)),
    nested ? h("span", { class: "row-times" }) : times(group, one, item, onToggle),
    h("time", { class: "row-age number", datetime: new Date(one.at).toISOString(), title: whole(one.at), dataset: { at: one.at } }, age(one.at)));
  if (focused) rowLink(element)?.focus({ preventScroll: true });
}

/** The link that a line is. @param {Element} element */
export const rowLink = (element) => /** @type {HTMLAnchorElement|null} */ (element.querySelector(".row-link"));

/** Brings the ages of all lines up to date. @param {Element} root */
export function drawAges(root) {
  const now = Date.now();
  for (const time of root.querySelectorAll(".row-age")) {
    const text = age(Number(time.dataset.at), now);
    if (time.textContent !== text) time.textContent = text;
  }
}

function kind(one) {
  const { sign, says } = KINDS[one.kind];
  return h("span", { class: "row-kind", title: says },
    h("span", { class: "row-sign", "aria-hidden": "true" }, sign),
    h("span", { class: "seen-by-readers-only" }, `${says}. Status `),
    one.status === null ? h("span", { class: "quiet" }, "none") : one.status);
}

function what(one) {
  return h("span", { class: "row-what", title: [one.title, one.also && `also: ${one.also}`].filter(Boolean).map(visibleText).join("\n") },
    h("span", { class: "row-says" }, visible(one.says), one.detail ? h("span", { class: "row-detail" }, `/${one.detail}`) : null),
    one.confidence ? h("span", { class: `chip chip-${one.confidence}` }, one.confidence) : null,
    one.bypassed ? h("span", { class: "chip" }, "bypass") : null,
    h("span", { class: "row-title quiet" }, visible(one.title)));
}

function party(one) {
  if (one.party === null) return h("span", { class: "row-party" });
  return h("span", { class: `row-party party party-${one.party}`, title: "who has to act" }, PARTIES[one.party] ?? one.party);
}

function target(one, item) {
  return h("a", { class: "row-link", href: address.link({ exchange: one.id }), title: visibleText(one.url), dataset: { key: item.key } },
    h("span", { class: "row-method" }, visible(one.method)), " ",
    h("span", { class: "row-path value" }, visible(one.path)), " ",
    h("span", { class: "row-host value quiet" }, visible(one.host)));
}

function times(group, one, item, onToggle) {
  if (group.count > 1) {
    return h("button", {
      class: "row-times row-fold", type: "button", "aria-expanded": String(group.open),
      title: `${group.count} attempts with the same condition, by the same client`,
      onclick: () => onToggle(item),
    }, h("span", { "aria-hidden": "true" }, `×${group.count}`), h("span", { class: "seen-by-readers-only" }, plural(group.count, "attempt")));
  }
  const counted = `${plural(one.repeated, "more of this kind was", "more of this kind were")} counted within the minute`;
  return h("span", { class: "row-times quiet", title: one.repeated ? counted : null }, one.repeated ? `+${one.repeated}` : null);
}
