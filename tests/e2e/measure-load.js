// The capacity of a development chain and its operators, as JSON:
//
//   node tests/e2e/measure-load.js PORT [COUNT]
//
// requests_burst         the number of requests for 8 tokens that are sent at once (default: 1,000)
// burst_settled, burst_refunded, burst_slashed
//                        the number of them that were settled and refunded, and of losses of bond meanwhile
// ref_time_ms_per_request_in_burst, proof_kib_per_request_in_burst
//                        the average cost of one of them for the chain, checked or not: weights as charged
//                        after execution
// settled_per_s          requests settled in a second, from sending them to the last
// duty_inclusion_under_load
//                        the included part of the duties while paid transactions at the highest tip filled the
//                        blocks

import { Chain, key } from './lib/chain.js';
import { cost, idleBlock, isOfRequests } from './lib/cost.js';
import { burst, dutiesIncluded, ends, Filler } from './lib/load.js';
import { CHECK_ALL, readRules, setRules, withChanges } from './lib/rules.js';

const [port, count = 1_000] = process.argv.slice(2).map(Number);
const chain = await Chain.connect(port);
const [[{ args: [checkpoint] }]] = await chain.api.query.checkpoints.checkpoints.entries();
const ask = (requests) => burst(chain, { checkpoint: checkpoint.toHex(), count: requests, funder: key('//Ferdie') });

const idle = await idleBlock(chain);
const start = Date.now();
const { ids } = await ask(count);
const over = [...(await ends(chain, ids, 60_000 + count * 3_000)).values()];
const seconds = (Date.now() - start) / 1000;
const settled = over.filter(({ name }) => name === 'Settled').length;
const [{ block: asked }] = chain.eventsNamed('inference.Requested', ({ request }) => request === ids[0]);
let open = ids.length;
const { transactions, hooks } = await cost(
  chain,
  idle,
  asked,
  (_call, events) => events.some(isOfRequests),
  ({ section, method }) => section === 'inference' && ['Settled', 'Refunded'].includes(method) && (open -= 1) === 0,
);
const slashed = chain.eventsNamed('operators.Slashed').length;

const rules = await readRules(chain);
const sudo = key('//Alice');
const set = (changed) => chain.send(chain.call('sudo.sudo', setRules(chain, changed)), sudo);
await set(withChanges(rules, CHECK_ALL));
const filler = await Filler.make(chain, sudo);
const under = await ask(16);
await filler.start();
await ends(chain, under.ids, 240_000);
await filler.stop();
await set(rules);

console.log(JSON.stringify({
  requests_burst: count,
  burst_settled: settled,
  burst_refunded: count - settled,
  burst_slashed: slashed,
  ref_time_ms_per_request_in_burst: (transactions.refTimeMs + hooks.refTimeMs) / count,
  proof_kib_per_request_in_burst: (transactions.proofKib + hooks.proofKib) / count,
  settled_per_s: settled / seconds,
  duty_inclusion_under_load: dutiesIncluded(chain, under.ids),
}));
await chain.disconnect();
