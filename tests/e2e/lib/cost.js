// The cost of transactions and hooks for the chain.

import { until } from './process.js';

/** Whether an event or a call is of a pallet through which requests pass. */
export const isOfRequests = ({ section }) => ['inference', 'claims', 'jury'].includes(section);

const inUnits = ([time, proofSize]) => ({ refTimeMs: Number(time) / 1e9, proofKib: Number(proofSize) / 1024 });

/** The weight of the hooks and inherents of a block: reference time and size of the proof. */
async function mandatory(at) {
  const { refTime, proofSize } = (await at.query.system.blockWeight()).mandatory;
  return [refTime.toBigInt(), proofSize.toBigInt()];
}

/** The weight of an idle block: the least among the next few blocks. */
export async function idleBlock(chain, count = 8) {
  const { api } = chain;
  const from = await chain.height();
  const weights = [];
  for (let height = from; height < from + count; height += 1) {
    await until(`block ${height}`, async () => ((await chain.height()) >= height ? true : undefined));
    weights.push(await mandatory(await api.at(await api.rpc.chain.getBlockHash(height))));
  }
  const idle = [0, 1].map((part) => weights.map((weight) => weight[part]).reduce((a, b) => (b < a ? b : a)));
  return { idle, ...inUnits(idle) };
}

/**
 * Adds up, over the blocks from `from` to the one with the event for which `ends` is true: bytes and weight,
 * as charged after execution, of the `transactions` that are `own` (method, events), the weight of the
 * `hooks` beyond that of an `idle` block, and the number of `blocks` with such weight.
 */
export async function cost(chain, { idle }, from, own, ends) {
  const { api } = chain;
  const end = await chain.height();
  const hookWeights = [];
  let bytes = 0;
  let refTime = 0n;
  let proof = 0n;
  for (let height = from; height <= end; height += 1) {
    const hash = await api.rpc.chain.getBlockHash(height);
    const at = await api.at(hash);
    const [extrinsics, events, weight] = await Promise.all([
      chain.extrinsics(hash.toHex()), at.query.system.events(), mandatory(at),
    ]);
    extrinsics.forEach((extrinsic, index) => {
      const mine = events
        .filter(({ phase }) => phase.isApplyExtrinsic && phase.asApplyExtrinsic.toNumber() === index)
        .map(({ event }) => event);
      const success = mine.find((event) => event.section === 'system' && event.method === 'ExtrinsicSuccess');
      if (!success || !own(chain.callOf(extrinsic), mine)) return;
      const info = success.data[0].weight;
      bytes += extrinsic.length;
      refTime += info.refTime.toBigInt();
      proof += info.proofSize.toBigInt();
    });
    hookWeights.push(weight);
    if (events.some(({ event }) => ends(event))) break;
  }
  const more = hookWeights.map((pair) => pair.map((value, part) => (value > idle[part] ? value - idle[part] : 0n)));
  const sum = (part) => more.reduce((total, pair) => total + pair[part], 0n);
  return {
    bytes,
    transactions: inUnits([refTime, proof]),
    hooks: { ...inUnits([sum(0), sum(1)]), blocks: more.filter(([time]) => time > 0n).length },
  };
}
