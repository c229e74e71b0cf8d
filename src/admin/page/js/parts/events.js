// Reads server-sent events (WHATWG HTML §9.2) off a stream. The browser's own EventSource cannot send a token.

/**
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<{id?: string, data?: string, retry?: number, comment?: string}>}
 */
export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = {};
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      for (const whole of lines) {
        const line = whole.endsWith("\r") ? whole.slice(0, -1) : whole;
        if (line === "") {
          if (Object.keys(event).length) yield event;
          event = {};
        } else {
          take(event, line);
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function take(event, line) {
  const colon = line.indexOf(":");
  const name = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
  if (name === "") event.comment = value;
  else if (name === "data") event.data = event.data === undefined ? value : `${event.data}\n${value}`;
  else if (name === "id") event.id = value;
  else if (name === "retry" && /^\d+$/.test(value)) event.retry = Number(value);
}
