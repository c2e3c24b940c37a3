// The cost of sessions for the chain, as JSON:
//
//   node tests/e2e/measure-sessions.js [ANSWERS]...
//
// Opens a session, claims so many answers with one voucher (default: 1, 10, 1,000 and 100,000), has every drawn leaf
// checked, and ends the session. Worker, payer and validators are simulated, and so are the answers; NOEMA_BIN_DIR is the
// folder of `noema-node` (default: target/debug). At least one leaf of each claim is checked, also where only one claim
// in twenty would be.
//
// answers_per_claim, bytes_per_claim, ref_time_ms_per_claim
//                        of the largest claim: its answers, and its transaction
// chain_bytes_per_answer_N, chain_ref_time_us_per_answer_N
//                        of a session of N answers, over these: all transactions from the opening to the end, checks
//                        included, and for the time the hooks
// checks_N               checks of its leaves
// settled_answers_per_block
//                        answers that the sessions have whose transactions fill a block, each of the largest number of
//                        answers

import assert from 'node:assert/strict';

import { plain } from './lib/chain.js';
import { cost, idleBlock } from './lib/cost.js';
import { CHECK_ALL } from './lib/rules.js';
import { SimulatedSession } from './lib/sessions.js';
import { UNIT, World } from './lib/world.js';

const wanted = process.argv.slice(2).map(Number);
const sizes = wanted.length ? wanted : [1, 10, 1_000, 100_000];
/** Tokens of prompts and answers, and the price of a token: answers of 0.074 NOEMA. */
const SIZE = { prompt: 32, tokens: 72, leafTokens: 2_048 };
const PRICES = { perPromptByte: UNIT / 64_000n, perAnswerToken: UNIT / 1_000n };

const world = await World.start('measure-sessions', { blockTime: 200, rules: CHECK_ALL });
try {
  const { chain } = world;
  const most = Math.max(...sizes);
  const price = BigInt(SIZE.tokens) * PRICES.perAnswerToken + BigInt(4 * SIZE.prompt) * PRICES.perPromptByte;
  const bond = BigInt(most) * price + 100n * UNIT;
  const validators = Array.from({ length: 4 }, (_, n) => ['Validator', `Validator${n + 1}`]);
  await world.add(validators, { fake: true, bond: 1_000n * UNIT, waits: false });
  const [worker] = await world.add([['Worker', 'Worker1']], { fake: true, bond, prices: PRICES });

  const idle = await idleBlock(chain);
  const figures = {};
  for (const count of sizes) {
    const held = BigInt(count) * price + 20n * UNIT;
    const session = await SimulatedSession.open(world, worker, { ...SIZE, held });
    const from = await heightOf(session.block);
    const voucher = session.voucher(count);
    // A claim of few answers is made while the session closes.
    await chain.send(chain.call('sessions.closeSession', session.session), session.payer);
    const claim = await session.claim(voucher);
    await session.confirm(claim, voucher.leaves);
    await worker.submit('sessions.endSession', session.session, count);
    await world.claimEvent(claim.claim, 'claims.Ended');

    const isOfIt = (event) => {
      const [first] = event.data;
      if (event.section === 'sessions') return plain(first) === session.session;
      return event.section === 'claims' && plain(first) === claim.claim;
    };
    const { bytes, transactions, hooks } = await cost(
      chain, idle, from, (_call, events) => events.some(isOfIt), (event) => event.method === 'Ended' && isOfIt(event),
    );
    figures[`chain_bytes_per_answer_${count}`] = bytes / count;
    figures[`chain_ref_time_us_per_answer_${count}`] = (1000 * (transactions.refTimeMs + hooks.refTimeMs)) / count;
    figures[`checks_${count}`] = chain.eventsNamed('claims.CheckRevealed', (data) => data.claim === claim.claim).length;
    if (count !== most) continue;
    const single = await cost(
      chain, idle, await heightOf(claim.block), (_call, events) => events.some(({ section, method }) => section === 'sessions' && method === 'Claimed'),
      ({ section, method }) => section === 'sessions' && method === 'Claimed',
    );
    figures.answers_per_claim = count;
    figures.bytes_per_claim = single.bytes;
    figures.ref_time_ms_per_claim = single.transactions.refTimeMs;
    const { maxTotal } = plain(chain.api.consts.system.blockWeights).perClass.normal;
    const perBlock = [
      Number(maxTotal.refTime) / 1e9 / (transactions.refTimeMs + hooks.refTimeMs),
      Number(maxTotal.proofSize) / 1024 / (transactions.proofKib + hooks.proofKib),
      Number(plain(chain.api.consts.system.blockLength).max.normal) / bytes,
    ];
    figures.settled_answers_per_block = Math.floor(Math.min(...perBlock)) * count;
  }
  assert.deepEqual(chain.eventsNamed('operators.Slashed'), []);
  await world.audit();
  console.log(JSON.stringify(figures));

  async function heightOf(hash) {
    return (await chain.api.rpc.chain.getHeader(hash)).number.toNumber();
  }
} finally {
  await world.stop();
}
