// Duties of hot keys: blocks that are final late, blocks full of paid transactions, and one hot key in
// two processes.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { key } from '../lib/chain.js';
import { UNIT, World } from '../lib/world.js';

const settled = async (world, asked) => {
  for (const { id } of asked) {
    const end = await world.end(id);
    assert.equal(end.name, 'Settled', `request ${id}: ${JSON.stringify(world.story(id))}`);
  }
};

describe('a chain whose blocks are final 15 blocks later', () => {
  let world;
  let worker;

  before(async () => {
    world = await World.start('finality', { blockTime: 300, finalityLag: 15 });
    [worker] = await world.add([['Worker', 'Worker1']]);
    await world.add([['Validator', 'Validator1'], ['Validator', 'Validator2'], ['Validator', 'Validator3']]);
  }, { timeout: 300_000 });
  after(() => world?.stop());

  it('settles what is asked of it', { timeout: 240_000 }, async () => {
    const requesters = [await world.account(), await world.account()];
    const asked = await Promise.all(requesters.map((signer) => world.ask('What is the sea?', { signer, maxTokens: 8 })));
    await settled(world, asked);
  });

  it('settles what its worker was killed over', { timeout: 240_000 }, async () => {
    const { id } = await world.ask('Tell me about the sea.', { maxTokens: 16 });
    await world.event(id, 'Assigned');
    await worker.kill();
    worker.start();
    assert.equal((await world.end(id)).name, 'Settled');
  });

  it('slashes no operator', async () => {
    assert.deepEqual(world.chain.eventsNamed('operators.Slashed'), []);
    await world.audit();
  });
});

describe('a chain under load', () => {
  let world;
  let worker;

  before(async () => {
    world = await World.start('load');
    [worker] = await world.add([['Worker', 'Worker1']]);
    await world.add([['Validator', 'Validator1'], ['Validator', 'Validator2']]);
  }, { timeout: 300_000 });
  after(() => world?.stop());

  it('settles ten requests that two processes with one hot key answer', { timeout: 240_000 }, async () => {
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

  it('includes every duty while paid transactions with high tips fill the blocks', { timeout: 240_000 }, async () => {
    const { chain } = world;
    const { api } = chain;
    const filler = key('//Bob');
    const requester = await world.account(2_000n * UNIT);
    // Signed beforehand, and large: three of them fill what ordinary transactions may of a block.
    const remark = api.tx.system.remark(`0x${'00'.repeat(1_200_000)}`);
    const first = (await api.rpc.system.accountNextIndex(filler.address)).toNumber();
    const waiting = [];
    for (let n = 0; n < 48; n += 1) {
      waiting.push((await remark.signAsync(filler, { nonce: first + n, tip: 10n * UNIT, era: 0 })).toHex());
    }
    const asked = [];
    for (let n = 0; n < 3; n += 1) asked.push(await world.ask('Hello', { signer: requester, maxTokens: 4 }));
    const from = await chain.height();
    let full = true;
    // Twelve wait at a time: what the pool holds would be too large an answer to ask for, so the nonces tell.
    const fill = (async () => {
      let sent = 0;
      while (full && waiting.length) {
        const included = (await api.query.system.account(filler.address)).nonce.toNumber() - first;
        const next = waiting.splice(0, Math.max(12 - (sent - included), 0));
        sent += next.length;
        await Promise.all(next.map((hex) => api._rpcCore.provider.send('author_submitExtrinsic', [hex])));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    try {
      await settled(world, asked);
    } finally {
      full = false;
      await fill;
    }
    const lengths = [];
    for (let height = from; height <= (await chain.height()); height += 1) {
      const extrinsics = await chain.extrinsics((await api.rpc.chain.getBlockHash(height)).toHex());
      lengths.push(extrinsics.reduce((sum, { length }) => sum + length, 0));
    }
    assert.ok(lengths.filter((length) => length > 3_000_000).length >= 3, `blocks were full: ${lengths}`);
  });

  it('slashes no operator', async () => {
    assert.deepEqual(world.chain.eventsNamed('operators.Slashed'), []);
    await world.audit();
  });
});
