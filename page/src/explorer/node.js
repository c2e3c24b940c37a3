// The connection to the node, and what of it every part of the explorer watches.

import { ApiPromise, WsProvider } from '@polkadot/api';

import { UNKNOWN_TOKEN } from '../shared/format.js';
import { about } from '../shared/gateway.js';
import { Watched } from '../shared/store.js';

/** The time between two attempts to connect, in milliseconds. */
const AGAIN = 2_000;

/** `connecting`, `connected`, `lost`, or `failed` with the reason. */
export const connection = new Watched({ state: 'connecting', url: null, error: null });
/** The chain: its name, token and version. */
export const chain = new Watched({ name: '', version: 0, token: UNKNOWN_TOKEN });
/** The best block: number and hash. */
export const best = new Watched(null);
/** The number of the last finalized block. */
export const finalized = new Watched(null);

/** The API of polkadot.js. Defined once the state is `connected`. */
export let api = null;

/** Whether the chain has a pallet: an older one lacks some. */
export const has = (pallet) => Boolean(api?.query[pallet]);

let begun = false;

/** Connects to the gateway's node, once. */
export async function connect() {
  if (begun) return;
  begun = true;
  try {
    const { rpc, needs_key: needsKey } = await about();
    if (!rpc) throw new Error(needsKey ? 'the gateway names it to callers with a key; enter one in the settings of the chat' : 'the gateway names none');
    connection.value = { ...connection.value, url: rpc };
    const provider = new WsProvider(rpc, AGAIN);
    // Hashes in JavaScript: see build.js.
    const made = new ApiPromise({ provider, initWasm: false, noInitWarn: true, throwOnConnect: false });
    const lose = () => (connection.value = { ...connection.value, state: api ? 'lost' : 'connecting' });
    made.on('disconnected', lose);
    made.on('error', lose);
    await made.isReady;
    api = made;
    await read();
    made.on('connected', () => (connection.value = { ...connection.value, state: 'connected' }));
    connection.value = { ...connection.value, state: 'connected' };
  } catch (error) {
    begun = false;
    connection.value = { ...connection.value, state: 'failed', error: error.message };
  }
}

async function read() {
  const [name, properties] = await Promise.all([api.rpc.system.chain(), api.rpc.system.properties()]);
  const symbol = properties.tokenSymbol.unwrapOr([])[0]?.toString() ?? UNKNOWN_TOKEN.symbol;
  const decimals = properties.tokenDecimals.unwrapOr([])[0]?.toNumber() ?? UNKNOWN_TOKEN.decimals;
  chain.value = { name: name.toString(), version: api.runtimeVersion.specVersion.toNumber(), token: { symbol, decimals } };
  const head = await api.rpc.chain.getHeader();
  best.value = { number: head.number.toNumber(), hash: head.hash.toHex() };
  await api.rpc.chain.subscribeNewHeads((header) => {
    best.value = { number: header.number.toNumber(), hash: header.hash.toHex() };
  });
  await api.rpc.chain.subscribeFinalizedHeads((header) => (finalized.value = header.number.toNumber()));
}
