// The node by itself: blocks for transactions only, finality with a lag, start and stop.

import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';

import { key } from '../lib/chain.js';
import { freePort, sleep, until } from '../lib/process.js';
import { node, worker } from '../lib/programs.js';
import { UNIT, World } from '../lib/world.js';

describe('a node that seals instantly', () => {
  let world;

  const transfer = (from) => world.chain.send(world.chain.call('balances.transferKeepAlive', world.funder.address, UNIT), key(from));

  before(async () => {
    world = await World.start('node', { blockTime: null, publishes: false });
  }, { timeout: 400_000 });
  after(() => world?.stop());

  it('makes a block for a transaction, and none without', { timeout: 300_000 }, async () => {
    assert.equal(await world.chain.height(), 0);
    await transfer('//Bob');
    assert.equal(await world.chain.height(), 1);
    await transfer('//Bob');
    await sleep(2_000);
    assert.equal(await world.chain.height(), 2);
  });

  it('makes no more blocks than transactions that arrive together', { timeout: 300_000 }, async () => {
    const before = await world.chain.height();
    await Promise.all(['//Bob', '//Charlie', '//Dave', '//Eve'].map(transfer));
    const made = (await world.chain.height()) - before;
    assert.ok(made >= 1 && made <= 4, `${made} blocks for 4 transactions`);
    await world.audit();
  });

  it('differs from every other development chain in its first block', { timeout: 300_000 }, async () => {
    const { api } = world.chain;
    const { status, stderr } = await worker(world.folder, ['audit', '--url', world.url]);
    assert.equal(status, 0, stderr);
    const [genesis, first] = [api.genesisHash, await api.rpc.chain.getBlockHash(1)]
      .map((hash) => `${hash.toHex().slice(0, 6)}…${hash.toHex().slice(-4)}`);
    assert.ok(stderr.includes(`genesis ${genesis}, block 1 ${first}`), stderr);
    const { specName, specVersion } = api.runtimeVersion;
    assert.ok(stderr.includes(`${await api.rpc.system.chain()} (runtime ${specName} ${specVersion}, `), stderr);
  });

  it('continues after it was killed', { timeout: 300_000 }, async () => {
    const before = await world.chain.height();
    await world.restartNode();
    await transfer('//Bob');
    // Blocks that it had not written yet are lost.
    const now = await world.chain.height();
    assert.ok(now > 0 && now <= before + 1, `block ${now} after ${before}`);
    await world.audit();
  });
});

describe('a node whose finality lags', () => {
  const LAG = 4;
  let world;

  before(async () => {
    world = await World.start('lag', { blockTime: 500, finalityLag: LAG, publishes: false });
  }, { timeout: 400_000 });
  after(() => world?.stop());

  /** The distance of the best block at each of the next `count` finalized heads. */
  const distances = async (count) => {
    const { api } = world.chain;
    const seen = [];
    const unsubscribe = await api.rpc.chain.subscribeFinalizedHeads(async (head) => {
      const best = await api.rpc.chain.getHeader();
      seen.push(best.number.toNumber() - head.number.toNumber());
    });
    await until(`${count} finalized heads`, () => (seen.length >= count ? true : undefined), { timeout: 240_000 });
    unsubscribe();
    // The subscription begins with the last one, which was finalized at an unknown time.
    return seen.slice(1, count);
  };

  const lags = async () => {
    // Before the lag has passed, only the genesis block is final.
    await until('finality', async () => ((await world.chain.finalized()) > 0 ? true : undefined));
    const seen = await distances(8);
    // A block may be made while the response is on its way.
    assert.ok(seen.every((distance) => distance === LAG || distance === LAG + 1), `${seen}`);
    assert.ok(seen.filter((distance) => distance === LAG).length > seen.length / 2, `${seen}`);
  };

  it('finalizes each block after the lag', { timeout: 300_000 }, lags);

  it('shows events in the best block first', { timeout: 300_000 }, async () => {
    const { api } = world.chain;
    const call = world.chain.call('balances.transferKeepAlive', world.funder.address, UNIT);
    const seen = {};
    const unsubscribe = await call.signAndSend(key('//Bob'), { nonce: -1 }, ({ status, events }) => {
      const names = events.map(({ event }) => `${event.section}.${event.method}`);
      if (status.isInBlock) seen.best = { hash: status.asInBlock.toHex(), names };
      if (status.isFinalized) seen.final = { hash: status.asFinalized.toHex(), names };
    });
    const best = await until('the transaction in the best block', () => seen.best);
    assert.ok(best.names.includes('balances.Transfer'), `${best.names}`);
    const number = (await api.rpc.chain.getHeader(best.hash)).number.toNumber();
    assert.ok((await world.chain.finalized()) < number, 'it is not final yet');
    assert.equal(seen.final, undefined);

    const final = await until('the transaction in a finalized block', () => seen.final);
    unsubscribe();
    assert.deepEqual(final, best);
    assert.ok((await world.chain.height()) >= number + LAG);
  });

  it('takes orders over RPC, and never goes back', { timeout: 300_000 }, async () => {
    const { api } = world.chain;
    const ordered = await api.rpc.engine.createBlock(true, false);
    const hash = ordered.blockHash ?? ordered.hash;
    await api.rpc.engine.finalizeBlock(hash);
    const number = (await api.rpc.chain.getHeader(hash)).number.toNumber();
    for (let last = number; last < number + 2; last = Math.max(last, await world.chain.finalized())) {
      assert.ok((await world.chain.finalized()) >= last);
      await sleep(100);
    }
    await lags();
  });

  it('keeps its distance when it is stopped and started again', { timeout: 300_000 }, async () => {
    const finalized = await world.chain.finalized();
    assert.equal(await world.stopNode(), 0);
    assert.doesNotMatch(world.node.tail(40), /failed|panicked/, 'an orderly stop logs no failure');
    await world.startNode();
    await world.chain.reconnect();
    assert.ok((await world.chain.finalized()) >= finalized, 'final blocks stay final');
    await lags();
    await world.audit();
  });

  it('keeps its distance when it is killed and started again', { timeout: 300_000 }, async () => {
    await world.restartNode();
    await lags();
    await world.audit();
  });
});

describe('a node whose port is taken', () => {
  let world;

  before(async () => {
    world = await World.start('port', { blockTime: null, publishes: false });
  }, { timeout: 400_000 });
  after(() => world?.stop());

  it('does not start, and names the port and a remedy', { timeout: 300_000 }, async () => {
    const { status, stderr } = await node(['--dev', '--rpc-port', String(world.port)]);
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`cannot listen for RPC on port ${world.port} .*--rpc-port`));
  });

  it('does not start where that is the port for metrics', { timeout: 300_000 }, async () => {
    const other = net.createServer();
    await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address();
    try {
      const ports = ['--rpc-port', String(await freePort()), '--prometheus-port', String(port)];
      const { status, stderr } = await node(['--dev', ...ports]);
      assert.equal(status, 1, stderr);
      assert.match(stderr, new RegExp(`cannot serve metrics on port ${port} .*--prometheus-port`));
    } finally {
      other.close();
    }
  });

  it('refuses a port for peers, which it does not have', { timeout: 300_000 }, async () => {
    const { status, stderr } = await node(['--dev', '--rpc-port', String(await freePort()), '--port', '30333']);
    assert.equal(status, 1, stderr);
    assert.match(stderr, /has no peers.*leave out --port/);
  });
});
