// Rounds of training with real trainers and validators: dishonest ones among them, processes and the node
// killed during a round, and a newcomer that finds no operator to fetch the checkpoint from.

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';

import { until } from '../lib/process.js';
import { worker } from '../lib/programs.js';
import {
  BOND, checkpointsOf, hasEarned, Programme, ready, shardsOf, stateFile, verify,
} from '../lib/trainers.js';
import { World } from '../lib/world.js';

/** Checks that a trainer contributed; whether that many steps on one shard help is not checked. */
async function contributed(round, trainer) {
  const { contribution, ruling } = await round.record(trainer);
  assert.ok(contribution && ruling, `${trainer.name} contributes, and is ruled on`);
}

/** Enough steps that a trainer is still training when it is killed, and a window for them. */
const SLOWLY = 600;
const PATIENTLY = { 'training-window': 1_500 };

describe('trainers', () => {
  let world;
  let programme;
  let one;
  let two;
  let validators;
  /** The trainer that trains for longer than the others. */
  let slow;
  /** The operators that stop at the end of a test. */
  const leaves = [];

  before(async () => {
    world = await World.start('trainers', { blockTime: 200, publishes: false });
    programme = await Programme.make(world);
    [one, two, ...validators] = await programme.add([
      ['Trainer', 'One', { seed: 1 }],
      ['Trainer', 'Two', { seed: 2 }],
      ['Validator', 'Validator1'],
      ['Validator', 'Validator2'],
    ]);
  }, { timeout: 400_000 });
  after(() => world?.stop());
  afterEach(async () => {
    await programme.stop();
    await Promise.all(leaves.splice(0).map((operator) => operator.stop()));
    await world.audit();
  });

  it('make a checkpoint of the honest contributions, and the dishonest ones change nothing', { timeout: 400_000 }, async () => {
    const behaviours = ['flip', 'random', 'garbage', 'truncate', 'copy', 'silent', 'scale', 'other-shards'];
    const dishonest = await programme.add(
      // A copy is detected by its overlap with the original: it trains in the same order.
      behaviours.map((behaviour, i) => ['Trainer', behaviour, { behaviour, seed: behaviour === 'copy' ? 1 : 10 + i }]),
    );
    // Whether an update that is scaled or trained on other shards passes depends on the text; the loss falls
    // in either case.
    const [flip, random, garbage, truncate, copy, silent] = dishonest;
    // The copy imitates the trainer that joins first. The validators share the dataset once they have joined.
    const others = [two, ...dishonest];
    for (const { program } of [one, ...others]) program.pause();
    // The trainers join one after the other.
    const round = await programme.start({ 'short-window': 200 });
    await round.joined(...validators);
    one.program.resume();
    await round.joined(one);
    for (const { program } of others) program.resume();
    await round.joined(...others);
    // They stay while the others fetch their updates.
    leaves.push(...dishonest);
    const { claim } = await round.promoted();
    await round.accepts(one, two);
    const rulings = await round.rulings();
    const expected = new Map([
      [flip, 'DoesNotHelp'],
      [random, 'DoesNotHelp'],
      [garbage, 'Malformed'],
      [truncate, 'Malformed'],
      [copy, 'Copy'],
    ]);
    for (const [operator, refusal] of expected) {
      const { name, address } = operator;
      assert.deepEqual([name, rulings.get(address)], [name, { Refused: refusal }]);
      assert.ok(!(await hasEarned(operator)), `${name} earns nothing`);
    }
    for (const operator of [one, two, ...validators]) assert.ok(await hasEarned(operator), `${operator.name} earns`);
    await round.slashed(silent, 'MissedContribution', programme.silence(BOND), BOND);
    assert.deepEqual(round.losers(), [silent.address]);
    assert.equal(rulings.get(silent.address), null);

    for (const holder of await programme.holders(claim.checkpoint)) {
      assert.deepEqual(checkpointsOf(holder).sort(), [programme.genesis, claim.checkpoint].sort());
      await verify(holder, claim.checkpoint);
    }
    const { dataset } = await round.state();
    const fetched = shardsOf(one).length;
    assert.ok(fetched > 0 && fetched < Number(dataset.shards) / 4, `a trainer fetches little: ${fetched} shards`);
  });

  it('serve the whole dataset on request', { timeout: 300_000 }, async () => {
    await programme.start();
    const folder = path.join(world.folder, 'reader');
    const fetched = await until('its holders share it', async () => {
      const { status, stdout } = await worker(folder, ['dataset', 'fetch', '--url', world.url]);
      return status === 0 ? stdout : undefined;
    }, { timeout: 240_000 });
    const [, place] = fetched.match(/^0x[0-9a-f]{64} is in (.*)$/m);
    assert.ok(place.startsWith(folder), place);
    const verified = await worker(folder, ['dataset', 'verify', place]);
    assert.equal(verified.status, 0, verified.stderr);
  });

  it('continue where they were killed', { timeout: 300_000 }, async () => {
    [slow] = await programme.add([['Trainer', 'Slow', { seed: 3, steps: SLOWLY, 'learning-rate': 0.0002 }]]);
    const round = await programme.start(PATIENTLY);
    await round.joined(one, two, slow, ...validators);
    await round.reach('Training');
    await until('a state is on disk', () => stateFile(slow), { every: 20 });
    await slow.kill();
    assert.equal((await round.record(slow)).commitment, null, 'it was still training');
    slow.start();
    const [, step] = await slow.program.says(/goes on with training .*step=(\d+)/);
    assert.ok(step > 0 && step < SLOWLY, `it goes on after step ${step}`);
    await round.promoted();
    await contributed(round, slow);
    await round.accepts(one, two);
    assert.deepEqual(round.losers(), []);
  });

  it('are scored by a validator that is killed before it reveals', { timeout: 300_000 }, async () => {
    const [killed, other] = validators;
    const round = await programme.start();
    await round.joined(one, two, ...validators);
    await round.reach('Training');
    // It scores after the restart of the first, so that the scores are not revealed before.
    other.program.pause();
    await world.chain.event(
      'training.ScoresCommitted',
      (data) => data.round === round.id && data.validator === killed.address,
    );
    await killed.kill();
    const { sheet } = await round.record(killed);
    assert.equal(sheet, null, 'it has not revealed');
    killed.start();
    await ready(killed);
    other.program.resume();
    const { validators: heard } = await round.promoted();
    for (const { sheet } of heard) assert.deepEqual(sheet, heard[0].sheet, 'both find the same');
    assert.deepEqual(round.losers(), []);
  });

  it('continue when the node is killed and restarted', { timeout: 300_000 }, async () => {
    const before = statSync(stateFile(slow)).mtimeMs;
    leaves.push(slow);
    const round = await programme.start(PATIENTLY);
    await round.joined(one, two, slow, ...validators);
    await round.reach('Training');
    await until('it trains', () => (statSync(stateFile(slow)).mtimeMs > before ? true : undefined), { every: 20 });
    await world.restartNode();
    await Promise.all(
      [one, two, slow, ...validators].map(({ program }) => program.says(/connected to the node again/)),
    );
    await round.promoted();
    await contributed(round, slow);
    await round.accepts(one, two);
    assert.deepEqual(round.losers(), []);
  });

  it('cannot join without the checkpoint, and do as soon as an operator holds it again', { timeout: 300_000 }, async () => {
    const holders = [one, two, ...validators];
    await Promise.all(holders.map((holder) => holder.kill()));
    const parent = await programme.canonical();
    const [newcomer] = await programme.add([['Trainer', 'Newcomer', { seed: 4 }]], { bare: true });
    const alone = await programme.start();
    await newcomer.program.says(new RegExp(`checkpoint ${parent} was not to be had: none of the holders`));
    await alone.rejected('TooFewTrainers');
    assert.deepEqual((await alone.state()).trainers, []);

    for (const validator of validators) validator.start();
    await world.chain.event('training.Joined', ({ operator }) => operator === newcomer.address);
    await verify(newcomer, parent);
    for (const trainer of [one, two]) trainer.start();
    // It takes part like every other trainer, whether or not its first contribution helps.
    const { data } = await world.chain.event('training.ContributionRevealed', ({ trainer }) => trainer === newcomer.address);
    const round = programme.numbered(data.round, parent);
    await round.outcome();
    assert.ok((await round.rulings()).get(newcomer.address), 'its contribution is ruled on');
  });

  it('leave records that pass a public audit, and no honest one loses bond', { timeout: 300_000 }, async () => {
    await world.checkBooks();
    await world.close();
  });
});
