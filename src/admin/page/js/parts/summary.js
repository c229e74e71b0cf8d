// What the list keeps of a record: a few short texts in place of some kilobytes, so that thousands fit.

/**
 * @typedef {object} Summary
 * @property {string} id
 * @property {number} at milliseconds since 1970
 * @property {"failed"|"hazard"|"alteration"|"other"} kind
 * @property {string} says the id of the cause or hazard, or what was altered
 * @property {string|null} detail
 * @property {string} title
 * @property {string|null} confidence
 * @property {string|null} party
 * @property {number|null} status
 * @property {string} method
 * @property {string} url
 * @property {string} host
 * @property {string} path with the query
 * @property {string} route
 * @property {string} client
 * @property {string} also what else was found
 * @property {number} repeated how many more of the kind were counted and not recorded
 * @property {string|null} fold the same for the attempts of one retry loop
 * @property {boolean} bypassed
 */

/** @param {any} record @returns {Summary} */
export function summary(record) {
  const { method, url } = record.request;
  const [, host, path] = /^[a-z]+:\/\/([^/?#]*)(.*)$/i.exec(url) ?? [null, "", url];
  const status = record.response?.status ?? null;
  return {
    id: record.id,
    at: Date.parse(record.at),
    ...finding(record),
    status,
    method,
    url,
    host,
    path: path || "/",
    route: record.route,
    client: record.client,
    repeated: record.repeated ?? 0,
    fold: status === 412 ? fold(record) : null,
    bypassed: record.bypass !== null && record.bypass !== undefined,
  };
}

/** What matters most: a 412 before the hazard, the hazard before the alteration. */
function finding(record) {
  const { diagnosis, hazards, alterations } = record;
  const hazardIds = hazards.map((hazard) => hazard.hazard);
  const altered = alterations.map((one) => `${FIELDS[one.field] ?? one.field} ${one.change}`);
  if (diagnosis) {
    const { cause, detail, title, confidence, party } = diagnosis;
    return { kind: "failed", says: cause, detail, title, confidence, party, also: [...hazardIds, ...altered].join(", ") };
  }
  if (hazards.length) {
    const [{ hazard, detail, title, confidence }, ...others] = hazards;
    const also = [...others.map((other) => other.hazard), ...altered].join(", ");
    return { kind: "hazard", says: hazard, detail, title, confidence, party: null, also };
  }
  if (alterations.length) {
    const [first] = alterations;
    const title = `${first.on === "request" ? "On its way to the origin" : "On its way to the client"}: ${altered.join(", ")}`;
    return { kind: "alteration", says: altered[0], detail: null, title, confidence: null, party: "gateway", also: altered.slice(1).join(", ") };
  }
  return { kind: "other", says: "recorded", detail: null, title: "", confidence: null, party: null, also: "" };
}

const FIELDS = {
  etag: "ETag", "last-modified": "Last-Modified", "if-match": "If-Match", "if-none-match": "If-None-Match",
  "if-modified-since": "If-Modified-Since", "if-unmodified-since": "If-Unmodified-Since", "if-range": "If-Range",
};

/** Same client, same resource, same condition. */
function fold(record) {
  const conditions = record.request.headers.map(([name, value]) => [name.toLowerCase(), value])
    .filter(([name]) => name.startsWith("if") || name.startsWith("x-goog-if") || name.startsWith("x-ms-if") || name === "overwrite");
  return JSON.stringify([record.client, record.request.method, record.request.url, conditions]);
}
