// Decoded values as plain JavaScript.

import { isUtf8, u8aToHex, u8aToString } from '@polkadot/util';

/** The bits of an amount of money: no other value of this chain has as many. */
const AMOUNT_BITS = 128;

const isPrintable = (text) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text);

/**
 * A decoded value: an amount as `bigint`, another integer as `number` (one that is too large as text), a bare variant
 * as its name and another as a map with its name as the key, an account as its address, bytes as hexadecimal digits.
 */
export function plain(codec) {
  if (codec === null || codec === undefined) return null;
  if ('isSome' in codec && 'unwrap' in codec) return codec.isSome ? plain(codec.unwrap()) : null;
  if ('isBasic' in codec && 'type' in codec && 'inner' in codec) {
    const inner = plain(codec.inner);
    return inner === null ? codec.type : { [codec.type]: inner };
  }
  if (typeof codec.toBigInt === 'function') {
    const value = codec.toBigInt();
    const bits = codec.bitLength?.() ?? 0;
    if (bits === AMOUNT_BITS) return value;
    return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  }
  if (codec instanceof Map) {
    return Object.fromEntries([...codec.entries()].map(([name, value]) => [String(name), plain(value)]));
  }
  if (codec instanceof Set) return [...codec].map(plain);
  if (codec instanceof Uint8Array) {
    return codec.toRawType?.() === 'AccountId' ? codec.toString() : u8aToHex(codec);
  }
  if (Array.isArray(codec)) return [...codec].map(plain);
  if (codec instanceof Boolean) return codec.valueOf();
  if (codec instanceof String) return codec.toString();
  return codec.isEmpty ? null : codec.toJSON();
}

/** The name of a variant and what is in it. */
export function variant(value) {
  if (value === null || value === undefined) return [null, null];
  return typeof value === 'object' ? (Object.entries(value)[0] ?? [null, null]) : [value, null];
}

/** The text in hexadecimal digits, if it is one. */
export function text(hex) {
  if (typeof hex !== 'string' || !/^0x([\da-f]{2})*$/.test(hex)) return null;
  const bytes = Uint8Array.from(hex.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  if (!isUtf8(bytes)) return null;
  const found = u8aToString(bytes);
  return isPrintable(found) ? found : null;
}
