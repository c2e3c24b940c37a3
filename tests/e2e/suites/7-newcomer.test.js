// A machine with only a node's address fetches the checkpoint from its holders.

import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Program, until } from '../lib/process.js';
import { binary, worker } from '../lib/programs.js';
import { World } from '../lib/world.js';

describe('a newcomer', () => {
  let world;
  let workers;

  const fetchTo = (home, ...args) =>
    worker(path.join(world.folder, home), ['checkpoint', 'fetch', ...args, '--url', world.url]);

  /** The same as a process that runs in parallel to the test. */
  const startFetchTo = (home) => {
    const program = new Program(
      `fetch-${home}`,
      binary('noema-worker'),
      ['checkpoint', 'fetch', '--url', world.url],
      { env: { NOEMA_HOME: path.join(world.folder, home) }, log: path.join(world.folder, `fetch-${home}.log`) },
    );
    world.programs.add(program);
    program.exited.then(() => world.programs.delete(program));
    return program;
  };

  const library = (home) => path.join(world.folder, home, 'checkpoints');

  const weights = (home) => path.join(library(home), world.checkpoint.replace(/^0x/, ''), 'weights.bin');

  /** The bytes that have arrived and are not part of a checkpoint yet. */
  const arrived = (folder) => {
    if (!existsSync(folder)) return 0;
    const sizes = readdirSync(folder, { recursive: true })
      .filter((name) => name.endsWith('.data'))
      .map((name) => statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
    return sizes.reduce((sum, size) => sum + size, 0);
  };

  const endpoint = (operator) => world.chain.view('Operators', 'endpoint', operator.address);

  before(async () => {
    world = await World.start('newcomer');
  }, { timeout: 400_000 });
  after(() => world?.stop());

  it('learns that no operator holds the checkpoint', { timeout: 300_000 }, async () => {
    const { status, stderr } = await fetchTo('early');
    assert.notEqual(status, 0);
    assert.match(stderr, /no operator has announced to hold checkpoint/);
  });

  it('fetches the checkpoint that the operators announce on chain', { timeout: 300_000 }, async () => {
    workers = await world.add([['Worker', 'Worker1'], ['Worker', 'Worker2']]);
    await until('both announce the checkpoint and their endpoints', async () => {
      const holders = await world.chain.view('Checkpoints', 'holders', world.checkpoint);
      const endpoints = await Promise.all(workers.map(endpoint));
      return holders.length === 2 && endpoints.every(({ isSome }) => isSome) ? true : undefined;
    }, { timeout: 240_000 });
    const { status, stdout, stderr } = await fetchTo('newcomer');
    assert.equal(status, 0, stderr);
    assert.match(stdout, new RegExp(world.checkpoint.replace(/^0x/, '')));
    assert.ok(existsSync(weights('newcomer')));
    assert.match(stderr, /Fetching the checkpoint: [\d.]+ \w+ of [\d.]+ MB/, 'without a terminal, lines show the progress');
    assert.doesNotMatch(stderr, /WARN|ERROR/, 'logs of libraries are not shown');
    const verified = await worker(path.join(world.folder, 'newcomer'), ['checkpoint', 'verify', world.checkpoint]);
    assert.equal(verified.status, 0, verified.stderr);
  });

  it('continues where it was killed or interrupted', { timeout: 300_000 }, async () => {
    const LITTLE = 2_000_000;
    const ENDS = ['kill', 'stop', 'kill'];
    let home = 'killed';
    let kept = 0;
    for (let done = 0; done < ENDS.length;) {
      const fetch = startFetchTo(home);
      await until('some more arrives', () => !fetch.alive || arrived(library(home)) > kept + LITTLE || undefined, { every: 5 });
      if (!existsSync(weights(home))) fetch.assertAlive();
      await fetch[ENDS[done]]();
      if (existsSync(weights(home))) {
        // Everything had arrived before: once more, elsewhere.
        [home, kept, done] = [`${home}-again`, 0, 0];
        continue;
      }
      if (ENDS[done] === 'stop') assert.match(fetch.tail(), /interrupted; what arrived is kept/);
      kept = arrived(library(home));
      done += 1;
    }
    const { status, stderr } = await fetchTo(home);
    assert.equal(status, 0, stderr);
    const [, number, unit] = stderr.match(/Fetching the checkpoint: ([\d.]+) (\w+) of/) ?? [];
    const begins = Number(number) * { B: 1, kB: 1e3, MB: 1e6 }[unit];
    assert.ok(begins > kept / 2, `it begins at ${number} ${unit}, and ${kept} bytes had arrived`);
  });

  it('fetches from the one that is left', { timeout: 300_000 }, async () => {
    await workers[0].kill();
    const { status, stderr } = await fetchTo('second', world.checkpoint);
    assert.equal(status, 0, stderr);
    assert.ok(existsSync(weights('second')));
  });

  it('finds a holder again whose port was taken', { timeout: 300_000 }, async () => {
    const [, holder] = workers;
    const before = (await endpoint(holder)).toJSON();
    await holder.kill();
    const other = dgram.createSocket('udp4');
    const { port } = before.addresses[0].ipv4;
    await new Promise((resolve, reject) => other.once('error', reject).bind(port, '127.0.0.1', resolve));
    try {
      holder.start();
      const fetch = startFetchTo('moved');
      assert.equal(await fetch.exited, 0, fetch.tail());
      assert.ok(existsSync(weights('moved')));
      const now = (await endpoint(holder)).toJSON();
      assert.equal(now.peer, before.peer);
      assert.notEqual(now.addresses[0].ipv4.port, port);
    } finally {
      other.close();
    }
  });

  // It waits for a minute for their return.
  it('learns which holders were tried when none is left', { timeout: 300_000 }, async () => {
    await workers[1].kill();
    const { status, stderr } = await fetchTo('third');
    assert.notEqual(status, 0);
    const named = workers.map(({ address }) => `${address} \\(peer [0-9a-f]{64} at 127\\.0\\.0\\.1:\\d+\\) not reached`);
    for (const who of named) assert.match(stderr, new RegExp(`none of the holders of [0-9a-f]{64} can be reached: .*${who}`));
    assert.ok(!existsSync(weights('third')));
  });

  it('is not delayed by an operator whose port is taken: it does not start', { timeout: 300_000 }, async () => {
    const [, operator] = workers;
    const other = dgram.createSocket('udp4');
    await new Promise((resolve) => other.bind(0, '127.0.0.1', resolve));
    const { args } = operator;
    try {
      operator.args = [...args, '--listen', `127.0.0.1:${other.address().port}`];
      operator.start();
      world.programs.delete(operator.program);
      assert.equal(await operator.program.exited, 1);
      assert.match(operator.program.tail(), /choose another address of this machine in Config::listen.*; the option is --listen/);
    } finally {
      operator.args = args;
      other.close();
    }
  });

  it('is not sent to an operator that no longer shares artefacts', { timeout: 300_000 }, async () => {
    const [, operator] = workers;
    assert.ok((await endpoint(operator)).isSome);
    operator.args.push('--listen', 'off');
    operator.start();
    await until('it has no endpoint', async () => ((await endpoint(operator)).isNone ? true : undefined), { timeout: 240_000 });
  });

  it('costs no operator bond', async () => world.close());
});
