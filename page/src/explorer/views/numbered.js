// Objects that the chain numbers one after the other.

import { plain } from '../plain.js';

/** The latest `most` of them that the chain still has, each `{ id, value }`, latest first. */
export async function latest(api, pallet, next, items, most) {
  const end = plain(await api.query[pallet][next]());
  const ids = Array.from({ length: Math.min(most, end) }, (_, place) => end - 1 - place);
  if (ids.length === 0) return [];
  const values = await api.query[pallet][items].multi(ids);
  return ids.map((id, place) => ({ id, value: plain(values[place]) })).filter(({ value }) => value !== null);
}
