// The health of the pair: where this instance stands, whether the other one is heard, and what to do if not.

import { fill, h, visible } from "../dom.js";
import { moment } from "../parts/moment.js";
import { copyButton } from "../parts/copy.js";

export const title = "Pair";

const REFRESH_MS = 5000;

const STATES = {
  "alone": ["off", "One instance alone"],
  "working": ["good", "The pair works"],
  "silent": ["bad", "The other instance is not heard"],
  "unauthentic": ["bad", "What comes from the other instance cannot be believed"],
  "no-traffic": ["off", "No traffic yet"],
};

export function show(root, state, app) {
  const page = h("article", { class: "page pair" });
  fill(root, page);
  const shown = new AbortController();
  let drawn = "";
  const look = async () => {
    try {
      const value = await app.api.get("/api/v1/status", { signal: shown.signal });
      const text = JSON.stringify(value.pairing);
      if (text !== drawn) draw(page, value);
      drawn = text;
    } catch (error) {
      if (shown.signal.aborted) return;
      drawn = "";
      fill(page, h("h1", null, "Pair"), h("p", { class: "problem", role: "alert" }, visible(error.message)));
    }
  };
  look();
  const timer = window.setInterval(() => { if (!document.hidden) look(); }, REFRESH_MS);
  return { update() {}, close() { clearInterval(timer); shown.abort(); } };
}

function draw(page, status) {
  const { pairing } = status;
  const [light, says] = STATES[pairing.state] ?? ["off", pairing.state];
  fill(page,
    h("h1", null, "Pair"),
    h("section", { class: "section pair-state", role: "status" },
      h("p", null, h("b", { class: `light light-${light}` }, says)),
      h("p", { class: "prose" }, visible(pairing.says)),
      h("dl", { class: "pairs" },
        h("dt", null, "This instance"), h("dd", null, pairing.role, ", ", visible(status.instance)),
        pairing.role === "alone" ? null : [h("dt", null, "Signed"), h("dd", null, pairing.signed
          ? "yes, with the secret of the pair" : "no: nothing that the pair says is ever called proven")],
        pairing.role === "inner" ? [h("dt", null, "Reports"), h("dd", null, pairing.report === "marked" ? "only on requests that carry a mark" : "on every answer of the origin")] : null,
        pairing.role === "alone" ? null : [h("dt", null, "Last verified"), h("dd", null, pairing.last_verified_at ? moment(pairing.last_verified_at) : "never since the start"),
          pairing.last_seen_at && !pairing.last_verified_at ? [h("dt", null, "Last heard"), h("dd", null, moment(pairing.last_seen_at))] : null])),
    picture(pairing),
    pairing.role === "alone" ? null : counts(pairing),
    h("section", { class: "section" }, advice(pairing)));
}

/** Who stands where, with this instance marked. */
function picture(pairing) {
  const station = (kind, name, says, here, unknown) => h("li", { class: `station station-${kind}${here ? " station-here" : ""}${unknown ? " station-suspected" : ""}` },
    h("span", { class: "station-name" }, name), says ? h("span", { class: "station-says" }, says) : null);
  const { role, state } = pairing;
  const isHeard = state === "working";
  const stations = role === "alone"
    ? [station("client", "Client", ""), station("why412", "why412", "alone, this instance", true), station("origin", "Upstream", "origin, and what is before it")]
    : [station("client", "Client", ""), station("why412", "why412", role === "outer" ? "outer, this instance" : isHeard ? "outer: heard" : "outer: not heard", role === "outer", role !== "outer" && !isHeard),
      station("gateway", "Gateway", ""), station("why412", "why412", role === "inner" ? "inner, this instance" : isHeard ? "inner: heard" : "inner: not heard", role === "inner", role !== "inner" && !isHeard),
      station("origin", "Origin", "")];
  return h("section", { class: "section", "aria-label": "Who stands where" }, h("ol", { class: "pair-way" }, stations));
}

/** What is counted of answers at an outer instance. */
const OUTER = [
  ["report", "report", "An answer came with the report of the inner instance: both sides are known."],
  ["no_report", "no report", "An answer came without one. A few are ordinary: what the gateway answers itself, or a head too large for it."],
  ["from_store", "from a store", "An answer came with the report of an earlier exchange: a cache answered."],
  ["unauthentic", "not authentic", "Something looked like a report or a mark and could not be believed."],
];

/** What is counted of requests at an inner instance. */
const INNER = [
  ["mark", "mark", "A request came with the mark of the outer instance: both sides are known."],
  ["no_mark", "no mark", "A request came without one: on another way than through the outer instance, or the gateway took the mark away."],
  ["unauthentic", "not authentic", "Something looked like a report or a mark and could not be believed."],
];

function counts({ role, counts: counted }) {
  const known = role === "outer" ? OUTER : INNER;
  const all = known.reduce((sum, [key]) => sum + (counted[key] ?? 0), 0);
  const share = (count) => (all ? `${((100 * count) / all).toFixed(count && count < all ? 1 : 0)} %` : "–");
  return h("section", { class: "section" }, h("h2", null, role === "outer" ? "Answers since the start" : "Requests since the start"),
    h("table", { class: "table pair-counts" },
      h("thead", null, h("tr", null, ["Outcome", "Count", "Share", "What it means"].map((name) => h("th", { scope: "col", class: /Count|Share/.test(name) ? "number" : null }, name)))),
      h("tbody", null, known.map(([key, name, says]) => h("tr", { class: key === "unauthentic" && counted[key] ? "pair-bad" : null },
        h("th", { scope: "row" }, name), h("td", { class: "number" }, String(counted[key] ?? 0)), h("td", { class: "number" }, share(counted[key] ?? 0)), h("td", { class: "quiet" }, says))))));
}

function advice(pairing) {
  switch (pairing.state) {
    case "alone":
      return [h("h2", null, "What a pair would add"),
        h("p", { class: "prose" }, "One instance sees one side of a gateway, and rarely proves anything about it. Two, one on either side, know what left and what arrived: what the gateway did to a tag or a condition is then proven, with both values."),
        h("p", { class: "prose" }, "Make a secret, and start a second instance behind the gateway:"),
        commands(["openssl rand -hex 32 > pair.secret",
          "# where clients connect, in front of the gateway",
          "why412 run --role outer --secret-file pair.secret --upstream http://GATEWAY",
          "# where the gateway sends its requests",
          "why412 run --role inner --secret-file pair.secret --upstream http://ORIGIN"])];
    case "silent":
      return pairing.role === "inner"
        ? [h("h2", null, "What to do"), steps([
          "See that clients come through the outer instance: requests that reach the gateway on another way carry no mark.",
          "See that the outer instance runs with --role outer and sends its requests to this gateway.",
          "Let the gateway pass on the request field Why412-Pair; some pass no field they do not know.",
        ])]
        : [h("h2", null, "What to do"), steps([
          "See that the inner instance is running, with --role inner, and that the gateway sends its requests to it.",
          "Let the gateway pass on the request field Why412-Pair and the response field Why412-Report; some pass no field they do not know.",
          "Where only some routes lead to an inner instance, this is as it should be for the others.",
        ])];
    case "unauthentic":
      return [h("h2", null, "What to do"), steps([
        "Give both instances the same secret file. Each line is a secret of at least 32 bytes; the first signs, all verify.",
        "Rotating: add the new secret as the second line on one side, put it first on the other and keep the old one behind it, then drop the old one.",
        "Where the secrets are the same, somebody else writes these fields: records that say “not authentic” name the exchanges.",
      ])];
    case "no-traffic":
      return [h("h2", null, "What to do"), steps([
        "Send a request through the outer instance; the next look here, within seconds, tells whether the other side is heard.",
      ])];
    default:
      return pairing.signed ? null : [h("h2", null, "What to do"), steps([
        "Give both instances the same --secret-file: without it whatever stands between could write marks and reports, so nothing is proven by them.",
      ])];
  }
}

function steps(says) {
  return h("ol", { class: "fix" }, says.map((text) => h("li", null, text)));
}

function commands(lines) {
  const text = lines.join("\n");
  return h("div", { class: "commands" }, h("pre", { class: "curl", tabindex: "0" }, text), copyButton(text, { label: "Copy the commands", says: "Copy" }));
}
