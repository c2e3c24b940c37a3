// What transactions and hooks cost the chain.

/**
 * Adds up, over the blocks `from` the first to the one in which an event `ends` it: bytes and weight, as
 * charged after execution, of the `transactions` that are `own` (method, events), what the `hooks` weigh
 * beyond those of the idlest of these blocks, and the number of `blocks` in which they do.
 */
export async function cost(chain, from, own, ends) {
  const { api } = chain;
  const end = (await api.rpc.chain.getHeader()).number.toNumber();
  const hookWeights = [];
  let bytes = 0;
  let refTime = 0n;
  let proof = 0n;
  for (let height = from; height <= end; height += 1) {
    const hash = await api.rpc.chain.getBlockHash(height);
    const at = await api.at(hash);
    const [extrinsics, events, weight] = await Promise.all([
      chain.extrinsics(hash.toHex()), at.query.system.events(), at.query.system.blockWeight(),
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
    const { refTime: time, proofSize } = weight.mandatory;
    hookWeights.push([time.toBigInt(), proofSize.toBigInt()]);
    if (events.some(({ event }) => ends(event))) break;
  }
  const least = (part) => hookWeights.map((pair) => pair[part]).reduce((a, b) => (b < a ? b : a));
  const idle = [least(0), least(1)];
  const more = hookWeights.map((pair) => pair.map((value, part) => value - idle[part]));
  const sum = (part) => more.reduce((total, pair) => total + pair[part], 0n);
  const charged = (time, proofSize) => ({ refTimeMs: Number(time) / 1e9, proofKib: Number(proofSize) / 1024 });
  return {
    bytes,
    transactions: charged(refTime, proof),
    hooks: { ...charged(sum(0), sum(1)), blocks: more.filter(([time]) => time > 0n).length },
  };
}
