// What was counted per route over the last hour or so, asked for now and then.

import { api } from "../api.js";

const EVERY_MS = 15_000;

/**
 * The trends as charts take them.
 * @typedef {import("./chart.js").Series & {route: string, hazards: Record<string, number[]>}} RouteSeries
 */

/** @param {number} minutes @param {AbortSignal} signal @returns {Promise<RouteSeries[]>} */
export async function trends(minutes, signal) {
  const answer = await api.get(`/api/v1/trends?minutes=${minutes}`, { signal });
  return answer.routes.map((route) => ({
    route: route.route, from: Date.parse(answer.from), step: answer.step_seconds * 1000, causes: route.causes,
    hazards: route.hazards, failed: route.precondition_failed, requests: route.requests,
  }));
}

/**
 * Does something now and then, as long as somebody looks; what takes longer is not begun twice.
 * @param {(signal: AbortSignal) => Promise<void>} work
 * @returns {{again: () => void, stop: () => void}}
 */
export function nowAndThen(work) {
  const abort = new AbortController();
  let working = false;
  const again = async () => {
    if (working || document.hidden || abort.signal.aborted) return;
    working = true;
    try {
      await work(abort.signal);
    } catch (error) {
      if (error.name !== "AbortError" && error.name !== "ApiError") throw error;
    } finally {
      working = false;
    }
  };
  const timer = setInterval(again, EVERY_MS);
  document.addEventListener("visibilitychange", again, { signal: abort.signal });
  again();
  return { again, stop: () => { clearInterval(timer); abort.abort(); } };
}
