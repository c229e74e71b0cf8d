// The switches of the demonstration: what its gateway does wrong, and which causes that leads to.

import { fill, h, visible } from "../dom.js";

export const title = "Demo";

export function show(root, state, app) {
  const page = h("article", { class: "page demo" });
  fill(root, page);
  const shown = new AbortController();
  const said = h("p", { class: "demo-said", role: "alert" });
  const list = h("ul", { class: "demo-list" });
  const played = h("section", { class: "section" });

  const put = async (behaviours, focused) => {
    fill(said);
    said.className = "demo-said";
    try {
      drawList((await app.api.put("/api/v1/demo", { behaviours })).behaviours);
      if (focused) document.getElementById(focused)?.focus();
    } catch (error) {
      said.className = "demo-said problem";
      fill(said, visible(error.message));
      await load();
    }
  };

  const drawList = (behaviours) => {
    fill(list, behaviours.map((one) => behaviour(one, app, (on, focused) => put({ [one.id]: on }, focused))));
  };

  const drawStories = (stories) => {
    if (!stories.length) return;
    fill(played, h("h2", null, "What its clients do"), h("ul", { class: "plain demo-stories" }, stories.map((story) => h("li", null,
      h("a", { href: app.address.link({ view: "exchanges", text: story.id }) }, visible(story.title))))));
  };

  const load = async () => {
    try {
      const { behaviours, stories } = await app.api.get("/api/v1/demo", { signal: shown.signal });
      drawList(behaviours);
      drawStories(stories ?? []);
    } catch (error) {
      if (shown.signal.aborted) return;
      fill(page, h("h1", null, "Demo"), h("p", { class: "problem", role: "alert" },
        error.status === 404 ? ["This instance is no demonstration. ", h("code", null, "why412 demo"), " starts one."] : visible(error.message)));
    }
  };

  fill(page,
    h("h1", null, "What the gateway of the demonstration does wrong"),
    h("p", { class: "prose" }, "Clients read and write through it all the time. Switch something on or off, and watch the ",
      h("a", { href: app.address.link({ view: "exchanges" }) }, "exchanges"), " change within seconds."),
    list, said, played);
  load();
  return { update() {}, close() { shown.abort(); } };
}

function behaviour(one, app, onChange) {
  const id = `demo-${one.id}`;
  const input = h("input", { type: "checkbox", role: "switch", id, class: "switch", "aria-describedby": `${id}-says`, onchange: () => {
    // What is disabled loses the focus, and gets it back with the answer.
    const isFocused = document.activeElement === input;
    input.disabled = true;
    onChange(input.checked, isFocused ? id : null);
  } });
  input.checked = one.on;
  return h("li", { class: "demo-one" }, input, h("div", null,
    h("label", { for: id, class: "demo-title" }, visible(one.title)),
    h("p", { id: `${id}-says`, class: "quiet" }, visible(one.says)),
    one.causes?.length ? h("p", { class: "demo-causes" }, "leads to ", one.causes.map((name, at) => [at ? ", " : "",
      h("a", { href: app.address.link({ view: "catalogue", entry: name }) }, h("code", null, visible(name)))])) : null));
}
