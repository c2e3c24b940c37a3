// Numbers, amounts and hashes as text.

/** The token of the chain, until the gateway or the node names it. */
export const UNKNOWN_TOKEN = { symbol: 'NOEMA', decimals: 12 };

/** Digits that are not zero at the beginning of an amount. */
const SIGNIFICANT = 4;

const grouped = (digits) => digits.replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');

/** A whole number with its digits in groups. */
export const whole = (number) => {
  const text = String(number);
  return text.startsWith('-') ? `-${grouped(text.slice(1))}` : grouped(text);
};

/** An amount in tokens with each of its digits. */
export function exactAmount(units, { symbol, decimals } = UNKNOWN_TOKEN) {
  const digits = BigInt(units).toString().padStart(decimals + 1, '0');
  const cut = digits.length - decimals;
  const fraction = digits.slice(cut).replace(/0+$/, '');
  return `${grouped(digits.slice(0, cut))}${fraction ? `.${fraction}` : ''} ${symbol}`;
}

/** An amount in tokens, rounded down to a few digits. */
export function amount(units, token = UNKNOWN_TOKEN) {
  const [text, symbol] = exactAmount(units, token).split(/ (?=\S+$)/);
  const [before, fraction = ''] = text.split('.');
  if (before !== '0') {
    const places = Math.max(0, SIGNIFICANT - before.replace(/\D/g, '').length);
    const kept = fraction.slice(0, places).replace(/0+$/, '');
    return `${before}${kept ? `.${kept}` : ''} ${symbol}`;
  }
  const first = fraction.search(/[1-9]/);
  if (first < 0) return `0 ${symbol}`;
  return `0.${fraction.slice(0, first + SIGNIFICANT).replace(/0+$/, '')} ${symbol}`;
}

/** The beginning and the end of a hash or an address. */
export const short = (text, ends = 6) => {
  const value = String(text);
  return value.length > 2 * ends + 3 ? `${value.slice(0, ends)}…${value.slice(-4)}` : value;
};

/** A number with its noun, in the plural where it is not one. */
export const count = (number, noun, plural = `${noun}s`) => `${whole(number)} ${Number(number) === 1 ? noun : plural}`;

/** `CheckDrawn` or `not_drawn` as `check drawn` and `not drawn`. */
export const words = (name) =>
  String(name)
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase();

/** With a capital at the beginning. */
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** A share in percent. */
export const percent = (part, of) => {
  const share = Number(of) ? (100 * Number(part)) / Number(of) : 0;
  return `${share >= 10 || share === 0 ? share.toFixed(0) : share.toPrecision(2)} %`;
};

/** A time in the reader's words. */
export const time = (ms) => new Date(ms).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'medium' });
