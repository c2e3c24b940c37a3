// Duties of hot keys: blocks that are final late, blocks full of paid transactions, and one hot key in
// two processes.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { plain } from '../lib/chain.js';
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
    const requester = await world.account(2_000n * UNIT);
    // Three of these fill what ordinary transactions may of a block, and each is small and quickly executed:
    // only the sudo key may claim a weight.
    const { refTime, proofSize } = plain(api.consts.system.blockWeights).perClass.normal.maxTotal;
    const weight = { refTime: (refTime * 32n) / 100n, proofSize: (proofSize * 32n) / 100n };
    const remark = api.tx.sudo.sudoUncheckedWeight(api.tx.system.remark('0x'), weight);
    const first = (await api.rpc.system.accountNextIndex(world.funder.address)).toNumber();
    const fillers = [];
    for (let n = 0; n < 300; n += 1) {
      fillers.push((await remark.signAsync(world.funder, { nonce: first + n, tip: 10n * UNIT, era: 0 })).toHex());
    }
    const asked = [];
    for (let n = 0; n < 3; n += 1) asked.push(await world.ask('Hello', { signer: requester, maxTokens: 4 }));
    const from = await chain.height();
    for (const hex of fillers) await api._rpcCore.provider.send('author_submitExtrinsic', [hex]);
    await settled(world, asked);

    const filled = [];
    for (let height = from; height <= (await chain.height()); height += 1) {
      const at = await api.at(await api.rpc.chain.getBlockHash(height));
      const { normal } = plain(await at.query.system.blockWeight());
      filled.push((normal.refTime * 100n) / refTime);
    }
    assert.ok(filled.filter((percent) => percent > 90n).length >= 10, `blocks were full: ${filled} percent`);
  });

  it('slashes no operator', async () => {
    assert.deepEqual(world.chain.eventsNamed('operators.Slashed'), []);
    await world.audit();
  });
});
