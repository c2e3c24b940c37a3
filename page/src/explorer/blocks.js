// Blocks and their events: read as they come, and earlier ones on demand.
//
// What is over is no longer in the chain's storage. The explorer tells it from the events of the blocks that it has
// read.

import { compactFromU8a, hexToU8a, u8aToHex } from '@polkadot/util';

import { Watched } from '../shared/store.js';
import { api, best } from './node.js';
import { plain } from './plain.js';

/** Blocks that are read at the beginning, and with each further step back. */
const FIRST = 120;
export const STEP = 240;
/** Blocks between the best one and those that were read, at most: after a longer break those between are left out. */
const GAP = 60;
/** Blocks that are kept. */
const MOST = 3_000;
/** Blocks that are read at the same time. */
const TOGETHER = 6;
/** The first byte of a transaction without signature in which a duty is performed, and its length up to the call. */
const GENERAL = { version: 0x45, length: 6 };

/** Blocks by number, each `{ number, hash, parent, time, author, extrinsics, events }`. */
const blocks = new Map();
/** A number that grows with each block that is read. */
export const revision = new Watched(0);
/** The number of the earliest block of those that follow on one another up to the best one. */
export const earliest = new Watched(null);

const named = (fields, values) => fields.map((field, place) => [field, plain(values[place])]);

function eventOf({ event, phase }, block, index) {
  const { names } = event.data;
  const fields = names ?? event.data.map((_, place) => String(place));
  return {
    block,
    index,
    extrinsic: phase.isApplyExtrinsic ? phase.asApplyExtrinsic.toNumber() : null,
    pallet: event.section,
    name: event.method,
    data: Object.fromEntries(named(fields, event.data)),
  };
}

/** A call with its arguments; the one in a duty in the place of the duty. */
function callOf(call) {
  const { section, method, args } = call;
  const fields = call.meta.fields.map(({ name }) => name.toString());
  if (section === 'duties' && method === 'perform') return { ...callOf(args[1]), key: args[0].toString() };
  return { pallet: section, name: method, data: Object.fromEntries(named(fields, args)), key: null };
}

/** A transaction: who signed it, and its call. */
function extrinsicOf(registry, hex, index) {
  const bytes = hexToU8a(hex);
  const hash = registry.hash(bytes).toHex();
  try {
    const [offset] = compactFromU8a(bytes);
    if (bytes[offset] === GENERAL.version) {
      const call = registry.createType('Call', bytes.subarray(offset + GENERAL.length));
      return { index, hash, signer: null, ...callOf(call) };
    }
    const extrinsic = registry.createType('Extrinsic', bytes);
    return { index, hash, signer: extrinsic.isSigned ? extrinsic.signer.toString() : null, ...callOf(extrinsic.method) };
  } catch (error) {
    return { index, hash, signer: null, pallet: '', name: 'not decoded', data: { error: error.message }, key: null };
  }
}

const send = (method, ...parameters) => api._rpcCore.provider.send(method, parameters);

/** The API with the types of the runtime that executed a block with this parent. */
async function apiOf(hash, parent) {
  const { specVersion } = await send('state_getRuntimeVersion', parent);
  return specVersion === api.runtimeVersion.specVersion.toNumber() ? api : api.at(hash);
}

/** The events of a block, decoded. */
async function recordsOf({ query, registry }, hash) {
  const { key, creator } = query.system.events;
  const bytes = await send('state_getStorage', key(), hash);
  return registry.createTypeUnsafe(registry.lookup.getTypeDef(creator.meta.type.asPlain).type, [hexToU8a(bytes)]);
}

/** Reads a block of the chain. */
async function read(hash) {
  const { block } = await send('chain_getBlock', hash);
  const number = Number(block.header.number);
  const at = number === 0 ? api : await apiOf(hash, block.header.parentHash);
  const records = await recordsOf(at, hash);
  const extrinsics = block.extrinsics.map((hex, index) => extrinsicOf(at.registry, hex, index));
  const set = extrinsics.find(({ pallet, name }) => pallet === 'timestamp' && name === 'set');
  return {
    number,
    hash: typeof hash === 'string' ? hash : u8aToHex(hash),
    parent: block.header.parentHash,
    time: set ? Number(set.data.now) : null,
    extrinsics,
    events: records.map((record, index) => eventOf(record, number, index)),
  };
}

/** Reads the block with this number or hash, unless it was read. */
export async function fetchBlock(id) {
  if (typeof id === 'number' && blocks.has(id)) return blocks.get(id);
  const hash = typeof id === 'string' ? id : (await api.rpc.chain.getBlockHash(id)).toHex();
  if (/^0x0+$/.test(hash)) return null;
  return read(hash);
}

function keep(list) {
  for (const block of list) blocks.set(block.number, block);
  for (const number of [...blocks.keys()].sort((one, other) => one - other).slice(0, Math.max(0, blocks.size - MOST))) {
    blocks.delete(number);
  }
  revision.value += 1;
}

let reading = Promise.resolve();

/** Reads one thing after the other; the next one also where one fails. */
function inTurn(act) {
  const done = reading.then(act);
  reading = done.catch(() => {});
  return done;
}

/** Reads the new blocks up to `head`, and again those that another branch replaced. */
async function follow(head) {
  let { hash } = head;
  const found = [];
  while (found.length < GAP) {
    const block = await read(hash);
    found.push(block);
    if (block.number === 0 || blocks.get(block.number - 1)?.hash === block.parent) break;
    // The first time there is none to reach.
    if (earliest.value === null || block.number <= earliest.value) break;
    hash = block.parent;
  }
  keep(found);
  const first = found.at(-1).number;
  // After a long break there is a gap before them.
  if (earliest.value === null || (first > earliest.value && !blocks.has(first - 1))) earliest.value = first;
}

/** Reads this many blocks before the earliest one, so many at a time that new ones are read between them. */
export async function readEarlier(count) {
  const end = Math.max(0, (earliest.value ?? 0) - count);
  while (earliest.value > end) {
    await inTurn(async () => {
      const last = earliest.value - 1;
      const numbers = Array.from({ length: Math.min(TOGETHER, last - end + 1) }, (_, place) => last - place);
      // The state of old blocks is gone where the node does not archive it.
      const found = await Promise.all(numbers.map((number) => fetchBlock(number)));
      keep(found.filter(Boolean));
      earliest.value = numbers.at(-1);
    });
  }
}

let begun = false;

/** Follows the chain from now on. */
export function followBlocks() {
  if (begun || !best.value) return;
  begun = true;
  inTurn(() => follow(best.value)).then(() => readEarlier(FIRST)).catch(() => {});
  // Of several that came meanwhile the last one leads to all.
  best.watch((head) => inTurn(() => (best.value.hash === head.hash ? follow(head) : undefined)).catch(() => {}));
}

/** The events that were read and that `test` accepts, latest first. */
export function eventsWhere(test, most = 200) {
  const found = [];
  for (const number of [...blocks.keys()].sort((one, other) => other - one)) {
    const { events } = blocks.get(number);
    for (let place = events.length - 1; place >= 0; place -= 1) {
      if (test(events[place])) found.push(events[place]);
      if (found.length === most) return found;
    }
  }
  return found;
}

/** The latest blocks, latest first. */
export const latestBlocks = (most) =>
  [...blocks.keys()].sort((one, other) => other - one).slice(0, most).map((number) => blocks.get(number));
