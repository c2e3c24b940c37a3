// Duties of hot keys: a chain with late finality, blocks full of paid transactions, and one hot key in two
// processes.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { Filler } from '../lib/load.js';
import { CHECK_ALL } from '../lib/rules.js';
import { UNIT, World } from '../lib/world.js';

const settled = async (world, asked) => {
  for (const { id } of asked) {
    const { verification } = await world.settled(id);
    assert.equal(verification, 'Confirmed');
  }
};

describe('a chain whose blocks are final 15 blocks later', () => {
  let world;
  let worker;

  before(async () => {
    world = await World.start('finality', { blockTime: 300, finalityLag: 15, rules: CHECK_ALL });
    [worker] = await world.add([['Worker', 'Worker1']]);
    // Two validators check, the others judge.
    await world.add([1, 2, 3, 4].map((n) => ['Validator', `Validator${n}`]));
  }, { timeout: 400_000 });
  after(() => world?.stop());

  it('grants each step the finality allowance', async () => {
    assert.equal(world.rules.claims.windows.finality, 15n);
  });

  it('settles requests', { timeout: 300_000 }, async () => {
    const requesters = [await world.account(), await world.account()];
    const asked = await Promise.all(requesters.map((signer) => world.ask('What is the sea?', { signer })));
    await settled(world, asked);
  });

  it('settles a request whose worker was killed', { timeout: 300_000 }, async () => {
    const { id } = await world.ask('Tell me about the sea.', { maxTokens: 16 });
    await world.event(id, 'Assigned');
    await worker.kill();
    worker.start();
    await settled(world, [{ id }]);
  });

  it('settles a request that was challenged without reason', { timeout: 300_000 }, async () => {
    const challenger = await world.account(100n * UNIT);
    const { id } = await world.ask('What is a wave?');
    const claim = await world.claimOf(id);
    await world.claimEvent(claim, 'claims.CheckDrawn');
    await world.chain.send(world.chain.call('claims.challenge', claim, 0), challenger);
    assert.equal((await world.claimEvent(claim, 'claims.DisputeConcluded')).decision, 'True');
    await settled(world, [{ id }]);
  });

  it('slashes no operator', async () => {
    assert.deepEqual(world.chain.eventsNamed('operators.Slashed'), []);
    await world.close();
  });
});

describe('a chain under load', () => {
  let world;
  let worker;

  before(async () => {
    world = await World.start('load', { rules: CHECK_ALL });
    [worker] = await world.add([['Worker', 'Worker1']]);
    await world.add([['Validator', 'Validator1'], ['Validator', 'Validator2']]);
  }, { timeout: 400_000 });
  after(() => world?.stop());

  it('settles ten requests that two processes with one hot key answer', { timeout: 300_000 }, async () => {
    const twin = worker.startTwin();
    const requester = await world.account(5_000n * UNIT);
    const asked = [];
    for (let n = 0; n < 10; n += 1) asked.push(await world.ask(`Count to ${n}.`, { signer: requester, maxTokens: 4 }));
    await settled(world, asked);
    for (const { id } of asked) {
      const answers = world.chain.eventsNamed('inference.Answered', ({ request }) => request === id);
      assert.equal(answers.length, 1, 'it is answered once');
    }
    world.assertAlive();
    world.programs.delete(twin);
    await twin.stop();
  });

  it('includes every duty while paid transactions at the highest tip fill the blocks', { timeout: 300_000 }, async () => {
    const requester = await world.account(2_000n * UNIT);
    const filler = await Filler.make(world.chain, world.funder);
    // Until blocks are full, so that every duty is among those that fill them.
    worker.program.pause();
    const asked = [];
    for (let n = 0; n < 3; n += 1) asked.push(await world.ask('Hello', { signer: requester, maxTokens: 4 }));
    let filled;
    await filler.start();
    try {
      await world.chain.blocks(2);
      worker.program.resume();
      await settled(world, asked);
    } finally {
      worker.program.resume();
      filled = await filler.stop();
    }
    assert.ok(filled.filter((percent) => percent > 90).length >= 10, `blocks were full: ${filled} percent`);
  });

  it('slashes no operator', async () => {
    assert.deepEqual(world.chain.eventsNamed('operators.Slashed'), []);
    await world.close();
  });
});
