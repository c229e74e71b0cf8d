// Numbers as people read them.

const WHOLE = new Intl.NumberFormat("en", { useGrouping: true });

/** @param {number} number */
export const count = (number) => WHOLE.format(number).replaceAll(",", "\u202F");

/** A share of 0 to 1 as percent, with no more digits than matter. @param {number} share */
export function percent(share) {
  const hundred = share * 100;
  if (hundred === 0) return "0 %";
  if (hundred < 0.01) return "< 0.01 %";
  return `${hundred < 1 ? hundred.toFixed(2) : hundred < 10 ? hundred.toFixed(1) : Math.round(hundred)} %`;
}

/** `1 request`, `2 requests`. @param {number} number @param {string} one @param {string} [many] */
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** @param {number[]} numbers */
export const sum = (numbers) => numbers.reduce((all, number) => all + number, 0);
