// What is shown lives in the URL's query, so that it can be shared, and so that back and forward work.

/** Everything that may stand in the query. */
const KNOWN = ["view", "exchange", "route", "cause", "hazard", "status", "resource", "text", "since", "until", "entry"];

/** What the list is filtered by. */
export const FILTERS = ["text", "route", "cause", "hazard", "status", "resource", "since", "until"];

const changes = new EventTarget();

export const address = {
  /** What the URL says now. @returns {Record<string, string>} */
  read() {
    const query = new URLSearchParams(location.search);
    return Object.fromEntries(KNOWN.map((name) => [name, query.get(name)?.trim()]).filter(([, value]) => value));
  },

  /**
   * The link to what is shown now, with changes: null, undefined or an empty text take one away. Another view is a fresh
   * start: it keeps nothing that is not named. One exchange keeps the filters of the list it was chosen from.
   * @param {Record<string, string|number|null|undefined>} changed
   */
  link(changed) {
    const now = address.read();
    const elsewhere = "view" in changed || ("exchange" in changed && now.view && now.view !== "exchanges");
    const state = { ...(elsewhere ? {} : now), ...changed };
    if (state.view === "exchanges") delete state.view;
    const query = new URLSearchParams();
    for (const name of KNOWN) {
      const value = state[name];
      if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
    }
    return query.size ? `?${query}` : "/";
  },

  /**
   * Goes where {@link link} leads; with `replace`, in place of the entry the history has.
   * @param {Record<string, string|number|null|undefined>} changed
   * @param {{replace?: boolean}} [how]
   */
  go(changed, how = {}) {
    follow(address.link(changed), how.replace);
  },

  /** Tells of every change of the URL, from here or by back and forward. @returns {() => void} ends it */
  subscribe(listener) {
    const told = () => listener(address.read());
    changes.addEventListener("change", told);
    return () => changes.removeEventListener("change", told);
  },

  /** Begins to follow links of the page itself without loading it anew. */
  start() {
    window.addEventListener("popstate", () => changes.dispatchEvent(new Event("change")));
    document.addEventListener("click", (event) => {
      const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
      const href = link?.getAttribute("href") ?? "";
      const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
      if (!plain || event.defaultPrevented || !(href === "/" || href.startsWith("?")) || link.hasAttribute("download")) return;
      event.preventDefault();
      follow(href, false);
    });
  },
};

function follow(href, replace) {
  const target = new URL(href, location.origin + location.pathname);
  if (target.href === location.href) return;
  if (replace) history.replaceState(null, "", target);
  else history.pushState(null, "", target);
  changes.dispatchEvent(new Event("change"));
}
