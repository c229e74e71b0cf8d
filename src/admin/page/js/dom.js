// Makes elements and text. What this page shows is hostile (header values, URLs), so text only ever becomes text nodes
// and attribute values: nothing here, or anywhere else on the page, parses markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element.
 *
 * Attributes: `on…` functions become listeners (`onclick`), `class`, `dataset: {…}`, `style: {"--share": "40%"}` (set
 * through the CSSOM, which the policy allows), true and false for attributes that are there or not, null and undefined
 * for none. Children: nodes, text, numbers, lists of these; null, undefined and false are left out.
 *
 * @param {string} tag
 * @param {Record<string, any>|null} [attributes]
 * @param {...any} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/**
 * An SVG element; otherwise as {@link h}.
 * @param {string} tag
 * @param {Record<string, any>|null} [attributes]
 * @param {...any} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * Puts other children in place of those an element has.
 * @param {Element} element
 * @param {...any} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...flat(children));
}

/**
 * Text of others as nodes: characters that show nothing, or that change the order in which others are shown, are made
 * visible by their code point, so that what is read is what was sent.
 * @param {string|null|undefined} text
 * @returns {Node[]}
 */
export function visible(text) {
  const nodes = [];
  let from = 0;
  const whole = String(text ?? "");
  for (const found of whole.matchAll(UNSEEN)) {
    if (found.index > from) nodes.push(document.createTextNode(whole.slice(from, found.index)));
    nodes.push(h("span", { class: "control", title: "a character that shows nothing by itself" }, codePoints(found[0])));
    from = found.index + found[0].length;
  }
  if (from < whole.length) nodes.push(document.createTextNode(whole.slice(from)));
  return nodes;
}

/**
 * The same as {@link visible} where only text can stand (titles, labels).
 * @param {string|null|undefined} text
 */
export function visibleText(text) {
  return String(text ?? "").replaceAll(UNSEEN, codePoints);
}

/** Controls, format characters (bidirectional ones among them), odd spaces, separators, private and lone surrogates. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Cn}\u00A0\u115F\u1160\u1680\u2000-\u200A\u202F\u205F\u3000\u3164\uFFA0\u034F]/gu;

function codePoints(character) {
  return `\u2039U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}\u203A`;
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) set(element, name, value);
  element.append(...flat(children));
  return element;
}

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) {
    if (typeof value !== "function") throw new TypeError(`${name} takes a function`);
    element.addEventListener(name.slice(2), value);
  } else if (name === "dataset") {
    for (const [key, text] of Object.entries(value)) element.dataset[key] = text;
  } else if (name === "style") {
    for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
  } else {
    const text = value === true ? "" : String(value);
    // A value of others must not become a program by becoming a link.
    if ((name === "href" || name === "src") && !/^(?:[/?#]|https?:|blob:)/i.test(text)) return;
    element.setAttribute(name, text);
  }
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== true)
    .map((child) => (typeof child === "number" ? String(child) : child));
}
