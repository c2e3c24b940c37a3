// What one request cost the chain, as JSON:
//
//   node tests/e2e/measure.js PORT REQUEST
//
// bytes_per_request      its transactions, from the question to the last verdict
// ref_time_ms_per_request, proof_kib_per_request
//                        their weights as charged after execution, and that of the hooks that
//                        drew, judged and paid: what a block's hooks weigh more than an idle one's

import { Chain, plain } from './lib/chain.js';
import { cost } from './lib/cost.js';

const [port, id] = process.argv.slice(2).map(Number);
const chain = await Chain.connect(port);
const { requestedAt } = plain(await chain.view('Inference', 'request_state', id));

const calls = new Set(['requestInference', 'submitResult', 'commitVerdict', 'revealVerdict', 'object']);
const isOfRequest = (event) => event.section === 'inference' && Number(plain(event.data[0])) === id;
const { bytes, transactions, hooks } = await cost(
  chain,
  Number(requestedAt),
  (method, events) => method.section === 'inference' && calls.has(method.method) && events.some(isOfRequest),
  (event) => isOfRequest(event) && ['Settled', 'Refunded'].includes(event.method),
);
console.log(JSON.stringify({
  bytes_per_request: bytes,
  ref_time_ms_per_request: transactions.refTimeMs + hooks.refTimeMs,
  proof_kib_per_request: transactions.proofKib + hooks.proofKib,
}));
await chain.disconnect();
