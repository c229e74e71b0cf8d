// What can be done with one record: ask for the current validators, copy it as a command, take it along as a file. What
// goes wrong is said where the button is.

import { fill, h, visible } from "../dom.js";
import { copyButton } from "./copy.js";
import { unlike } from "./difference.js";
import { moment } from "./moment.js";

/**
 * @param {any} record
 * @param {any} app
 * @param {(amended: any) => void} onAmended
 */
export function actions(record, app, onAmended) {
  const path = `/api/v1/exchanges/${encodeURIComponent(record.id)}`;
  const said = h("p", { class: "actions-said", role: "alert" });
  const tried = async (button, what, doing) => {
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    fill(said);
    try {
      await doing();
    } catch (error) {
      said.className = "actions-said problem";
      fill(said, `${what}: `, visible(error.detail || error.title || error.message));
    }
    button.disabled = false;
    button.removeAttribute("aria-busy");
  };
  const button = (says, title, doing, name) => {
    const made = h("button", { type: "button", class: "button", title, dataset: { action: name }, onclick: () => tried(made, says, doing) }, says);
    return made;
  };
  return h("div", { class: "actions" },
    h("div", { class: "actions-row", role: "group", "aria-label": "Do something with this record" },
      button("Probe", "Ask for the current validators now, through the same way and directly; only ever by HEAD or GET",
        async () => onAmended(await app.api.post(`${path}/probe`)), "probe"),
      copyButton(() => app.api.get(`${path}/curl`), { label: "The request again as a command, with secrets as variables", says: "Copy as curl" }),
      button("HAR", "For the network panel of any browser", () => app.api.download(`${path}/har`, `${record.id}.har`), "har"),
      button("Bundle", "Everything to escalate with, in one archive with checksums", () => app.api.download(`${path}/bundle`, `${record.id}.zip`), "bundle"),
      button("JSON", "The whole record", () => app.api.download(path, `${record.id}.json`), "json")),
    said);
}

/** What became of the credentials that the refused request had. */
const CREDENTIALS = {
  sent: ", with the credentials of the request",
  withheld: ", without the credentials of the request: only a route with probe_credentials lends them",
};

/** What a probe learned. @param {any} probe */
export function probeResult(probe) {
  const { through, direct } = probe;
  const tag = (way) => (way?.validators ?? []).find(([name]) => name.toLowerCase() === "etag")?.[1] ?? null;
  const [seen, there] = [tag(through), tag(direct)];
  const differ = seen !== null && there !== null && seen !== there;
  return h("div", { class: "probe" },
    h("p", { class: "quiet" }, "Asked at ", moment(probe.at), probe.by === "route" ? " after the 412, as the route is configured" : " for somebody at the page or the API", CREDENTIALS[probe.credentials] ?? "", "."),
    h("div", { class: "probe-ways" },
      probeWay("Through the same way", through, differ ? there : null),
      direct ? probeWay("Directly, around the gateway", direct, differ ? seen : null)
        : h("div", { class: "probe-way" }, h("h4", null, "Directly, around the gateway"), h("p", { class: "quiet" }, "Not asked: the upstream of this route has no direct address."))),
    conclusion(seen, there, through, direct));
}

function conclusion(seen, there, through, direct) {
  if (!direct || through?.error || direct.error) return null;
  if (seen === there) return h("p", null, seen === null ? "Neither answer has an ETag." : "Both ways show the same ETag.");
  return h("p", { class: "probe-differs" }, "The two ways show different ETags: what lies between them changes it.");
}

function probeWay(title, way, other) {
  if (!way) return null;
  const value = (name, text) => h("code", { class: "value" }, other !== null && name.toLowerCase() === "etag" ? unlike(text, other) : visible(text));
  return h("div", { class: "probe-way" },
    h("h4", null, title),
    h("p", null, h("code", { class: "value" }, visible(`${way.method} ${way.url}`))),
    way.error
      ? h("p", { class: "problem" }, visible(way.error))
      : h("dl", { class: "pairs" }, h("dt", null, "Status"), h("dd", null, String(way.status)),
        (way.validators ?? []).map(([name, text]) => [h("dt", null, visible(name)), h("dd", null, value(name, text))]),
        way.validators?.length ? null : [h("dt", null, "Validators"), h("dd", null, "none")]));
}
