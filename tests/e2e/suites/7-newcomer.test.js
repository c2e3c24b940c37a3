// A machine that has nothing but a node's address gets the checkpoint from those who hold it.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { until } from '../lib/process.js';
import { worker, World } from '../lib/world.js';

describe('a newcomer', () => {
  let world;
  let workers;

  const fetchTo = (home, ...args) =>
    worker(path.join(world.folder, home), ['checkpoint', 'fetch', ...args, '--url', world.url]);

  const weights = (home) =>
    path.join(world.folder, home, 'checkpoints', world.checkpoint.replace(/^0x/, ''), 'weights.bin');

  before(async () => {
    world = await World.start('newcomer');
  }, { timeout: 400_000 });
  after(() => world?.stop());

  it('is told that nobody holds the checkpoint', { timeout: 60_000 }, async () => {
    const { status, stderr } = await fetchTo('early');
    assert.notEqual(status, 0);
    assert.match(stderr, /no operator has announced to hold checkpoint/);
  });

  it('fetches what the operators publish on chain, and it is the checkpoint', { timeout: 240_000 }, async () => {
    workers = await world.add([['Worker', 'Worker1'], ['Worker', 'Worker2']]);
    await until('both hold the checkpoint and say where', async () => {
      const holders = await world.chain.view('Checkpoints', 'holders', world.checkpoint);
      const endpoints = await Promise.all(
        workers.map(({ address }) => world.chain.view('Operators', 'endpoint', address)),
      );
      return holders.length === 2 && endpoints.every(({ isSome }) => isSome) ? true : undefined;
    }, { timeout: 180_000 });
    const { status, stdout, stderr } = await fetchTo('newcomer');
    assert.equal(status, 0, stderr);
    assert.match(stdout, new RegExp(world.checkpoint.replace(/^0x/, '')));
    assert.ok(existsSync(weights('newcomer')));
    const verified = await worker(path.join(world.folder, 'newcomer'), ['checkpoint', 'verify', world.checkpoint]);
    assert.equal(verified.status, 0, verified.stderr);
  });

  it('fetches from the one that is left', { timeout: 120_000 }, async () => {
    await workers[0].kill();
    const { status, stderr } = await fetchTo('second', world.checkpoint);
    assert.equal(status, 0, stderr);
    assert.ok(existsSync(weights('second')));
  });

  it('is told who was asked when no holder is left', { timeout: 120_000 }, async () => {
    await workers[1].kill();
    const { status, stderr } = await fetchTo('third');
    assert.notEqual(status, 0);
    assert.match(stderr, /none of the holders of [0-9a-f]{64} can be reached: [0-9a-f]{64} not reached/);
    assert.ok(!existsSync(weights('third')));
    await world.audit();
  });
});
