// Whether a record belongs in the list as it is filtered: the same meaning as `GET /api/v1/exchanges` gives the filters,
// for what comes by the live feed.

import { FILTERS } from "../address.js";
import { moment } from "./time.js";

/**
 * The filters that an address names.
 * @param {Record<string, string>} state
 * @returns {Record<string, string>}
 */
export function filtersOf(state) {
  return Object.fromEntries(FILTERS.filter((name) => state[name]).map((name) => [name, state[name]]));
}

/**
 * @param {any} record
 * @param {Record<string, string>} filters
 */
export function matches(record, filters) {
  const { route, cause, hazard, status, resource, text, since, until } = filters;
  const at = Date.parse(record.at);
  return (!route || record.route === route)
    && (!cause || record.diagnosis?.cause === cause)
    && (!hazard || record.hazards.some((found) => found.hazard === hazard))
    && (!status || String(record.response?.status) === status)
    && (!resource || isOf(record.request.url, resource))
    && (!since || at >= (moment(since) ?? 0))
    && (!until || at < (moment(until) ?? Infinity))
    && (!text || mentions(record, text.trim().toLowerCase()));
}

/** Of this URL, or of this path and query. */
function isOf(url, resource) {
  return resource.startsWith("/") ? url.replace(/^[a-z]+:\/\/[^/?#]*/i, "") === resource : url === resource;
}

/** In the id, the client, the URL, a line of a field, a cause or a hazard, on either side of a pair. */
function mentions(record, wanted) {
  const has = (text) => text !== null && text !== undefined && String(text).toLowerCase().includes(wanted);
  const inLines = (lines) => (lines ?? []).some(([name, value]) => has(`${name}: ${value}`));
  const { request, response, far_side: far } = record;
  return has(record.id) || has(record.client) || has(request.url)
    || inLines(request.headers) || inLines(request.forwarded_headers) || inLines(response?.headers)
    || has(far?.exchange) || has(far?.marked) || inLines(far?.conditions) || inLines(far?.validators)
    || has(record.diagnosis?.cause) || record.hazards.some((found) => has(found.hazard))
    || record.alterations.some(({ field, before, after }) => inLines([before, after].filter((value) => value !== null).map((value) => [field, value])));
}
