// What was counted per route over the last hour or so, asked for now and then.

import { api } from "../api.js";

const EVERY_MS = 15_000;

/** Bars of a chart are this wide, by how far back it looks: whole samples, and not more bars than can be told apart. */
const BAR_SECONDS = { 5: 10, 15: 20, 30: 30, 60: 60 };

/** How far back one can look, in minutes. */
export const PERIODS = Object.keys(BAR_SECONDS).map(Number);

/**
 * The trends as charts take them.
 * @typedef {import("./chart.js").Series & {route: string, hazards: Record<string, number[]>}} RouteSeries
 */

/**
 * @param {number|null} wanted one of {@link PERIODS}; null for the shortest that holds all there is
 * @param {AbortSignal} signal
 * @returns {Promise<{minutes: number, routes: RouteSeries[]}>}
 */
export async function trends(wanted, signal) {
  const longest = PERIODS.at(-1);
  const answer = await api.get(`/api/v1/trends?minutes=${wanted ?? longest}`, { signal });
  const watched = (Date.parse(answer.until) - Date.parse(answer.from)) / 60_000;
  const minutes = wanted ?? PERIODS.find((one) => watched < one - 0.5) ?? longest;
  const step = BAR_SECONDS[minutes] * 1000;
  const bars = (minutes * 60_000) / step;
  // Bars begin at whole multiples of their width, so that they stay what they are from one look to the next.
  const from = (Math.ceil(Date.parse(answer.until) / step) - bars) * step;
  const barOf = answer.at.map((ended) => Math.floor((Date.parse(ended) - 1 - from) / step));
  const inBars = (numbers) => {
    const filled = new Array(bars).fill(0);
    numbers.forEach((number, at) => { if (barOf[at] >= 0 && barOf[at] < bars) filled[barOf[at]] += number; });
    return filled;
  };
  const each = (series) => Object.fromEntries(Object.entries(series).map(([name, numbers]) => [name, inBars(numbers)]));
  const routes = answer.routes.map((route) => ({
    route: route.route, from, step, watched: Date.parse(answer.from), causes: each(route.causes), hazards: each(route.hazards),
    failed: inBars(route.precondition_failed), requests: inBars(route.requests),
  }));
  return { minutes, routes };
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
