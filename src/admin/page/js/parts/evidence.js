// A verdict in full: what it means, how sure it is and how that is known, who has to act, and what to do.

import { h, visible, visibleText } from "../dom.js";
import { copyButton } from "./copy.js";
import { moment } from "./moment.js";

/** What each word for how sure it is means. */
export const CONFIDENCE = {
  proven: "the evidence excludes the other reasons",
  likely: "the usual reason, and nothing seen speaks against it",
  possible: "it fits, and so may others",
};

/** Who has to act. */
export const PARTY = {
  "client": "the client has to act",
  "other-client": "another client wrote: nothing is broken",
  "gateway": "whoever runs the gateway has to act",
  "origin": "whoever runs the service has to act",
  "unknown": "who has to act is not known",
};

/** How sure, as a chip. @param {string} confidence */
export function confidenceChip(confidence) {
  return h("span", { class: `chip chip-${confidence}`, title: CONFIDENCE[confidence] ?? "" }, confidence);
}

/** Who has to act, as a chip. @param {string} party */
export function partyChip(party) {
  return h("span", { class: `chip party-${party}` }, PARTY[party] ?? party);
}

/**
 * The entry of the catalogue that a name leads to.
 * @param {string} name @param {string|null} detail @param {any} address
 */
export function entryLink(name, detail, address) {
  return h("a", { class: "entry-link", href: address.link({ view: "catalogue", entry: name }) },
    h("code", null, detail ? `${name}/${detail}` : name));
}

/** The sentences that say how it is known. @param {Array<{kind: string, says: string}>} evidence */
export function evidenceList(evidence) {
  if (!evidence?.length) return h("p", { class: "quiet" }, "No more than the messages themselves.");
  return h("ul", { class: "evidence" }, evidence.map((fact) => h("li", { dataset: { kind: fact.kind }, class: fact.kind === "missing" ? "evidence-missing" : null },
    evidenceSentence(fact.says))));
}

/** What to do, most effective first. @param {string[]} fix */
export function fixList(fix) {
  if (!fix?.length) return null;
  return h("ol", { class: "fix" }, fix.map((text) => h("li", null, withCode(text, { copies: true }))));
}

/** What fits as well. @param {Array<{cause: string, detail: string|null, confidence: string}>} others @param {any} address */
export function otherCauses(others, address) {
  if (!others?.length) return null;
  return h("ol", { class: "others" }, others.map((other) => h("li", null, entryLink(other.cause, other.detail, address), " ", confidenceChip(other.confidence))));
}

/** A time within a sentence. */
export const MOMENT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/;

/** The times in a sentence as all times on the page. @param {string} text */
export function evidenceSentence(text) {
  return text.split(new RegExp(`(${MOMENT.source})`)).map((part, at) => (at % 2 ? moment(part) : visible(part)));
}

/**
 * A sentence whose directives stand between backticks; with `copies`, what can be pasted gets a button for it.
 * @param {string} text @param {{copies?: boolean}} [how]
 */
export function withCode(text, { copies = false } = {}) {
  return text.split(/`([^`]+)`/).map((part, at) => {
    if (at % 2 === 0) return visible(part);
    const code = h("code", { class: "value directive" }, visible(part));
    if (!copies || !/\w{3}/.test(part)) return code;
    return h("span", { class: "directive-whole" }, code, copyButton(part, { label: `Copy ${visibleText(part)}` }));
  });
}
