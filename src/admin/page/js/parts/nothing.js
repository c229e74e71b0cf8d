// What stands in place of a list that is empty: why it is, and what to do.

import { address } from "../address.js";
import { api } from "../api.js";
import { fill, h, visible } from "../dom.js";
import { filtersOf } from "./matching.js";
import { count, plural, sum } from "./numbers.js";
import { status } from "./status.js";

/** While nothing has been recorded at all, or nothing fits the filters. */
export class Nothing {
  element = h("div", { class: "empty", hidden: true });
  #routes = /** @type {any[]|null} */ (null);
  #asked = 0;

  /** @param {Record<string, string>} state @param {boolean} searching whether older records are still looked through */
  show(state, searching) {
    this.element.hidden = false;
    if (Object.keys(filtersOf(state)).length) this.#drawFiltered(state, searching);
    else this.#drawEmpty();
  }

  hide() {
    this.element.hidden = true;
  }

  #drawFiltered(state, searching) {
    if (searching) {
      fill(this.element, h("p", null, "Looking through older records…"));
      return;
    }
    const wider = ["since", "until"].some((name) => state[name]);
    fill(this.element, h("h2", null, "Nothing recorded fits these filters"),
      h("p", null, "What comes from now on will be shown here as soon as it fits."),
      h("p", null, wider ? [h("a", { href: address.link({ since: null, until: null }) }, "Look at any time"), " · "] : null,
        h("a", { href: "/" }, "Take all filters away")));
  }

  #drawEmpty() {
    this.#ask();
    const now = status.value;
    const requests = this.#routes && sum(this.#routes.map((route) => route.requests));
    const listen = now?.listen ?? null;
    const names = (this.#routes ?? []).map((route) => route.route).filter((name) => name !== "unmatched");
    fill(this.element, h("h2", null, "Nothing to report yet"),
      h("p", null, "Watching ", listen ? h("code", null, visible(listen)) : "the traffic",
        names.length ? [`, ${plural(names.length, "route")}`, names.length <= 5 ? [": ", names.map((name, at) => [at ? ", " : "", h("code", null, visible(name))])] : null] : null,
        requests === null ? "." : requests === 0 ? ". No request has come so far: send the clients' traffic through it." : [". ", h("b", null, count(requests)), requests === 1 ? " request seen so far, and nothing wrong with it." : " requests seen so far, and nothing wrong with them."]),
      h("p", null, "Clean traffic makes no record. A line appears here for every 412, with its cause and who has to act; for damage that no 412 shows, such as a lost update; and for conditions and validators that arrive different from what was sent."),
      listen ? [h("p", null, "To see one, ask for a page of your service with a tag it never gave out. That changes nothing, and is answered with 412 where the service honours If-Match on reads:"),
        h("pre", { class: "empty-command" }, `curl -i -H 'If-Match: "never-issued"' http://${reachable(listen)}/…`)] : null,
      h("p", null, h("code", null, "why412 demo"), " shows most causes within a minute, without any other software. The ",
        h("a", { href: address.link({ view: "catalogue" }) }, "catalogue"), " explains every one."));
  }

  async #ask() {
    if (performance.now() - this.#asked < 5_000) return;
    this.#asked = performance.now();
    try {
      this.#routes = (await api.get("/api/v1/routes")).routes;
      this.#drawEmpty();
    } catch {
      // Asked again with the next look at the instance.
    }
  }
}

/** An address that listens on all interfaces is reached by one of them. */
const reachable = (listen) => listen.replace(/^(?:0\.0\.0\.0|\[::\])/, "127.0.0.1");
