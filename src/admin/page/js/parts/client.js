// Clients as they are told apart on the page: a letter in the order in which they appear, a colour, and their name. The
// letter and the name say it alone; the colour only helps.

import { h } from "../dom.js";

const COLOURS = 6;

/** Gives each client of one picture its letter. */
export class Clients {
  #known = /** @type {Map<string, number>} */ (new Map());

  /** @param {...(string|null|undefined)} clients in the order in which they are to be lettered */
  constructor(...clients) {
    for (const client of clients) this.#number(client);
  }

  /** @param {string|null|undefined} client */
  label(client) {
    if (!client) return h("span", { class: "client client-unknown" }, "unknown client");
    const number = this.#number(client);
    return h("span", { class: `client client-${number % COLOURS}`, title: `client ${client}` },
      h("span", { class: "client-letter" }, letter(number)), h("code", null, client));
  }

  /** @param {string|null|undefined} client */
  colour(client) {
    return client ? `client-${this.#number(client) % COLOURS}` : "client-unknown";
  }

  get size() {
    return this.#known.size;
  }

  #number(client) {
    if (!client) return 0;
    if (!this.#known.has(client)) this.#known.set(client, this.#known.size);
    return this.#known.get(client) ?? 0;
  }
}

function letter(number) {
  const first = String.fromCharCode(65 + (number % 26));
  return number < 26 ? first : `${first}${Math.floor(number / 26)}`;
}
