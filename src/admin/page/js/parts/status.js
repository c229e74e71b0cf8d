// What the instance says of itself, asked for now and then: for the light of the pair, the banner of the bypass, and
// everything that is empty and should say why.

import { api, ApiError } from "../api.js";

const EVERY_MS = 10_000;

/** Tells `change` after each look. */
class Status extends EventTarget {
  /** The answer of `GET /api/v1/status`; null before the first. @type {any} */
  value = null;
  /** The bypasses at work. @type {Array<{route: string|null, until: string, direct: boolean, preconditions: string}>} */
  bypasses = [];
  /** Whether the instance answered when it was last asked. */
  reachable = true;

  #looking = /** @type {Promise<void>|null} */ (null);

  /** Looks at once, as after a change. */
  refresh() {
    this.#looking ??= this.#look().finally(() => { this.#looking = null; });
    return this.#looking;
  }

  start() {
    setInterval(() => { if (!document.hidden) this.refresh(); }, EVERY_MS);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.refresh(); });
    return this.refresh();
  }

  async #look() {
    try {
      const [value, list] = await Promise.all([api.get("/api/v1/status"), api.get("/api/v1/bypass")]);
      this.value = value;
      this.bypasses = list.bypasses;
      this.reachable = true;
    } catch (error) {
      this.reachable = !(error instanceof ApiError && error.status === 0);
    }
    this.dispatchEvent(new Event("change"));
  }
}

export const status = new Status();
