// What one request cost the chain, as JSON:
//
//   node tests/e2e/measure.js PORT REQUEST
//
// bytes_per_request      its transactions, from the question to the last reveal of a check
// ref_time_ms_per_request, proof_kib_per_request
//                        their weights as charged after execution, and that of the hooks that
//                        drew, decided and paid: what a block's hooks weigh more than an idle one's
// ref_time_ms_idle_block what an idle block weighs

import { Chain, plain } from './lib/chain.js';
import { cost, idleBlock } from './lib/cost.js';

const [port, id] = process.argv.slice(2).map(Number);
const chain = await Chain.connect(port);
const { requestedAt, claim } = plain(await chain.view('Inference', 'request_state', id));

const sections = new Set(['inference', 'claims', 'jury']);
const first = ({ data }) => plain(data[0]);
/** An event of the request, or of the claim that its answer is. */
const isOfRequest = (event) =>
  (event.section === 'inference' && first(event) === BigInt(id)) ||
  (['claims', 'jury'].includes(event.section) && first(event) === claim);
const idle = await idleBlock(chain);
const { bytes, transactions, hooks } = await cost(
  chain,
  idle,
  Number(requestedAt),
  ({ section }, events) => sections.has(section) && events.some(isOfRequest),
  (event) => event.section === 'inference' && isOfRequest(event) && ['Settled', 'Refunded'].includes(event.method),
);
console.log(JSON.stringify({
  bytes_per_request: bytes,
  ref_time_ms_per_request: transactions.refTimeMs + hooks.refTimeMs,
  proof_kib_per_request: transactions.proofKib + hooks.proofKib,
  ref_time_ms_idle_block: idle.refTimeMs,
}));
await chain.disconnect();
