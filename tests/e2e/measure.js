// What one request cost the chain, as JSON:
//
//   node tests/e2e/measure.js PORT REQUEST
//
// bytes_per_request      its transactions, from the question to the last verdict
// ref_time_ms_per_request, proof_kib_per_request
//                        their weights as charged after execution, and that of the hooks that
//                        drew, judged and paid: what a block's hooks weigh more than an idle one's

import { Chain, plain } from './lib/chain.js';

const [port, id] = process.argv.slice(2).map(Number);
const chain = await Chain.connect(port);
const { api } = chain;
const { requestedAt } = plain(await chain.view('Inference', 'request_state', id));
const end = (await api.rpc.chain.getHeader()).number.toNumber();

const own = new Set(['requestInference', 'submitResult', 'commitVerdict', 'revealVerdict', 'object']);
const hookWeights = [];
let bytes = 0;
let refTime = 0n;
let proof = 0n;
for (let height = Number(requestedAt); height <= end; height += 1) {
  const hash = await api.rpc.chain.getBlockHash(height);
  const at = await api.at(hash);
  const [{ block }, events, weight] = await Promise.all([
    api.rpc.chain.getBlock(hash), at.query.system.events(), at.query.system.blockWeight(),
  ]);
  const ofBlock = events.map(({ event, phase }) => ({ event, index: phase.isApplyExtrinsic ? phase.asApplyExtrinsic.toNumber() : -1 }));
  block.extrinsics.forEach(({ method, encodedLength }, index) => {
    if (method.section !== 'inference' || !own.has(method.method)) return;
    const mine = ofBlock.filter((entry) => entry.index === index).map(({ event }) => event);
    if (!mine.some((event) => event.section === 'inference' && Number(plain(event.data[0])) === id)) return;
    const info = mine.find((event) => event.section === 'system' && event.method === 'ExtrinsicSuccess').data[0].weight;
    bytes += encodedLength;
    refTime += info.refTime.toBigInt();
    proof += info.proofSize.toBigInt();
  });
  const { refTime: time, proofSize } = weight.mandatory;
  hookWeights.push([time.toBigInt(), proofSize.toBigInt()]);
  const isEnd = ({ event }) =>
    event.section === 'inference' && ['Settled', 'Refunded'].includes(event.method) && Number(plain(event.data[0])) === id;
  if (ofBlock.some(isEnd)) break;
}
const least = (part) => hookWeights.map((pair) => pair[part]).reduce((a, b) => (b < a ? b : a));
const hooks = (part) => hookWeights.reduce((sum, pair) => sum + pair[part] - least(part), 0n);
console.log(JSON.stringify({
  bytes_per_request: bytes,
  ref_time_ms_per_request: Number(refTime + hooks(0)) / 1e9,
  proof_kib_per_request: Number(proof + hooks(1)) / 1024,
}));
await chain.disconnect();
