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

  /**
   * Reads the final block before and after the best one, so that the time of a response does not matter: at each of
   * eight best blocks, the final one is exactly the lag behind, and never farther.
   */
  const lags = async () => {
    const exact = new Set();
    await until(`finality ${LAG} blocks behind`, async () => {
      const before = await world.chain.finalized();
      const best = await world.chain.height();
      const after = await world.chain.finalized();
      if (before > 0 && before === best - LAG) exact.add(best);
      // A block is finalized a moment after the block that it waits for. A node that was just started has to catch
      // up first.
      if (exact.size) assert.ok(before <= best - LAG && after >= best - LAG - 1, `${before}, ${best}, ${after}`);
      return exact.size >= 8 ? true : undefined;
    }, { timeout: 240_000, every: 100 });
  };

  it('finalizes each block after the lag', { timeout: 300_000 }, lags);

  it('shows events in the best block first', { timeout: 300_000 }, async () => {
    const { api } = world.chain;
    /** Sends a transaction; returns the blocks that it is said to be in until it is in a final one. */
    const follow = () =>
      new Promise((resolve, reject) => {
        const seen = [];
        const call = world.chain.call('balances.transferKeepAlive', world.funder.address, UNIT);
        call.signAndSend(key('//Bob'), { nonce: -1 }, ({ status, events }) => {
          const names = events.map(({ event }) => `${event.section}.${event.method}`);
          if (status.isInBlock) seen.push({ hash: status.asInBlock.toHex(), names });
          if (status.isFinalized) resolve([...seen, { hash: status.asFinalized.toHex(), names }]);
        }).catch(reject);
      });
    let blocks;
    // polkadot.js leaves out a block that it has not read when the next is told.
    do blocks = await follow(); while (blocks.length < 2);
    const [best, final] = blocks;
    assert.ok(best.names.includes('balances.Transfer'), `${best.names}`);
    assert.deepEqual(final, best);
    const number = (await api.rpc.chain.getHeader(best.hash)).number.toNumber();
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
