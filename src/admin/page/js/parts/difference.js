// What changed from one value to the next, to the character, and how it is shown: `W/` inserted, `-gzip` appended.

import { h, visible } from "../dom.js";

/** @typedef {{kind: "same"|"removed"|"added", text: string}} Piece */

/** Beyond this, the middle of two values is taken as replaced: nobody reads more, and the table grows by the square. */
const COMPARED_MAX = 400;

/**
 * The pieces that make `after` out of `before`, in order.
 * @param {string} before
 * @param {string} after
 * @returns {Piece[]}
 */
export function difference(before, after) {
  const [old, now] = [[...before], [...after]];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old[old.length - 1 - end] === now[now.length - 1 - end]) end += 1;
  const middle = between(old.slice(start, old.length - end), now.slice(start, now.length - end));
  const pieces = [piece("same", old.slice(0, start)), ...middle, piece("same", old.slice(old.length - end))];
  return joined(pieces.filter((one) => one.text !== ""));
}

/**
 * A value beside the one it is compared with, its changed characters marked: with `other` as the earlier one what came
 * in, with `earlier` false what will be gone.
 * @param {string} value
 * @param {string} other
 * @param {{later: boolean}} side whether `value` is the later of the two
 */
export function marked(value, other, side) {
  const pieces = side.later ? difference(other, value) : difference(value, other);
  const mine = side.later ? "added" : "removed";
  return pieces
    .filter((one) => one.kind === "same" || one.kind === mine)
    .map((one) => (one.kind === "same" ? visible(one.text) : mark(one)));
}

/**
 * A value with the characters marked that another one, which it is held against, does not have.
 * @param {string} value @param {string} other
 */
export function unlike(value, other) {
  return difference(other, value).filter((one) => one.kind !== "removed").map((one) => (one.kind === "same" ? visible(one.text)
    : h("mark", { class: "byte-unlike" }, visible(one.text))));
}

/**
 * Both at once: what is gone struck out, what came in marked.
 * @param {string} before
 * @param {string} after
 */
export function merged(before, after) {
  return difference(before, after).map((one) => (one.kind === "same" ? visible(one.text) : mark(one)));
}

/**
 * The change in a few words: `-gzip added`, `W/ added`, `the quotes removed`; null where it has no short name.
 * @param {string} before
 * @param {string} after
 * @returns {Array<Node|string>|null}
 */
export function inWords(before, after) {
  const pieces = difference(before, after);
  const [added, removed] = ["added", "removed"].map((kind) => pieces.filter((one) => one.kind === kind));
  const text = (list) => list.map((one) => one.text).join("");
  const code = (list) => list.flatMap((one, at) => [at ? " and " : "", h("code", { class: "bytes" }, visible(one.text))]);
  if (!added.length && removed.length === 2 && /^["']+$/.test(text(removed))) return ["removed the quotes"];
  if (!removed.length && added.length === 2 && /^["']+$/.test(text(added))) return ["added quotes"];
  if (!removed.length && added.length <= 2) return ["added ", ...code(added)];
  if (!added.length && removed.length <= 2) return ["removed ", ...code(removed)];
  if (added.length === 1 && removed.length === 1) return ["put ", ...code(added), " in place of ", ...code(removed)];
  return null;
}

/** @param {Piece} one */
function mark(one) {
  const [tag, says] = one.kind === "added" ? ["ins", "added: "] : ["del", "removed: "];
  return h(tag, { class: `byte-${one.kind}` }, h("span", { class: "seen-by-readers-only" }, says), visible(one.text));
}

/** @param {Piece["kind"]} kind @param {string[]} characters @returns {Piece} */
function piece(kind, characters) {
  return { kind, text: characters.join("") };
}

/**
 * The middle, by its longest common subsequence; as a replacement where what is common is only chance.
 * @param {string[]} old
 * @param {string[]} now
 * @returns {Piece[]}
 */
function between(old, now) {
  const replaced = [piece("removed", old), piece("added", now)];
  if (!old.length || !now.length || old.length > COMPARED_MAX || now.length > COMPARED_MAX) return replaced;
  const pieces = joined(subsequence(old, now));
  const same = pieces.filter((one) => one.kind === "same");
  const kept = same.reduce((sum, one) => sum + one.text.length, 0);
  return kept * 2 >= Math.min(old.length, now.length) && same.length <= 3 && kept >= same.length * 2 ? pieces : replaced;
}

function subsequence(old, now) {
  const width = now.length + 1;
  const lengths = new Uint16Array((old.length + 1) * width);
  for (let row = old.length - 1; row >= 0; row -= 1) {
    for (let column = now.length - 1; column >= 0; column -= 1) {
      lengths[row * width + column] = old[row] === now[column]
        ? lengths[(row + 1) * width + column + 1] + 1
        : Math.max(lengths[(row + 1) * width + column], lengths[row * width + column + 1]);
    }
  }
  const pieces = [];
  let [row, column] = [0, 0];
  while (row < old.length && column < now.length) {
    if (old[row] === now[column]) {
      pieces.push(piece("same", [old[row]]));
      row += 1;
      column += 1;
    } else if (lengths[(row + 1) * width + column] >= lengths[row * width + column + 1]) {
      pieces.push(piece("removed", [old[row]]));
      row += 1;
    } else {
      pieces.push(piece("added", [now[column]]));
      column += 1;
    }
  }
  return [...pieces, piece("removed", old.slice(row)), piece("added", now.slice(column))];
}

/** Neighbours of a kind as one; what is gone before what came in its place. @param {Piece[]} pieces */
function joined(pieces) {
  const whole = /** @type {Piece[]} */ ([]);
  for (const one of pieces.filter((piece) => piece.text !== "")) {
    const last = whole.at(-1);
    const before = whole.at(-2);
    if (last?.kind === one.kind) last.text += one.text;
    else if (one.kind === "removed" && last?.kind === "added" && before?.kind === "removed") before.text += one.text;
    else if (one.kind === "removed" && last?.kind === "added") whole.splice(-1, 0, { ...one });
    else whole.push({ ...one });
  }
  return whole;
}
