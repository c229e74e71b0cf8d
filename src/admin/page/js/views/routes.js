// The routes.

import { fill, h } from "../dom.js";

export const title = "Routes";

export function show(root, _state, _app) {
  fill(root, h("p", { class: "empty" }, "This view is being built."));
  return { update() {}, close() {} };
}
