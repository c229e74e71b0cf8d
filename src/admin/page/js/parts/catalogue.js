// The catalogue of causes and hazards, read once; and the colour that stands for a cause wherever it is drawn.

import { api } from "../api.js";

/** @type {Promise<{causes: any[], hazards: any[]}>|null} */
let asked = null;
/** @type {{causes: any[], hazards: any[]}|null} */
let known = null;

const SHADES = 5;

/** The whole catalogue. */
export function catalogue() {
  asked ??= api.get("/api/v1/causes").then((answer) => (known = answer), (error) => {
    asked = null;
    throw error;
  });
  return asked;
}

/** One entry, once the catalogue is there. @param {string} id */
export function entry(id) {
  return known?.causes.find((one) => one.id === id) ?? known?.hazards.find((one) => one.id === id) ?? null;
}

/**
 * The classes that colour a cause: the party's colour, in one of five shades by its place in the catalogue, so that a
 * cause looks the same everywhere and neighbours differ.
 * @param {string} id
 */
export function colourOf(id) {
  const causes = known?.causes ?? [];
  const found = causes.find((one) => one.id === id);
  const party = found?.party ?? "unknown";
  const shade = causes.filter((one) => one.party === party).findIndex((one) => one.id === id);
  return `party-${party} shade-${Math.max(0, shade) % SHADES}`;
}

/**
 * Who has to act, as far as the cause alone says: "client or origin" where only the record of a 412 does.
 * @param {string} id
 */
export function partiesOf(id) {
  const one = entry(id);
  return [one?.party, ...(one?.other_parties ?? [])].filter(Boolean).join(" or ");
}

/** Causes in the order of the catalogue, then others by name. @param {string[]} ids */
export function inOrder(ids) {
  const order = new Map((known?.causes ?? []).map((one, index) => [one.id, index]));
  return [...ids].sort((a, b) => (order.get(a) ?? Infinity) - (order.get(b) ?? Infinity) || a.localeCompare(b));
}
