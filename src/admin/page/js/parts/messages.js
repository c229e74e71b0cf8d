// The messages of an exchange in full, folded away until somebody wants them.

import { fill, h, visible } from "../dom.js";
import { lasting } from "./moment.js";
import { linesOf, same } from "./observed.js";

const TOLD = /^(?:if-|etag$|last-modified$|oc-etag$|x-etag$|overwrite$|lock-token$|x-goog-if|x-amz-copy-source-if|x-ms-if)/i;

/** Request and response as they came, and what was sent on where it differs. @param {any} record */
export function messages(record) {
  const { request, response } = record;
  const changed = request.headers.length !== request.forwarded_headers.length
    || request.headers.some(([name, value], at) => name !== request.forwarded_headers[at][0] || value !== request.forwarded_headers[at][1]);
  return h("details", { class: "fold messages" },
    h("summary", null, "Every field of the request and the response"),
    h("div", { class: "messages-both" },
      h("div", null, h("h4", null, "Request, as it came"), message(`${request.method} ${request.url} ${request.version}`, request.headers)),
      response
        ? h("div", null, h("h4", null, "Response, as the upstream gave it"), message(`${response.version} ${response.status}`, response.headers))
        : h("div", null, h("h4", null, "Response"), h("p", { class: "quiet" }, "No answer came.")),
      changed ? h("div", null, h("h4", null, "What this instance changed in the request"), changes(request.headers, request.forwarded_headers)) : null),
    h("p", { class: "quiet" }, "Bodies are never kept. Secrets are hidden as …."));
}

function message(start, headers) {
  return h("div", { class: "message" },
    h("div", { class: "value message-start" }, visible(start)),
    headers.map(([name, value]) => h("div", { class: `value message-line${TOLD.test(name) ? " message-told" : ""}` },
      h("span", { class: "message-name" }, visible(name), ":"), " ", visible(value))));
}

function changes(came, passed) {
  const names = [...new Map([...came, ...passed].map(([name]) => [name.toLowerCase(), name])).values()];
  const changed = names.filter((name) => !same(linesOf(came, name), linesOf(passed, name)));
  if (!changed.length) return h("p", { class: "quiet" }, "Nothing but the order of fields of different names.");
  return h("div", { class: "message" }, changed.map((name) => {
    const [before, after] = [linesOf(came, name), linesOf(passed, name)];
    const gone = before.filter((value) => !after.includes(value));
    const added = after.filter((value) => !before.includes(value));
    const field = (value) => [h("span", { class: "message-name" }, visible(name), ":"), " ", visible(value)];
    return [gone.map((value) => h("del", { class: "value message-line" }, field(value))), added.map((value) => h("ins", { class: "value message-line" }, field(value)))];
  }));
}

/** The request again as a command, asked for when it is first unfolded. @param {any} record @param {any} app */
export function curlFold(record, app) {
  const place = h("pre", { class: "value curl", tabindex: "0" }, "…");
  let asked = false;
  const ask = async () => {
    if (asked) return;
    asked = true;
    try {
      const command = await app.api.get(`/api/v1/exchanges/${encodeURIComponent(record.id)}/curl`);
      fill(place, command.split("\n").map((line, at) => [at ? "\n" : "", visible(line)]));
    } catch (error) {
      asked = false;
      fill(place, visible(error.message));
    }
  };
  return h("details", { class: "fold", ontoggle: ask }, h("summary", null, "The request as a curl command"), place);
}

/** How long it took, and where the time went. @param {any} record */
export function timings(record) {
  const { total, upstream, inspection } = record.timing_us;
  const pairs = [
    ["In all", lasting(total / 1000), "from the head of the request to the end of the exchange"],
    ["Upstream", lasting(upstream / 1000), "from sending the request to the head of the answer"],
    ["Inspection", lasting(inspection / 1000), "judging the exchange, after its end"],
  ];
  return h("dl", { class: "pairs" }, pairs.map(([name, value, says]) => [h("dt", { title: says }, name), h("dd", { title: says }, value)]));
}
