// The cost of one request for the chain, as JSON:
//
//   node tests/e2e/measure.js PORT REQUEST
//
// bytes_per_request      its transactions, from the request to the last reveal of a check
// ref_time_ms_per_request, proof_kib_per_request
//                        their weights as charged after execution, and that of the hooks that drew,
//                        decided and paid: the weight of a block's hooks beyond that of an idle block
// ref_time_ms_idle_block the weight of an idle block

import { Chain, plain } from './lib/chain.js';
import { cost, idleBlock, isOfRequests } from './lib/cost.js';

const [port, id] = process.argv.slice(2).map(Number);
const chain = await Chain.connect(port);
const { requestedAt, claim } = plain(await chain.view('Inference', 'request_state', id));

const first = ({ data }) => plain(data[0]);
/** An event of the request, or of its answer's claim. */
const isOfRequest = (event) =>
  (event.section === 'inference' && first(event) === BigInt(id)) ||
  (['claims', 'jury'].includes(event.section) && first(event) === claim);
const idle = await idleBlock(chain);
const { bytes, transactions, hooks } = await cost(
  chain,
  idle,
  Number(requestedAt),
  (call, events) => isOfRequests(call) && events.some(isOfRequest),
  (event) => event.section === 'inference' && isOfRequest(event) && ['Settled', 'Refunded'].includes(event.method),
);
console.log(JSON.stringify({
  bytes_per_request: bytes,
  ref_time_ms_per_request: transactions.refTimeMs + hooks.refTimeMs,
  proof_kib_per_request: transactions.proofKib + hooks.proofKib,
  ref_time_ms_idle_block: idle.refTimeMs,
}));
await chain.disconnect();
