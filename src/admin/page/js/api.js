// Asks the API of the instance this page came from. Holds the token for as long as the browser's session, and asks for
// it when the instance wants one.

/** What the instance answered when it did not answer with what was asked for; status 0 if it could not be reached. */
export class ApiError extends Error {
  /** @param {{status: number, title?: string, detail?: string, faults?: string[]}} problem */
  constructor(problem) {
    super(problem.detail || problem.title || `status ${problem.status}`);
    this.name = "ApiError";
    this.status = problem.status;
    this.title = problem.title ?? "";
    this.detail = problem.detail ?? "";
    this.faults = problem.faults ?? [];
  }
}

const KEY = "why412-token";

/** Asks the person for the token: resolves with it. Set by the shell. @type {(wrong: boolean) => Promise<string>} */
let askPerson = () => Promise.reject(new ApiError({ status: 401, title: "Unauthorized", detail: "a token is needed" }));

/** One question at a time, however many requests wait for the answer. @type {Promise<string>|null} */
let asking = null;

/** Tells `token` when a token is taken or forgotten. */
const changes = new EventTarget();

export const api = {
  /** @param {string} path @param {{signal?: AbortSignal, headers?: Record<string, string>}} [options] */
  get: (path, options) => read(path, { ...options }),
  /** @param {string} path @param {any} body @param {{signal?: AbortSignal, headers?: Record<string, string>}} [options] */
  put: (path, body, options) => read(path, { ...options, method: "PUT", body }),
  /** @param {string} path @param {any} [body] @param {{signal?: AbortSignal, headers?: Record<string, string>}} [options] */
  post: (path, body, options) => read(path, { ...options, method: "POST", body }),
  /** @param {string} path @param {{signal?: AbortSignal, headers?: Record<string, string>}} [options] */
  delete: (path, options) => read(path, { ...options, method: "DELETE" }),

  /**
   * The answer itself, once it is a good one; for streams, and for whoever needs its headers.
   * @param {string} path
   * @param {{method?: string, body?: any, signal?: AbortSignal, headers?: Record<string, string>}} [options]
   */
  async fetch(path, options = {}) {
    for (;;) {
      const token = api.token;
      const response = await send(path, options, token);
      if (response.status !== 401) {
        if (!response.ok) throw await problem(response);
        return response;
      }
      // Another request may have asked for the token in the meantime.
      if (api.token === token) {
        asking ??= askPerson(token !== null).finally(() => { asking = null; });
        keep(await asking);
      }
    }
  },

  /**
   * Saves what is at `path` as a file, under the name the instance gives it or else `filename`.
   * @param {string} path
   * @param {string} filename
   */
  async download(path, filename) {
    const response = await api.fetch(path);
    const named = /filename="([\w.-]+)"/.exec(response.headers.get("content-disposition") ?? "");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = named?.[1] ?? filename;
    link.click();
    // The browser takes the content before the next task.
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  },

  /** The token of this session, or null. @returns {string|null} */
  get token() {
    return sessionStorage.getItem(KEY);
  },

  /** Forgets the token; the next request asks for it. */
  forgetToken() {
    sessionStorage.removeItem(KEY);
    changes.dispatchEvent(new Event("token"));
  },

  /** @param {(wrong: boolean) => Promise<string>} ask */
  onTokenNeeded(ask) {
    askPerson = ask;
  },

  changes,
};

function keep(token) {
  sessionStorage.setItem(KEY, token);
  changes.dispatchEvent(new Event("token"));
}

async function send(path, { method = "GET", body, signal, headers = {} }, token) {
  const sent = { ...headers };
  if (token !== null) sent.Authorization = `Bearer ${token}`;
  if (body !== undefined) sent["Content-Type"] = "application/json";
  try {
    return await fetch(path, {
      method,
      signal,
      headers: sent,
      body: body === undefined ? undefined : JSON.stringify(body),
      // The instance's own conditions and validators are for whoever asks with them, not for the browser's cache.
      cache: "no-store",
      credentials: "omit",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError({ status: 0, title: "Unreachable", detail: "the instance cannot be reached" });
  }
}

async function read(path, options) {
  const response = await api.fetch(path, options);
  const text = await response.text();
  const type = response.headers.get("content-type") ?? "";
  return /^application\/(?:[\w.]+\+)?json\b/.test(type) ? JSON.parse(text) : text;
}

async function problem(response) {
  try {
    return new ApiError({ ...(await response.json()), status: response.status });
  } catch {
    return new ApiError({ status: response.status, title: response.statusText });
  }
}
