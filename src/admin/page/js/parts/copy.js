// Puts text on the clipboard, and says beside the button whether it worked.

import { h, svg, visibleText } from "../dom.js";

/**
 * @param {string|(() => Promise<string>)} text what to copy, or how to get it
 * @param {{label: string, says?: string}} how what the button is for; what stands on it, an icon if nothing
 */
export function copyButton(text, { label, says }) {
  const told = h("span", { class: "copy-told", role: "status" });
  const copy = async () => {
    button.disabled = true;
    try {
      await write(typeof text === "string" ? text : await text());
      told.textContent = "copied";
      told.classList.remove("copy-failed");
    } catch (error) {
      told.textContent = error?.message ? `not copied: ${error.message}` : "not copied";
      told.classList.add("copy-failed");
    }
    button.disabled = false;
    setTimeout(() => { told.textContent = ""; }, 4000);
  };
  const button = h("button", {
    type: "button", class: says ? "button" : "copy-icon", onclick: copy,
    "aria-label": says ? null : visibleText(label), title: visibleText(label),
  }, says ?? icon());
  return h("span", { class: "copy" }, button, told);
}

function icon() {
  return svg("svg", { viewBox: "0 0 16 16", width: "13", height: "13", "aria-hidden": "true", class: "copy-drawing" },
    svg("rect", { x: "5.5", y: "5.5", width: "8", height: "8", rx: "1.5" }),
    svg("path", { d: "M3.5 10.5h-1v-8h8v1" }));
}

/** The clipboard is there only for origins that the browser trusts; elsewhere the old way still works. */
async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = h("textarea", { class: "copy-source", readonly: true });
  field.value = text;
  document.body.append(field);
  const before = document.activeElement;
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (before instanceof HTMLElement) before.focus();
  if (!done) throw new Error("the browser does not allow it");
}
