// What the list holds: records as short summaries, newest first, the attempts of one retry loop folded into one. Read
// from the API page by page, kept current by the feed, and bounded whatever comes.

import { api, ApiError } from "../api.js";
import { feed } from "../feed.js";
import { filtersOf, matches } from "./matching.js";
import { summary } from "./summary.js";

/** Groups held; the farther end is let go. */
const GROUPS_MAX = 4_000;
/** Attempts held of one retry loop; the count goes on. */
const ATTEMPTS_MAX = 100;
/** Attempts farther apart are no loop. */
const LOOP_MS = 2 * 60_000;
/** Records waiting to be shown, as in a tab nobody looks at. */
const WAITING_MAX = 1_000;
/** Between two changes of what is shown. */
const BATCH_MS = 150;
const PAGE = 200;
/** Pages that are asked for in a row where each brought little, as a rare text does. */
const PAGES_IN_A_ROW = 8;
const ENOUGH = 40;

/**
 * @typedef {object} Group
 * @property {number} key
 * @property {import("./summary.js").Summary[]} attempts newest first
 * @property {number} count of attempts, those not held included
 * @property {number} version changes with what it shows
 * @property {boolean} open whether its attempts are shown
 */

/** Tells `change` when anything it shows has changed. */
class Model extends EventTarget {
  /** Newest first. @type {Group[]} */
  groups = [];
  /** `loading`, `ready`, or `failed`. */
  state = "loading";
  /** Why it failed. @type {ApiError|null} */
  error = null;
  /** Where to go on towards older records; null if there are none. @type {string|null} */
  next = null;
  /** Whether older records are being read. */
  reading = false;
  /** Whether the newest were let go, so that what comes is counted and not shown. */
  detached = false;
  /** What came while the newest were not held. */
  unseen = 0;
  /** @type {Record<string, string>} */
  filters = {};

  #keys = 0;
  #byId = new Map();
  #byFold = new Map();
  #waiting = [];
  #overflowed = false;
  #scheduled = false;
  #flushed = 0;
  #abort = new AbortController();
  #started = false;

  /**
   * Shows what the address asks for; reads only if that differs from what is held. What is on the screen stays there
   * until its successor has come, but what nobody sees any more is not brought back for a moment.
   * @param {Record<string, string>} state
   * @param {{unseen: boolean}} [before]
   */
  show(state, { unseen } = { unseen: false }) {
    this.#start();
    const filters = filtersOf(state);
    if (this.state !== "failed" && this.#asked === JSON.stringify(filters)) return;
    if (unseen) this.#clear();
    this.filters = filters;
    this.reload();
  }

  #asked = /** @type {string|null} */ (null);

  /** Reads everything anew. */
  async reload() {
    this.#asked = JSON.stringify(this.filters);
    this.#abort.abort();
    const abort = (this.#abort = new AbortController());
    this.state = "loading";
    this.error = null;
    this.reading = false;
    this.#waiting = [];
    this.#overflowed = false;
    this.#tell();
    let page;
    try {
      page = await this.#page(null, abort.signal);
    } catch (error) {
      if (this.#abort !== abort) return;
      this.state = "failed";
      this.error = error;
      this.#tell();
      return;
    }
    if (this.#abort !== abort) return;
    this.#clear();
    this.state = "ready";
    this.#append(page);
    this.#tell();
    this.#schedule();
    if (this.next !== null && this.groups.length < ENOUGH) this.older();
  }

  /** Reads on towards older records. */
  async older() {
    if (this.reading || this.next === null || this.state !== "ready") return;
    const abort = this.#abort;
    this.reading = true;
    this.#tell();
    const wanted = this.groups.length + ENOUGH;
    try {
      for (let pages = 0; pages < PAGES_IN_A_ROW && this.next !== null && this.groups.length < wanted; pages += 1) {
        const page = await this.#page(this.next, abort.signal);
        if (this.#abort !== abort) return;
        this.#append(page);
        this.#letNewestGo();
        this.#tell();
      }
    } catch (error) {
      if (this.#abort !== abort) return;
      this.error = error;
    }
    this.reading = false;
    this.#tell();
  }

  /** Opens or closes a group. @param {Group} group @param {boolean} [open] */
  toggle(group, open = !group.open) {
    if (group.count < 2 || group.open === open) return;
    group.open = open;
    group.version += 1;
    this.#tell();
  }

  #start() {
    if (this.#started) return;
    this.#started = true;
    feed.subscribe((record) => this.#take(record));
    feed.addEventListener("gap", () => { if (!this.detached) this.reload(); });
    api.changes.addEventListener("token", () => { if (api.token !== null) this.reload(); });
  }

  #page(before, signal) {
    const query = new URLSearchParams({ limit: String(PAGE), ...this.filters });
    if (before !== null) query.set("before", before);
    return api.get(`/api/v1/exchanges?${query}`, { signal });
  }

  #clear() {
    this.groups = [];
    this.detached = false;
    this.unseen = 0;
    this.#byId.clear();
    this.#byFold.clear();
  }

  /** Adds a page of older records. */
  #append(page) {
    for (const record of page.exchanges) {
      if (this.#byId.has(record.id)) continue;
      const one = summary(record);
      const group = one.fold === null ? undefined : this.#byFold.get(one.fold);
      const oldest = group?.attempts.at(-1);
      if (oldest && oldest.at - one.at < LOOP_MS) this.#join(group, one, false);
      else this.groups.push(this.#group(one));
    }
    this.next = page.next ?? null;
  }

  /** A record of the feed. */
  #take(record) {
    const known = this.#byId.has(record.id);
    // What was amended and is not held lies further back.
    if (!known && (record.amended_at || !matches(record, this.filters))) return;
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push(record);
    else this.#overflowed = true;
    this.#schedule();
  }

  #schedule() {
    if (this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    const wait = Math.max(0, this.#flushed + BATCH_MS - performance.now());
    setTimeout(() => requestAnimationFrame(() => { this.#scheduled = false; this.#flush(); }), wait);
  }

  #flush() {
    if (this.state !== "ready") return;
    this.#flushed = performance.now();
    const records = this.#waiting;
    this.#waiting = [];
    if (this.#overflowed) {
      this.#overflowed = false;
      if (!this.detached) this.reload();
      return;
    }
    const fresh = [];
    for (const record of records) {
      const group = this.#byId.get(record.id);
      if (group) this.#amend(group, record);
      else if (this.detached) this.unseen += 1;
      else this.#arrive(summary(record), fresh);
    }
    if (fresh.length) this.groups.unshift(...fresh.reverse());
    this.#letOldestGo();
    this.#tell();
  }

  #amend(group, record) {
    const at = group.attempts.findIndex((attempt) => attempt.id === record.id);
    if (at < 0) return;
    group.attempts[at] = summary(record);
    group.version += 1;
  }

  /** A retry goes where its loop is, and brings the loop to the top. */
  #arrive(one, fresh) {
    const group = one.fold === null ? undefined : this.#byFold.get(one.fold);
    if (!group || one.at - group.attempts[0].at >= LOOP_MS) {
      fresh.push(this.#group(one));
      return;
    }
    this.#join(group, one, true);
    const list = fresh.includes(group) ? fresh : this.groups;
    list.splice(list.indexOf(group), 1);
    fresh.push(group);
  }

  #group(one) {
    const group = { key: (this.#keys += 1), attempts: [one], count: 1, version: 1, open: false };
    this.#byId.set(one.id, group);
    if (one.fold !== null) this.#byFold.set(one.fold, group);
    return group;
  }

  #join(group, one, newest) {
    group.count += 1;
    group.version += 1;
    this.#byId.set(one.id, group);
    if (newest) group.attempts.unshift(one);
    else group.attempts.push(one);
    if (group.attempts.length > ATTEMPTS_MAX) this.#byId.delete(group.attempts.splice(ATTEMPTS_MAX - 1, 1)[0].id);
  }

  #letOldestGo() {
    if (this.groups.length <= GROUPS_MAX) return;
    for (const group of this.groups.splice(GROUPS_MAX)) this.#forget(group);
    // The last of the page that is held now is where older ones begin.
    this.next = this.groups.at(-1).attempts.at(-1).id;
  }

  #letNewestGo() {
    if (this.groups.length <= GROUPS_MAX) return;
    for (const group of this.groups.splice(0, this.groups.length - GROUPS_MAX)) this.#forget(group);
    this.detached = true;
  }

  #forget(group) {
    for (const attempt of group.attempts) this.#byId.delete(attempt.id);
    const { fold } = group.attempts[0];
    if (fold !== null && this.#byFold.get(fold) === group) this.#byFold.delete(fold);
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

export const model = new Model();
