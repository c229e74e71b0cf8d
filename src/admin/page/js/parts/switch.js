// The form that switches a bypass on, and what that does, in words.

import { h, visible } from "../dom.js";

/** What is offered for how long, as far as the configuration allows it. */
const OFFERED = ["5m", "15m", "1h", "4h"];

/**
 * @param {any} config the running configuration
 * @param {(wanted: {route: string|null, for: string, direct: boolean, preconditions: string}) => Promise<void>} switchOn
 */
export function bypassForm(config, switchOn) {
  const routes = config.route.map((route) => route.name);
  const scope = h("select", { class: "select", id: "bypass-scope" }, h("option", { value: "" }, "all routes"),
    routes.map((name, at) => h("option", { value: String(at) }, name)));
  const lasting = h("input", { class: "input", id: "bypass-for", value: config.bypass.default, size: "8", spellcheck: "false", autocomplete: "off", "aria-describedby": "bypass-for-says" });
  const longest = seconds(config.bypass.longest);
  const offered = [...new Set([...OFFERED, config.bypass.longest])].filter((text) => seconds(text) <= longest);
  const direct = checkbox("bypass-direct");
  const remove = checkbox("bypass-remove");
  const button = h("button", { type: "submit", class: "button button-primary", id: "bypass-on" }, "Switch on");

  const covered = () => (scope.value === "" ? config.route : [config.route[Number(scope.value)]]);
  const told = { direct: h("span", { class: "quiet" }), remove: h("span", { class: "quiet" }) };
  const weigh = () => {
    allow(direct, told.direct, directRefused(config, covered()), "Requests take the direct addresses. A write sent there leaves the caches it went around stale, and a way around a gateway is also a way around its login.");
    allow(remove, told.remove, removalRefused(covered()), "A test of whether the condition is to blame: writes go through without their protection, each is logged and a hazard.");
  };
  scope.addEventListener("change", weigh);
  weigh();

  const take = async (event) => {
    event.preventDefault();
    button.disabled = true;
    await switchOn({
      route: scope.value === "" ? null : routes[Number(scope.value)],
      for: lasting.value.trim(),
      direct: direct.checked,
      preconditions: remove.checked ? "remove" : "keep",
    });
    button.disabled = false;
  };
  return h("form", { class: "bypass-form", onsubmit: take },
    h("div", { class: "bypass-line" }, h("label", { for: "bypass-scope" }, "Scope"), scope),
    h("div", { class: "bypass-line" }, h("label", { for: "bypass-for" }, "For"), h("span", { class: "bypass-for" }, lasting,
      offered.map((text) => h("button", { type: "button", class: "button-quiet", onclick: () => { lasting.value = text; lasting.focus(); } }, text)),
      h("span", { class: "quiet", id: "bypass-for-says" }, `at most ${config.bypass.longest}`))),
    option(direct, "Send traffic directly, around the gateway", told.direct),
    option(remove, "Take the conditions away, as a test", told.remove),
    h("div", null, button));
}

function checkbox(id) {
  return h("input", { type: "checkbox", id, "aria-describedby": `${id}-says` });
}

function option(input, label, says) {
  says.id = `${input.id}-says`;
  return h("div", { class: "bypass-option" }, input, h("div", null, h("label", { for: input.id }, label), h("div", null, says)));
}

/** @param {HTMLInputElement} input @param {HTMLElement} says @param {string|null} refused why it cannot be had */
function allow(input, says, refused, meaning) {
  input.disabled = refused !== null;
  if (refused !== null) input.checked = false;
  says.textContent = refused ?? meaning;
}

function directRefused(config, routes) {
  if (!config.bypass.direct_traffic) return "Not available: bypass.direct_traffic is false.";
  const has = (route) => (config.upstream[route.upstream]?.direct ?? []).length > 0;
  return routes.some(has) ? null : "Not available: the upstream has no direct address.";
}

function removalRefused(routes) {
  return routes.some((route) => route.allow_precondition_removal) ? null : "Not available: no route here has allow_precondition_removal = true.";
}

const UNITS = { ms: 0.001, s: 1, sec: 1, m: 60, min: 60, h: 3600, d: 86_400 };

/** A duration as the instance shows it; infinite for what is none. @param {string} text */
function seconds(text) {
  const parts = [...String(text).matchAll(/(\d+)\s*([a-z]+)/gi)];
  const sum = parts.reduce((all, [, count, unit]) => all + Number(count) * (UNITS[unit.toLowerCase()] ?? Infinity), 0);
  return parts.length ? sum : Infinity;
}

/** In words, by where this instance stands. @param {any} config */
export function whatItChanges(config) {
  const { role } = config.pairing;
  const request = h("li", null, "Requests get ", code("Cache-Control: no-cache"), " and ", code("Pragma: no-cache"),
    ", beside what they carry and only where it does not stand there already: a cache is to ask the origin rather than answer by itself.");
  const response = h("li", null, "Answers get ", code("Cache-Control: no-store"), ", ", code("CDN-Cache-Control: no-store"), " and ", code("Surrogate-Control: no-store"),
    ": the caches in front are to let go of what they have.");
  const passed = role === "outer"
    ? h("li", null, "The mark on each request tells the inner instance, and its answers get ", code("Cache-Control: no-store"), ", ", code("CDN-Cache-Control: no-store"), " and ", code("Surrogate-Control: no-store"), " for as long.")
    : role === "inner" ? h("li", null, "Requests are passed on as they come: on the origin’s side there is no cache to ask. Switch the outer instance and both sides switch as one.") : null;
  return [
    h("ul", { class: "plain" }, role === "inner" ? null : request, role === "outer" ? null : response, passed,
      h("li", null, h("b", null, "Conditions and validators are never touched"), ", unless that test is asked for, on a route that allows it.")),
    h("h3", null, "Which caches obey"),
    h("p", { class: "prose" }, "Apache httpd, HAProxy, Squid and Envoy do. ", h("b", null, "nginx and Varnish, as shipped, do not"),
      ": they answer from their store all the same. An answer that shows a cache at work under a bypass is recorded as the hazard ", code("bypass-disobeyed"), "."),
    h("p", { class: "prose quiet" }, "It survives a reload and ends with a restart. Every exchange under it says so in its record."),
  ];
}

function code(text) {
  return h("code", { class: "value" }, visible(text));
}
