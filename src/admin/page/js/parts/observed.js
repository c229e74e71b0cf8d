// What one record knows of each place on the way of an exchange: the conditions on their way to the origin, the
// validators on their way back. What it does not know stays unknown; nothing is filled in.

/**
 * What is known of a field on one side of the gateway: its lines (none: it was not there), or why it is not known.
 * @typedef {{lines: string[], says?: string}|{unknown: string}} Side
 *
 * One field on both sides. `given` is what the client sent or got where that differs from `near`.
 * @typedef {{field: string, near: Side, far: Side, given?: string[], alteration: object|null}} Row
 *
 * One direction of one exchange.
 * @typedef {{toOrigin: boolean, fromStore?: boolean, rows: Row[]}} Leg
 *
 * What stands on either side of the gateway and between; `gateway` says how it is known to be there.
 * @typedef {{near: Station[], between: Station, far: Station[]}} Way
 * @typedef {{kind: "client"|"why412"|"gateway"|"origin", name: string, says: string, here?: boolean, suspected?: boolean}} Station
 */

const CONDITIONS = ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"];
const VALIDATORS = ["etag", "last-modified", "oc-etag"];

/** What vendors have beside the five of HTTP; the other instance does not report on these. */
const VENDOR_CONDITIONS = new RegExp("^(?:x-goog-(?:copy-source-)?if-|x-amz-(?:copy-source-|rename-source-)?if-|"
  + "x-ms-(?:source-)?if-|x-ms-blob-condition-|x-ms-(?:source-|destination-)?lease-id$|x-(?:oss|cos)-copy-source-if-|x-if-|opc-if-|"
  + "if$|if-schedule-tag-match$|oc-if-destination-match$|overwrite$|lock-token$)", "i");
const VENDOR_VALIDATORS = /^(?:x-etag|schedule-tag|x-goog-generation|x-goog-metageneration|x-amz-version-id)$/i;

const AS_WRITTEN = {
  "if-match": "If-Match", "if-none-match": "If-None-Match", "if-modified-since": "If-Modified-Since",
  "if-unmodified-since": "If-Unmodified-Since", "if-range": "If-Range", "etag": "ETag", "last-modified": "Last-Modified",
  "oc-etag": "OC-ETag",
};

/** A field's name as its specification writes it. @param {string} field */
export function fieldName(field) {
  return AS_WRITTEN[field.toLowerCase()] ?? field;
}

/** The lines of a field. @param {Array<[string, string]>|null|undefined} lines @param {string} name @returns {string[]} */
export function linesOf(lines, name) {
  return (lines ?? []).filter(([line]) => line.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

/** Whether only reading was meant (RFC 9110 §9.2.1 and the methods of WebDAV). @param {string} method */
export function isRead(method) {
  return ["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY"].includes(method);
}

/** Whether the report came with an answer that was made for another exchange. @param {any} record */
export function isFromStore(record) {
  const marked = record.far_side?.marked;
  return record.role === "outer" && marked !== null && marked !== undefined && marked !== record.id;
}

/** Where the exchange passed, as far as the record says. @param {any} record @returns {Way} */
export function wayOf(record) {
  const client = { kind: "client", name: "Client", says: record.client };
  const here = (says) => ({ kind: "why412", name: "why412", says, here: true });
  const origin = { kind: "origin", name: "Origin", says: "" };
  if (record.role === "outer" && !record.bypass?.direct) {
    const inner = { kind: "why412", name: "why412", says: record.far_side?.exchange ? "inner" : "inner: no report" };
    return { near: [client, here("outer, this instance")], between: gateway("between the pair"), far: [inner, origin] };
  }
  if (record.role === "inner") {
    const outer = { kind: "why412", name: "why412", says: "outer" };
    const near = record.far_side?.exchange ? [client, outer] : [client];
    const between = gateway(record.far_side?.exchange ? "between the pair" : "whatever stands in front");
    return { near, between, far: [here("inner, this instance"), origin] };
  }
  if (suspectsGateway(record)) {
    return { near: [client, here(instanceSays(record))], between: { ...gateway("suspected here"), suspected: true }, far: [origin] };
  }
  const upstream = { kind: "origin", name: record.bypass?.direct ? "Origin" : "Upstream", says: record.bypass?.direct ? "asked directly" : "origin, and what is before it" };
  return { near: [client], between: here(instanceSays(record)), far: [upstream] };
}

function gateway(says) {
  return { kind: "gateway", name: "Gateway", says };
}

function instanceSays(record) {
  return record.role === "outer" ? "outer, this instance" : "this instance, alone";
}

/** A lone instance places a gateway only where its own verdict does. */
function suspectsGateway(record) {
  return record.diagnosis?.party === "gateway" || (record.alterations ?? []).length > 0;
}

/** The conditions on their way to the origin. @param {any} record @returns {Leg} */
export function requestLeg(record) {
  const { headers, forwarded_headers: forwarded } = record.request;
  const far = record.far_side;
  const rows = fieldsOf(CONDITIONS, VENDOR_CONDITIONS, headers, forwarded, far?.conditions).map((field) => {
    const [came, passed] = [linesOf(headers, field), linesOf(forwarded, field)];
    const row = { field, alteration: alterationOf(record, "request", field), given: undefined };
    if (record.role === "inner") {
      const near = !reports(field) ? notReported : markSays(record, field);
      return { ...row, near, far: { lines: passed }, given: undefined };
    }
    const given = same(came, passed) ? undefined : came;
    if (record.role === "outer" && !record.bypass?.direct) {
      return { ...row, near: { lines: passed }, given, far: reports(field) ? arrived(record, field) : notReported };
    }
    const beyond = suspectsGateway(record) ? { unknown: "one instance sees one side" } : { lines: passed };
    return { ...row, near: { lines: suspectsGateway(record) ? passed : came }, given: suspectsGateway(record) ? given : undefined, far: beyond };
  });
  return { toOrigin: true, rows: rows.filter(isAnything) };
}

/**
 * The alteration that made what came of this very field; a lone instance may name one that it saw on another answer.
 * @param {any} record @param {string} field @param {string[]} came
 */
export function alterationOfAnswer(record, field, came) {
  const found = alterationOf(record, "response", field);
  return found && same(found.after === null ? [] : [found.after], came) ? found : null;
}

/** Status and validators on their way to the client. @param {any} record @returns {Leg} */
export function responseLeg(record) {
  const headers = record.response?.headers ?? [];
  const status = { field: "Status", alteration: null, ...statusSides(record) };
  const rows = fieldsOf(VALIDATORS, VENDOR_VALIDATORS, headers, record.far_side?.validators).map((field) => {
    const lines = linesOf(headers, field);
    const alteration = alterationOfAnswer(record, field, lines);
    if (record.role === "inner") return { field, alteration, near: { unknown: "not seen from here" }, far: { lines } };
    if (record.role === "outer" && !record.bypass?.direct) {
      return { field, alteration, near: { lines }, far: reports(field) ? given(record, field) : notReported };
    }
    if (!suspectsGateway(record)) return { field, alteration, near: { lines }, far: { lines } };
    const before = alteration && { lines: alteration.before === null ? [] : [alteration.before], says: knownBy(alteration) };
    return { field, alteration, near: { lines }, far: before || { unknown: "one instance sees one side" } };
  });
  for (const row of strippedRows(record, rows)) rows.push(row);
  return { toOrigin: false, fromStore: isFromStore(record), rows: [status, ...rows.filter(isAnything)] };
}

/** How a lone instance knows what the origin gave. @param {any} alteration */
export function knownBy(alteration) {
  if (alteration.known_by === "ledger") return "by other answers of this resource";
  return alteration.known_by === "double" ? "by a second field of the same answer" : "";
}

/** What is altered and stands in neither of the messages that the record holds. */
function strippedRows(record, rows) {
  const missing = (record.alterations ?? []).filter((one) => one.on === "response" && one.after === null && record.response?.status !== 412
    && !rows.some((row) => row.field.toLowerCase() === one.field));
  return missing.map((one) => ({
    field: one.field,
    alteration: one,
    near: { lines: [] },
    far: { lines: one.before === null ? [] : [one.before], says: knownBy(one) },
  }));
}

function statusSides(record) {
  const status = record.response ? { lines: [String(record.response.status)] } : { unknown: "no answer came" };
  if (record.role === "inner") return { near: { unknown: "not seen from here" }, far: status };
  if (record.role === "outer" && !record.bypass?.direct) {
    const told = record.far_side?.status;
    const says = isFromStore(record) ? "of an earlier answer, from a store" : undefined;
    return { near: status, far: told === null || told === undefined ? noReport(record) : { lines: [String(told)], says } };
  }
  return { near: status, far: suspectsGateway(record) ? { unknown: "one instance sees one side" } : status };
}

/** What the inner instance reported as arrived. @returns {Side} */
function arrived(record, field) {
  const far = record.far_side;
  if (!far?.exchange) return noReport(record);
  if (isFromStore(record)) return { unknown: "answered from a store: this request did not reach the origin" };
  if (far.reduced) return { unknown: "no room in the report" };
  if (!far.marked && isRead(record.request.method)) return { unknown: "the report does not name this request" };
  return { lines: linesOf(far.conditions, field) };
}

/** What the origin gave, as reported. @returns {Side} */
function given(record, field) {
  const far = record.far_side;
  if (!far?.exchange) return noReport(record);
  if (far.reduced) return { unknown: "no room in the report" };
  return { lines: linesOf(far.validators, field), says: isFromStore(record) ? "when the store was filled" : undefined };
}

/** What the outer instance's mark says it sent. @returns {Side} */
function markSays(record, field) {
  const far = record.far_side;
  if (!far?.exchange) return { unknown: "no mark of an outer instance" };
  return far.reduced ? { unknown: "no room in the mark" } : { lines: linesOf(far.conditions, field) };
}

function noReport(record) {
  return { unknown: record.far_side?.unauthentic ? "a report came that is not authentic" : "no report came" };
}

const notReported = { unknown: "not among what the pair reports" };

function reports(field) {
  const name = field.toLowerCase();
  return CONDITIONS.includes(name) || VALIDATORS.includes(name);
}

function alterationOf(record, on, field) {
  return (record.alterations ?? []).find((one) => one.on === on && one.field === field.toLowerCase()) ?? null;
}

/** The fields that stand anywhere, those of HTTP first, each once, as it is written there. */
function fieldsOf(known, vendors, ...messages) {
  const written = messages.flatMap((lines) => (lines ?? []).map(([name]) => name));
  const ofVendors = written.filter((name) => vendors.test(name) && !known.includes(name.toLowerCase()));
  const once = new Map(ofVendors.map((name) => [name.toLowerCase(), name]));
  const ofHttp = known.filter((name) => written.some((line) => line.toLowerCase() === name));
  return [...ofHttp.map(fieldName), ...once.values()];
}

function isAnything(row) {
  const holds = (side) => "unknown" in side || side.lines.length > 0;
  return (holds(row.near) || holds(row.far) || (row.given ?? []).length > 0);
}

export function same(one, other) {
  return one.length === other.length && one.every((line, at) => line === other[at]);
}
