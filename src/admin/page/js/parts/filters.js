// What the list is narrowed by: a field for text, a choice for each other filter, and each that is set as a thing that
// can be taken away. All of it lives in the URL.

import { address, FILTERS } from "../address.js";
import { api } from "../api.js";
import { fill, h, visible, visibleText } from "../dom.js";
import { feed } from "../feed.js";
import { catalogue } from "./catalogue.js";
import { filtersOf } from "./matching.js";
import { status } from "./status.js";
import { localInput, moment, momentSays } from "./time.js";

/** From the last key to asking. */
const TYPING_MS = 250;

const NAMES = { text: "text", route: "route", cause: "cause", hazard: "hazard", status: "status", resource: "resource", since: "since", until: "until" };
const TIMES = [["", "any time"], ["15m", "last 15 min"], ["1h", "last hour"], ["6h", "last 6 h"], ["24h", "last 24 h"], ["7d", "last 7 days"]];
const STATUSES = ["412", "200", "201", "204", "206", "304", "400", "404", "409", "416", "423", "428", "500"];

export class Filters {
  element;
  #state;
  #text;
  #resource;
  #status;
  #selects = {};
  #chips = h("div", { class: "filter-chips", hidden: true });
  #range;
  #from = h("input", { class: "input", type: "datetime-local", "aria-label": "Not before", onchange: (event) => this.#setTime("since", event.target) });
  #to = h("input", { class: "input", type: "datetime-local", "aria-label": "Not after", onchange: (event) => this.#setTime("until", event.target) });
  #more;
  #pause = h("button", { class: "button", type: "button", onclick: () => (feed.state === "paused" ? feed.resume() : feed.pause()) });
  #timer = 0;
  #typing = false;
  #filled = false;
  #listening = new AbortController();

  /** @param {Record<string, string>} state */
  constructor(state) {
    this.#state = state;
    this.#text = h("input", {
      class: "input filter-text", type: "search", "aria-label": "Search", dataset: { search: "" }, spellcheck: "false", autocomplete: "off",
      placeholder: "Search URL, header, client, id…", oninput: () => this.#typed(), onblur: () => { this.#typing = false; },
      onkeydown: (event) => { if (event.key === "Enter") this.#text.blur(); },
    });
    this.#resource = h("input", {
      class: "input filter-resource", "aria-label": "Resource: a URL, or a path with its query", placeholder: "URL or /path", spellcheck: "false",
      onchange: (event) => address.go({ resource: event.target.value.trim() }),
    });
    this.#status = h("input", {
      class: "input filter-status", "aria-label": "Status", placeholder: "status", inputmode: "numeric", list: "statuses", maxlength: 3,
      onchange: (event) => this.#setStatus(event.target),
    });
    this.#range = h("div", { class: "filter-range", hidden: true }, this.#from, h("span", { class: "quiet" }, "to"), this.#to);
    this.#more = h("div", { class: "filter-more", id: "filter-more" },
      this.#select("route", "any route"), this.#select("cause", "any cause"), this.#select("hazard", "any hazard"), this.#status,
      this.#time(), this.#resource, this.#range,
      h("datalist", { id: "statuses" }, STATUSES.map((status) => h("option", { value: status }))));
    const unfold = h("button", {
      class: "button filter-unfold", type: "button", "aria-expanded": "false", "aria-controls": "filter-more",
      onclick: () => unfold.setAttribute("aria-expanded", String(this.#more.classList.toggle("filter-more-open"))),
    }, "Filters");
    this.element = h("search", { class: "filters" },
      h("div", { class: "filter-line" }, this.#text, unfold, this.#more, this.#pause), this.#chips);
    feed.addEventListener("state", () => this.#drawPause(), { signal: this.#listening.signal });
    // Where the instance could not be reached at first, its routes are asked for once it is back.
    status.addEventListener("change", () => { if (status.reachable) this.#fillChoices(); }, { signal: this.#listening.signal });
    this.#drawPause();
    this.#draw();
    this.#fillChoices();
  }

  /** @param {Record<string, string>} state */
  update(state) {
    this.#state = state;
    this.#draw();
  }

  close() {
    clearTimeout(this.#timer);
    this.#listening.abort();
  }

  #select(name, any) {
    const select = h("select", {
      class: "select", "aria-label": name, onchange: (event) => address.go({ [name]: event.target.value }),
    }, h("option", { value: "" }, any));
    this.#selects[name] = select;
    return select;
  }

  #time() {
    const select = h("select", { class: "select", "aria-label": "time", onchange: () => this.#choseTime(select.value) },
      TIMES.map(([value, says]) => h("option", { value }, says)), h("option", { value: "range" }, "from … to …"));
    this.#selects.time = select;
    return select;
  }

  #choseTime(value) {
    this.#range.hidden = value !== "range";
    if (value !== "range") address.go({ since: value, until: null });
    else this.#from.focus();
  }

  #setTime(name, input) {
    const when = input.value === "" ? null : new Date(input.value).toISOString();
    address.go({ [name]: when });
  }

  #setStatus(input) {
    const value = input.value.trim();
    const fits = value === "" || /^[1-5]\d\d$/.test(value);
    if (fits) input.removeAttribute("aria-invalid");
    else input.setAttribute("aria-invalid", "true");
    if (fits) address.go({ status: value });
  }

  /** One entry of the history for what is typed in one go. */
  #typed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const text = this.#text.value.trim();
      if (text === (this.#state.text ?? "")) return;
      address.go({ text }, { replace: this.#typing });
      this.#typing = true;
    }, TYPING_MS);
  }

  async #fillChoices() {
    if (this.#filled) return;
    try {
      const [{ routes }, { causes, hazards }] = await Promise.all([api.get("/api/v1/routes"), catalogue()]);
      this.#choices("route", routes.map(({ route }) => [route, route]));
      this.#choices("cause", causes.map(({ id }) => [id, id]).sort());
      this.#choices("hazard", hazards.map(({ id }) => [id, id]).sort());
      this.#filled = true;
      this.#draw();
    } catch {
      // The list says what is wrong; until then what is set can still be taken away.
    }
  }

  #choices(name, options) {
    const select = this.#selects[name];
    fill(select, select.firstElementChild, options.map(([value, says]) => h("option", { value }, visibleText(says))));
  }

  #draw() {
    const state = this.#state;
    const set = (field, value) => { if (field.value !== value && field !== document.activeElement) field.value = value; };
    set(this.#text, state.text ?? "");
    set(this.#resource, state.resource ?? "");
    set(this.#status, state.status ?? "");
    for (const name of ["route", "cause", "hazard"]) choose(this.#selects[name], state[name] ?? "");
    const preset = !state.until && TIMES.some(([value]) => value === (state.since ?? ""));
    this.#selects.time.value = preset ? (state.since ?? "") : "range";
    this.#range.hidden = preset;
    set(this.#from, localInput(moment(state.since)));
    set(this.#to, localInput(moment(state.until)));
    this.#drawChips();
  }

  #drawChips() {
    const filters = filtersOf(this.#state);
    const names = FILTERS.filter((name) => filters[name]);
    this.#chips.hidden = names.length === 0;
    fill(this.#chips, names.map((name) => {
      const value = name === "since" || name === "until" ? momentSays(filters[name]) : filters[name];
      return h("a", { class: "chip filter-chip", href: address.link({ [name]: null }), title: `Take away: ${NAMES[name]} ${visibleText(value)}` },
        h("span", { class: "quiet" }, NAMES[name]), h("span", { class: "filter-chip-value" }, visible(value)), h("span", { "aria-hidden": "true" }, "×"));
    }), names.length > 1 ? h("a", { class: "filter-clear", href: "/" }, "Clear all") : null);
  }

  #drawPause() {
    const paused = feed.state === "paused";
    this.#pause.setAttribute("aria-pressed", String(paused));
    fill(this.#pause, paused ? `Resume${feed.held ? ` (${feed.held} waiting)` : ""}` : "Pause");
  }
}

/** Chooses a value, even one that the choices do not have. */
function choose(select, value) {
  if (![...select.options].some((option) => option.value === value)) select.append(h("option", { value }, visibleText(value)));
  select.value = value;
}
