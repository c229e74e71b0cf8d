// The live feed: every record as it becomes readable. It reconnects by itself and goes on behind the last record it has
// seen; where it cannot be sure to have told everything, it says so, and who shows a list reads it anew.

import { api, ApiError } from "./api.js";
import { events } from "./parts/events.js";

/** The instance gives a sign of life every 15 s. */
const SILENCE_MS = 40_000;
const WAIT_FIRST_MS = 1_000;
const WAIT_LONGEST_MS = 15_000;

/**
 * Tells `state` when {@link Feed.state} or {@link Feed.held} changes, and `gap` when records may have been missed.
 */
class Feed extends EventTarget {
  /** `connecting`, `live`, `reconnecting`, or `paused`. */
  get state() {
    return this.#paused ? "paused" : this.#connection;
  }

  /** How many records came while paused. */
  held = 0;

  #connection = "connecting";
  #paused = false;
  #last = /** @type {string|null} */ (null);
  #abort = new AbortController();
  #subscribers = new Set();

  /**
   * @param {(record: any) => void} listener
   * @returns {() => void} ends it
   */
  subscribe(listener) {
    this.#subscribers.add(listener);
    return () => this.#subscribers.delete(listener);
  }

  /** Tells nothing more until {@link resume}; what comes in the meantime is counted. */
  pause() {
    if (this.#paused) return;
    this.#paused = true;
    this.held = 0;
    this.dispatchEvent(new Event("state"));
  }

  /** Goes on; what was held back is a gap for whoever shows a list. */
  resume() {
    if (!this.#paused) return;
    this.#paused = false;
    const missed = this.held > 0;
    this.held = 0;
    this.dispatchEvent(new Event("state"));
    if (missed) this.dispatchEvent(new Event("gap"));
  }

  /** Connects anew, as after another token. */
  restart() {
    this.#abort.abort();
  }

  /** Runs for as long as the page does. */
  async start() {
    api.changes.addEventListener("token", () => this.restart());
    window.addEventListener("online", () => this.restart());
    let wait = WAIT_FIRST_MS;
    for (;;) {
      this.#abort = new AbortController();
      const began = performance.now();
      try {
        await this.#follow(this.#abort);
      } catch (error) {
        // 400: the record we went on behind is unknown to a new instance; begin afresh.
        if (error instanceof ApiError && error.status === 400) this.#forget();
      }
      this.#is("reconnecting");
      if (performance.now() - began > 5_000) wait = WAIT_FIRST_MS;
      await pause(wait * (0.5 + Math.random() / 2), this.#abort.signal);
      wait = Math.min(wait * 2, WAIT_LONGEST_MS);
    }
  }

  async #follow(abort) {
    const headers = this.#last === null ? {} : { "Last-Event-ID": this.#last };
    const response = await api.fetch("/api/v1/events", { signal: abort.signal, headers });
    const watch = new Watchdog(abort);
    try {
      this.#is("live");
      for await (const event of events(response.body)) {
        watch.reset();
        if (event.id) this.#last = event.id;
        if (event.data !== undefined) this.#tell(JSON.parse(event.data));
        else if (event.comment?.includes("dropped")) this.dispatchEvent(new Event("gap"));
      }
    } finally {
      watch.stop();
    }
  }

  #forget() {
    this.#last = null;
    this.dispatchEvent(new Event("gap"));
  }

  #tell(record) {
    if (this.#paused) {
      this.held += 1;
      if (this.held % 10 === 1) this.dispatchEvent(new Event("state"));
      return;
    }
    for (const listener of this.#subscribers) listener(record);
  }

  #is(connection) {
    if (this.#connection === connection) return;
    this.#connection = connection;
    this.dispatchEvent(new Event("state"));
  }
}

/** Ends a connection over which nothing has come for too long. */
class Watchdog {
  #timer = 0;
  #abort;
  constructor(abort) {
    this.#abort = abort;
    this.reset();
  }
  reset() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#abort.abort(), SILENCE_MS);
  }
  stop() {
    clearTimeout(this.#timer);
  }
}

/** Waits, but no longer than until the signal. */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    if (!signal.aborted) signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}

export const feed = new Feed();
