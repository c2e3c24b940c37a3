// A node that makes blocks for transactions only.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { key } from '../lib/chain.js';
import { sleep } from '../lib/process.js';
import { UNIT, World } from '../lib/world.js';

describe('a node that seals instantly', () => {
  let world;

  const transfer = (from) => world.chain.send(world.chain.call('balances.transferKeepAlive', world.funder.address, UNIT), key(from));

  before(async () => {
    world = await World.start('node', { blockTime: null, publishes: false });
  }, { timeout: 200_000 });
  after(() => world?.stop());

  it('makes a block for a transaction, and none without', { timeout: 30_000 }, async () => {
    assert.equal(await world.chain.height(), 0);
    await transfer('//Bob');
    assert.equal(await world.chain.height(), 1);
    await transfer('//Bob');
    await sleep(2_000);
    assert.equal(await world.chain.height(), 2);
  });

  it('makes no more blocks than transactions that arrive together', { timeout: 30_000 }, async () => {
    const before = await world.chain.height();
    await Promise.all(['//Bob', '//Charlie', '//Dave', '//Eve'].map(transfer));
    const made = (await world.chain.height()) - before;
    assert.ok(made >= 1 && made <= 4, `${made} blocks for 4 transactions`);
    await world.audit();
  });

  it('goes on after it was killed', { timeout: 60_000 }, async () => {
    const before = await world.chain.height();
    await world.restartNode();
    await transfer('//Bob');
    // What it had not written yet is gone.
    const now = await world.chain.height();
    assert.ok(now > 0 && now <= before + 1, `block ${now} after ${before}`);
    await world.audit();
  });
});
