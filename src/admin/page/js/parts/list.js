// The list on the screen: only the lines that can be seen exist as elements, however many are held, and what one looks at
// stays where it is while newer ones come in above it.

import { h } from "../dom.js";
import { model } from "./model.js";
import { drawAges, drawRow, makeRow, rowLink } from "./rows.js";

/** Lines beyond the screen's edges, so that scrolling finds them ready. */
const BEYOND = 8;
/** Lines before the end at which older records are asked for. */
const ASK_BEFORE_END = 30;

/** @typedef {import("./rows.js").Item} Item */

export class List {
  element = h("ol", { class: "rows", "aria-label": "Exchanges, newest first" });

  /** What could be shown, in order. @type {Item[]} */
  #items = [];
  /** @type {Map<string, {element: HTMLElement, version: number}>} */
  #rows = new Map();
  /** The line one is on. @type {string|null} */
  #selected;
  #onNewer;
  #height = 0;
  #top = 0;
  #frame = 0;
  #timer = 0;
  #newer = 0;
  #listeners = new AbortController();

  /**
   * @param {string|null} selected the key of the line one was on
   * @param {(count: number) => void} onNewer told how many came in above what is seen
   */
  constructor(selected, onNewer) {
    this.#selected = selected;
    this.#onNewer = onNewer;
    const { signal } = this.#listeners;
    const draw = () => this.#schedule();
    window.addEventListener("scroll", draw, { signal, passive: true });
    window.addEventListener("resize", () => { this.#height = 0; this.take(); }, { signal });
    this.element.addEventListener("focusin", (event) => {
      const row = event.target.closest(".row");
      if (row) this.#select(row.dataset.key);
    }, { signal });
    this.#timer = setInterval(() => drawAges(this.element), 5_000);
  }

  get selected() {
    return this.#selected;
  }

  /** The line one is on. @returns {Item|undefined} */
  get current() {
    return this.#items.find((item) => item.key === this.#selected);
  }

  /** Takes over what the model holds. */
  take() {
    const anchor = this.#anchor();
    const before = anchor === null ? -1 : this.#indexOf(anchor);
    this.#items = items(model.groups);
    const after = anchor === null ? -1 : this.#indexOf(anchor);
    this.#measure();
    this.element.style.setProperty("height", `${this.#items.length * this.#height}px`);
    // Newer lines came in above it, or lines above it were let go.
    if (before >= 0 && after >= 0 && after !== before) {
      this.#newer = Math.max(0, this.#newer + after - before);
      window.scrollBy({ top: (after - before) * this.#height, behavior: "instant" });
    }
    this.#draw();
  }

  /** Moves by so many lines, and there to the link. @param {number} by */
  move(by) {
    if (this.#items.length === 0) return;
    const now = this.#indexOf(this.#selected);
    const to = now < 0 ? this.#firstSeen() : Math.min(Math.max(now + by, 0), this.#items.length - 1);
    this.#goTo(to);
  }

  /** To the newest. */
  toTop() {
    window.scrollTo({ top: 0, behavior: "instant" });
    this.#newer = 0;
    this.#onNewer(0);
  }

  close() {
    cancelAnimationFrame(this.#frame);
    clearInterval(this.#timer);
    this.#listeners.abort();
  }

  #goTo(index) {
    const item = this.#items[index];
    this.#select(item.key);
    this.#measure();
    const top = this.#top + index * this.#height;
    const [from, to] = [window.scrollY + headHeight(), window.scrollY + window.innerHeight];
    if (index === 0) window.scrollTo({ top: 0, behavior: "instant" });
    else if (top < from) window.scrollTo({ top: top - headHeight(), behavior: "instant" });
    else if (top + this.#height > to) window.scrollTo({ top: top + this.#height - window.innerHeight + 4, behavior: "instant" });
    this.#draw();
    const row = this.#rows.get(item.key);
    if (row) rowLink(row.element)?.focus({ preventScroll: true });
  }

  #select(key) {
    this.#selected = key;
    for (const [other, { element }] of this.#rows) element.classList.toggle("row-selected", other === key);
  }

  #schedule() {
    this.#frame ||= requestAnimationFrame(() => { this.#frame = 0; this.#draw(); });
  }

  /** Reads the layout once, before anything is written. */
  #measure() {
    if (this.#height === 0) {
      const probe = h("li", { class: "row" });
      this.element.append(probe);
      this.#height = probe.getBoundingClientRect().height || 32;
      probe.remove();
    }
    this.#top = this.element.getBoundingClientRect().top + window.scrollY;
  }

  #draw() {
    if (!this.element.isConnected) return;
    this.#measure();
    const seenFrom = Math.floor((window.scrollY - this.#top) / this.#height);
    const from = Math.max(0, seenFrom - BEYOND);
    const to = Math.min(this.#items.length, seenFrom + Math.ceil(window.innerHeight / this.#height) + BEYOND);
    this.#place(from, to);
    if (window.scrollY <= this.#top && this.#newer > 0) this.#newer = 0;
    this.#onNewer(this.#newer);
    if (to > this.#items.length - ASK_BEFORE_END) model.older();
  }

  #place(from, to) {
    const wanted = new Map();
    for (let index = from; index < to; index += 1) wanted.set(this.#items[index].key, index);
    // The line that has the focus stays an element wherever it is, or else the focus would be lost.
    const focused = document.activeElement?.closest?.(".row")?.dataset.key;
    if (focused !== undefined && !wanted.has(focused)) {
      const index = this.#indexOf(focused);
      if (index >= 0) wanted.set(focused, index);
    }
    for (const [key, { element }] of this.#rows) {
      if (wanted.has(key)) continue;
      element.remove();
      this.#rows.delete(key);
    }
    let previous = /** @type {Element|null} */ (null);
    for (const [key, index] of [...wanted].sort((a, b) => a[1] - b[1])) {
      const { element } = this.#row(key, this.#items[index]);
      element.style.setProperty("transform", `translateY(${index * this.#height}px)`);
      element.setAttribute("aria-posinset", String(index + 1));
      element.setAttribute("aria-setsize", model.next === null ? String(this.#items.length) : "-1");
      this.#putBehind(element, previous);
      previous = element;
    }
  }

  /** Tab goes by the order of elements; one is only moved if it has to, and never while it has the focus. */
  #putBehind(element, previous) {
    const there = previous ? previous.nextElementSibling : this.element.firstElementChild;
    if (there === element) return;
    if (element.isConnected && element.contains(document.activeElement)) return;
    this.element.insertBefore(element, there);
  }

  #row(key, item) {
    let row = this.#rows.get(key);
    if (!row) {
      row = { element: makeRow(item, toggle), version: item.version };
      row.element.classList.toggle("row-selected", key === this.#selected);
      this.#rows.set(key, row);
    } else if (row.version !== item.version) {
      drawRow(row.element, item, toggle);
      row.element.classList.toggle("row-selected", key === this.#selected);
      row.version = item.version;
    }
    return row;
  }

  /** The first line that is seen and was there before, once one has scrolled into the list. */
  #anchor() {
    if (!this.element.isConnected || this.#height === 0 || window.scrollY <= this.#top - headHeight()) return null;
    return this.#items[this.#firstSeen()]?.key ?? null;
  }

  #firstSeen() {
    const seen = Math.ceil((window.scrollY + headHeight() - this.#top) / this.#height);
    return Math.min(Math.max(seen, 0), Math.max(this.#items.length - 1, 0));
  }

  #indexOf(key) {
    return this.#items.findIndex((item) => item.key === key);
  }
}

/** @param {Item} item */
function toggle(item) {
  model.toggle(item.group);
}

/** @param {import("./model.js").Group[]} groups @returns {Item[]} */
function items(groups) {
  return groups.flatMap((group) => {
    const head = { key: `g${group.key}`, group, one: group.attempts[0], nested: false, version: group.version };
    if (!group.open) return [head];
    const nested = group.attempts.map((one) => ({ key: one.id, group, one, nested: true, version: group.version }));
    return [head, ...nested];
  });
}

/** What sticks to the top of the screen, over the list. */
function headHeight() {
  return document.querySelector(".list-head")?.getBoundingClientRect().height ?? 0;
}
