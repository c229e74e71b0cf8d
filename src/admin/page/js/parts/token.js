// Asks the person for the token of the instance, in a dialog over whatever is shown.

import { h } from "../dom.js";

/**
 * @param {boolean} wrong whether one was given and refused
 * @returns {Promise<string>} the token; asked for as long as it takes
 */
export function askForToken(wrong) {
  return new Promise((resolve) => {
    const input = h("input", {
      type: "password", id: "token", class: "input", autocomplete: "current-password", spellcheck: "false", required: true,
      "aria-describedby": "token-says", "aria-invalid": wrong ? "true" : null,
    });
    const says = h("p", { id: "token-says", class: wrong ? "problem" : "quiet", role: wrong ? "alert" : null },
      wrong
        ? "That token is not the one of this instance, or it has changed."
        : "This instance wants the token that its admin.token_file holds. It is kept for this browser session only.");
    const take = (event) => {
      event.preventDefault();
      const token = input.value.trim();
      if (token === "" || !/^[\x21-\x7e]+$/.test(token)) {
        says.textContent = "A token is printable ASCII without spaces.";
        says.className = "problem";
        return;
      }
      dialog.close();
      dialog.remove();
      resolve(token);
    };
    const dialog = h("dialog", { class: "dialog", "aria-labelledby": "token-title", oncancel: (event) => event.preventDefault() },
      h("form", { onsubmit: take },
        h("h2", { id: "token-title" }, "Token"),
        says,
        h("label", { for: "token" }, "Token of the admin API"),
        input,
        h("div", { class: "dialog-actions" }, h("button", { class: "button", type: "submit" }, "Continue"))));
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  });
}
