// Many requests at once, a node that stands still, a chain that is purged, and a pool that is flooded.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { plain } from '../lib/chain.js';
import { burst, ends, flood } from '../lib/load.js';
import { sleep, until } from '../lib/process.js';
import { worker } from '../lib/programs.js';
import { CHECK_ALL } from '../lib/rules.js';
import { UNIT, World } from '../lib/world.js';

/** The number of requests at once. */
const REQUESTS = Number(process.env.NOEMA_E2E_REQUESTS ?? 1_000);

describe('workers that are fewer than requests', () => {
  let world;

  before(async () => {
    // Windows assume a block every two seconds. Here six programs share the machine, and both workers have as
    // many requests as they may.
    world = await World.start('burst', { blockTime: 1_000 });
    await world.add([['Worker', 'Worker1'], ['Worker', 'Worker2']], {
      // The locks of all requests in progress stay below the bond.
      prices: { perPromptByte: UNIT / 10_000n, perAnswerToken: UNIT / 1_000n },
    });
    await world.add([1, 2, 3].map((n) => ['Validator', `Validator${n}`]));
  }, { timeout: 400_000 });
  after(() => world?.stop());

  it(`settle ${REQUESTS} requests at once, in their order`, { timeout: 840_000 }, async () => {
    const { chain } = world;
    const start = Date.now();
    const { ids, blocks } = await burst(chain, { checkpoint: world.checkpoint, count: REQUESTS, funder: world.funder });
    assert.equal(ids.length, REQUESTS);
    const { waiting } = plain(await chain.view('Inference', 'queue', world.checkpoint));
    const over = await ends(chain, ids, 800_000);
    const seconds = (Date.now() - start) / 1000;

    const refunded = [...over.values()].filter(({ name }) => name !== 'Settled');
    assert.deepEqual(refunded, [], 'none is refunded');
    const wanted = new Set(ids);
    const assigned = chain.eventsNamed('inference.Assigned', ({ request }) => wanted.has(request)).map(({ data }) => data.request);
    assert.deepEqual(assigned, [...ids].sort((a, b) => Number(a - b)), 'each is assigned once, in the order of the queue');
    assert.deepEqual(chain.eventsNamed('operators.Slashed'), []);
    const checked = [...over.values()].filter(({ verification }) => verification === 'Confirmed').length;
    // The part that the margin requires, within five standard deviations.
    const part = Number(world.rules.claims.marginPercent) / Number(world.rules.requests.stakePercent);
    const deviation = Math.sqrt(REQUESTS * part * (1 - part));
    assert.ok(Math.abs(checked - REQUESTS * part) < 5 * deviation, `${checked} of ${REQUESTS} are checked`);
    assert.ok([...over.values()].every(({ verification }) => verification !== 'Unconfirmed'));
    console.error(
      `${REQUESTS} requests in ${blocks} blocks, ${waiting} waiting at first: ${seconds.toFixed(0)} s, ${(REQUESTS / seconds).toFixed(1)} a second, ${checked} checked`,
    );
    await world.audit();
  });

  it('settle the requests of twenty simultaneous commands of one account', { timeout: 300_000 }, async () => {
    const asked = await Promise.all(Array.from({ length: 20 }, (_, n) =>
      worker(
        world.home,
        ['ask', '--public', '--url', world.url, '--account', '//Dave', '--max-tokens', '8', `What is ${n} times ${n}?`],
        { timeout: 280_000 },
      )));
    for (const { status, stdout, stderr } of asked) assert.equal(status, 0, stdout + stderr);
  });

  it('settle requests in progress when the node stood still for longer than any window', { timeout: 300_000 }, async () => {
    const { chain } = world;
    await world.setRules(CHECK_ALL);
    const { ids } = await burst(chain, { checkpoint: world.checkpoint, count: 40, funder: world.funder });
    await world.claimEvent(await world.claimOf(ids[0]), 'claims.CheckDrawn');
    const { windows } = world.rules.claims;
    const longest = Number([windows.commit, windows.reveal, windows.challenge, world.rules.requests.answer].reduce((a, b) => (a > b ? a : b)));
    world.node.pause();
    await sleep(1.2 * longest * world.blockTime);
    world.node.resume();
    const over = await ends(chain, ids, 240_000);
    assert.ok([...over.values()].every(({ name, verification }) => name === 'Settled' && verification === 'Confirmed'));
    await world.restoreRules();
    await world.audit();
  });

  it('settle requests while ten thousand invalid duties are sent to the pool', { timeout: 300_000 }, async () => {
    const { chain } = world;
    const [idle] = await world.add([['Worker', 'Idle']], { fake: true, checkpoints: [] });
    const asked = [await world.ask('What is a flood?'), await world.ask('What is a dam?')];
    const from = chain.block;
    const COUNT = 10_000;
    const { refusals, seconds, processor } = await flood(chain, { count: COUNT, hot: idle.hot, pid: world.node.pid });
    const each = COUNT / 3;
    for (const reason of ['invalid.BadSigner', 'invalid.BadProof', 'claims.UnknownClaim']) {
      assert.ok(Math.abs(refusals.get(reason) - each) <= 1, `${reason}: ${JSON.stringify([...refusals])}`);
    }
    assert.ok(chain.block > from, 'blocks are made meanwhile');
    for (const { id } of asked) await world.settled(id);
    await until('none of them is in the pool', async () => ((await chain.pending()) === 0 ? true : undefined));
    console.error(`${COUNT} invalid duties: ${seconds.toFixed(1)} s, of which the node spent ${processor.toFixed(1)} s on everything`);
    await world.audit();
  });

  it('lose nothing', () => world.close());
});

describe('a purged chain', () => {
  const OPERATORS = [['Worker', 'Worker1'], ['Validator', 'Validator1'], ['Validator', 'Validator2']];
  let world;

  before(async () => {
    world = await World.start('anew', { rules: CHECK_ALL });
    await world.add(OPERATORS);
  }, { timeout: 400_000 });
  after(() => world?.stop());

  async function answers(prompts) {
    for (const prompt of prompts) {
      const { id } = await world.ask(prompt);
      const { verification } = await world.settled(id);
      assert.equal(verification, 'Confirmed');
    }
  }

  it('is served by operators with the stores of the earlier one', { timeout: 300_000 }, async () => {
    const genesis = world.chain.api.genesisHash.toHex();
    await answers(['What is old?', 'What is past?']);
    const { next } = await numbers();
    await world.purge();
    assert.equal(world.chain.api.genesisHash.toHex(), genesis, 'both chains have the same first block');
    assert.ok((await numbers()).next < next);
    // With the stores of the earlier chain.
    await world.add(OPERATORS);
    await answers(['What is new?', 'What is to come?', 'What is next?']);
    assert.deepEqual(world.chain.eventsNamed('operators.Slashed'), []);
    await world.close();
  });

  const numbers = async () => ({ next: plain(await world.chain.api.query.inference.nextRequestId()) });
});
