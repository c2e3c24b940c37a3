// Rounds of training, with simulated trainers and validators: the earnings of honest ones, the losses of
// dishonest ones, and that the next round opens in every case.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';

import { plain } from '../lib/chain.js';
import { Program, until } from '../lib/process.js';
import { binary, worker } from '../lib/programs.js';
import { randomHash } from '../lib/protocol.js';
import { CHILD_LOSS, HARMS, PARENT_LOSS, PATIENT, Training } from '../lib/training.js';
import { UNIT, World } from '../lib/world.js';

describe('a round of training', () => {
  const BOND = 1_000n * UNIT;
  let world;
  let training;
  let trainers;
  let validators;

  before(async () => {
    world = await World.start('training', { blockTime: 400, publishes: false });
    const named = (role, count) => Array.from({ length: count }, (_, i) => [role, `${role}${i + 1}`]);
    const operators = await world.add(
      [...named('Trainer', 5), ...named('Validator', 4)],
      { fake: true, bond: BOND, checkpoints: [] },
    );
    trainers = operators.slice(0, 5);
    validators = operators.slice(5);
    training = await Training.start(world, 'first');
  }, { timeout: 400_000 });
  after(() => world?.stop());
  afterEach(() => world.node.alive && world.audit());

  const silence = (bond) => training.silence(bond);

  const balances = () =>
    Promise.all([...trainers, ...validators].flatMap(({ address, hot }) =>
      [address, hot.address].map(async (who) => [who, await world.chain.balance(who)])));

  /** The number of jobs behind which a part of a bond is locked. */
  const locks = async () => {
    const records = await Promise.all([...trainers, ...validators].map((operator) => operator.recorded()));
    return records.reduce((sum, { operator }) => sum + operator.locks, 0n);
  };

  it('makes the next checkpoint of contributions that help', { timeout: 300_000 }, async () => {
    const poisoner = trainers[3];
    const round = await training.round(trainers.slice(0, 4), validators);
    assert.equal(round.parent, training.genesis);
    assert.equal(await locks(), 8n);
    const whole = await balances();

    const { trainers: assigned, evaluation } = await round.contribute(...trainers.slice(0, 4));
    const shards = assigned.flatMap((trainer) => trainer.shards);
    assert.equal(new Set([...shards, ...evaluation]).size, 4 * 2 + 3, 'no trainer gets an evaluation shard');
    await round.agree(validators, trainers.slice(0, 2), [[poisoner, HARMS]]);
    await round.promoted();

    assert.deepEqual(await balances(), whole, 'no balance has changed');
    assert.equal(await locks(), 0n);
    const rulings = await round.rulings();
    for (const honest of trainers.slice(0, 3)) {
      assert.deepEqual(rulings.get(honest.address), { Accepted: { weight: 32_768n } });
    }
    assert.deepEqual(rulings.get(poisoner.address), { Refused: 'DoesNotHelp' });

    const { checkpoint, weightsRoot, mastersRoot } = round.child;
    assert.deepEqual(await training.lineage(checkpoint), [checkpoint, training.genesis]);
    const record = plain(await world.chain.view('Checkpoints', 'checkpoint', checkpoint));
    assert.equal(record.parent, training.genesis);
    assert.equal(record.publisher, null);
    assert.equal(record.weights.root, weightsRoot);
    const { Trained } = record.provenance;
    assert.deepEqual(
      [Trained.round, Trained.mastersRoot, Trained.contributions, Trained.parentLoss, Trained.loss, Trained.tokens],
      [round.id, mastersRoot, 3n, PARENT_LOSS, CHILD_LOSS, 3_000n],
    );
    await round.successor();
  });

  it('pays for contributions that help once the epoch is over, and nothing to a poisoner', { timeout: 300_000 }, async () => {
    const run = (...args) => worker(world.folder, [...args, '--url', world.url]);
    const [one, , , poisoner] = trainers;
    const round = await training.round(trainers.slice(0, 4), validators);
    const following = new Program(
      'follow',
      binary('noema-worker'),
      ['programme', 'follow', '--family', String(training.family), '--rounds', '1', '--json', '--url', world.url],
      { env: { NOEMA_HOME: world.folder }, log: path.join(world.folder, 'follow.log') },
    );
    // It tells of the rounds that end once it is connected.
    await following.says(/genesis /);
    await round.contribute(...trainers.slice(0, 4));
    await round.agree(validators, trainers.slice(0, 2), [[poisoner, HARMS]]);
    await round.promoted();
    assert.equal(await following.exited, 0, following.tail());
    const told = following.tail(1_000).split('\n').filter((line) => line.startsWith('{'));
    const [ended, { standings }] = told.map((line) => JSON.parse(line));
    assert.equal(BigInt(ended.round), round.id);
    const brings = new Map(ended.contributions.map(({ trainer, reward }) => [trainer, reward]));
    assert.ok(brings.get(one.address) > 0);
    assert.equal(brings.get(poisoner.address), 0);
    const standing = ({ address }) => standings.find(({ account }) => account === address);
    assert.equal(standing(one).accepted, 1);
    const { role, accepted, refused, slashed, claimed, pending, estimate } = standing(poisoner);
    assert.deepEqual(
      [role, accepted, refused, slashed, claimed, pending, estimate],
      ['trainer', 0, 1, 0, 0, 0, 0],
    );

    const due = async ({ address }) => plain(await world.chain.view('Issuance', 'pending_reward', address));
    await until('the end of the epoch', async () =>
      (await due(one)).running.training === 0n ? true : undefined, { timeout: 240_000 });
    const { total } = await due(one);
    assert.ok(total > 0n);
    const before = await world.chain.balance(one.address);
    for (const expected of [/ received /, /^nothing to claim/]) {
      const { status, stdout, stderr } = await run('claim', '--key', `//${one.name}//hot`);
      assert.equal(status, 0, stderr);
      assert.match(stdout, expected);
      assert.equal((await world.chain.balance(one.address)).total, before.total + total, 'it is paid once');
    }
    assert.match((await run('claim', '--key', `//${poisoner.name}//hot`)).stdout, /^nothing to claim/);
  });

  it('takes a little from trainers that do not reveal their commitment in time', { timeout: 300_000 }, async () => {
    const [one, two, liar, absent, late] = trainers;
    const round = await training.round(trainers, validators);
    await round.commit(one, two, liar, late);
    await round.reach('Revealing');
    const { contribution, salt } = round.secret(liar);
    await Promise.all([
      round.reveal(one, two),
      round.refuses('NotCommitted', absent, 'revealContribution', contribution, salt),
      round.refuses('CommitmentDiffers', liar, 'revealContribution', { ...contribution, update: randomHash() }, salt),
    ]);
    await round.reach('Scoring');
    const { contribution: own, salt: ownSalt } = round.secret(late);
    await round.refuses('TooLate', late, 'revealContribution', own, ownSalt);
    await round.agree(validators, [one, two]);
    await round.promoted();
    for (const trainer of [liar, absent, late]) await round.slashed(trainer, 'MissedContribution', silence(BOND), BOND);
    assert.deepEqual(round.losers(), [liar, absent, late].map(({ address }) => address).sort());
    assert.equal(await locks(), 0n);
    await round.successor();
  });

  it('ends without a checkpoint where fewer than two contribute', { timeout: 300_000 }, async () => {
    const [one, silent] = trainers;
    const bond = await silent.bond();
    const round = await training.round([one, silent], validators);
    await round.commit(one);
    await round.reach('Revealing');
    await round.reveal(one);
    await round.rejected('TooFewContributions');
    await round.slashed(silent, 'MissedContribution', silence(bond), bond);
    assert.deepEqual(round.losers(), [silent.address]);
    assert.equal(await locks(), 0n);
    // No operator joins the next one.
    const id = await round.successor();
    const { data } = await world.chain.event('training.RoundClosed', ({ round: closed }) => closed === id);
    assert.deepEqual(data.outcome, { Rejected: 'TooFewTrainers' });
  });

  it('refuses copies, and commitments of another trainer', { timeout: 300_000 }, async () => {
    const [one, two, copier, thief, twin] = trainers;
    const bonds = await Promise.all([thief, twin].map((trainer) => trainer.bond()));
    const round = await training.round(trainers, validators);
    await round.commit(one, two);
    await Promise.all([
      round.commit(copier),
      round.step(thief, 'commitContribution', round.commitment(one)),
    ]);
    const { contribution, salt } = round.secret(one);
    round.secrets.set(twin, { contribution, salt: randomHash() });
    await round.commit(twin);
    await round.reach('Revealing');
    await Promise.all([
      round.reveal(one, two, copier),
      round.refuses('CommitmentDiffers', thief, 'revealContribution', contribution, salt),
    ]);
    await round.refuses('UpdateTaken', twin, 'revealContribution', contribution, round.secret(twin).salt);
    await round.reach('Scoring');

    const place = (await round.contributors()).indexOf(one.address);
    await round.agree(validators, [one, two], [[copier, { Copy: { of: place } }]]);
    await round.promoted();
    const rulings = await round.rulings();
    assert.deepEqual(rulings.get(copier.address), { Refused: 'Copy' });
    assert.deepEqual(rulings.get(one.address), { Accepted: { weight: 32_768n } });
    assert.equal(rulings.get(thief.address), null);
    await round.slashed(thief, 'MissedContribution', silence(bonds[0]), bonds[0]);
    await round.slashed(twin, 'MissedContribution', silence(bonds[1]), bonds[1]);
    assert.deepEqual(round.losers(), [thief, twin].map(({ address }) => address).sort());
    await round.successor();
  });

  it('hears every validator where one scores falsely, and takes its lock', { timeout: 300_000 }, async () => {
    const [one, two] = trainers;
    const round = await training.round([one, two], validators);
    await round.contribute(one, two);
    const [[liar, honest], others] = await round.drawn(validators);
    const bond = await liar.bond();
    const truth = await round.sheet();
    await round.score([[liar, await round.sheet([[one, HARMS]])], [honest, truth]]);
    // Not all validators were heard: scoring reopens, for all.
    const { widened } = await round.reach('Scoring');
    assert.equal(widened, true);
    await round.score(others.map((validator) => [validator, truth]));
    await round.reach('Claiming');
    await round.claim(validators);
    await round.reach('Holding');
    await round.hold(one, honest);
    await round.promoted();
    await round.slashed(liar, 'FalseScore', training.falsehood(bond), bond);
    assert.deepEqual(round.losers(), [liar.address]);
    assert.deepEqual((await round.rulings()).get(one.address), { Accepted: { weight: 32_768n } });
    await round.successor();
  });

  it('corrects a wrong root after an objection, and makes silence cost', { timeout: 300_000 }, async () => {
    const [one, two] = trainers;
    const round = await training.round([one, two], validators);
    await round.contribute(one, two);
    const [[silent, liar], [objector, other]] = await round.drawn(validators);
    const bonds = await Promise.all([silent, liar].map((validator) => validator.bond()));
    await round.score([[liar, await round.sheet()]]);
    await round.reach('Claiming');
    await round.refuses('NotDrawn', objector, 'claimCheckpoint', round.child);
    await round.claim([liar], { ...round.child, checkpoint: randomHash(), weightsRoot: randomHash() });
    await round.reach('Objectable');
    await round.step(objector, 'objectToClaim', round.child);
    await round.reach('Claiming');
    await round.claim([other, silent]);
    await round.reach('Holding');
    await round.hold(one, objector);
    await round.promoted();
    await round.slashed(silent, 'MissedScore', silence(bonds[0]), bonds[0]);
    await round.slashed(liar, 'FalseClaim', training.falsehood(bonds[1]), bonds[1]);
    assert.deepEqual(round.losers(), [silent, liar].map(({ address }) => address).sort());
    await round.successor();
  });

  it('leaves the parent where the holders of the next checkpoint leave', { timeout: 300_000 }, async () => {
    const [one, two] = trainers;
    const round = await training.round([one, two], validators);
    await round.contribute(one, two);
    await round.agree(validators, [one]);
    await world.chain.send(world.chain.call('checkpoints.retractHolding', round.child.checkpoint), one.controller);
    await round.rejected('TooFewHolders');
    const forgotten = await world.chain.view('Checkpoints', 'checkpoint', round.child.checkpoint);
    assert.ok(forgotten.isNone, 'a checkpoint without a holder is removed');
    assert.deepEqual(round.losers(), []);
    assert.equal(await locks(), 0n);
    await round.successor();
  });

  it('continues when the node is killed and restarted', { timeout: 300_000 }, async () => {
    const [one, two] = trainers;
    const patient = await Training.start(world, 'second', PATIENT);
    const round = await patient.round([one, two], validators);
    await round.commit(one);
    await world.chain.blocks(2);
    await world.restartNode();
    await round.commit(one, two);
    await round.reach('Revealing');
    await round.reveal(one, two);
    await round.reach('Scoring');
    await world.chain.blocks(2);
    await world.restartNode();
    await round.reach('Scoring');
    await round.agree(validators, [one, two]);
    await round.promoted();
    assert.deepEqual(round.losers(), []);
    assert.deepEqual(await patient.lineage(round.child.checkpoint), [round.child.checkpoint, patient.genesis]);
    await round.successor();
    await patient.govern('training.stopProgramme', patient.family);
  });

  it('ends where governance goes back to an ancestor, and where it stops the programme', { timeout: 300_000 }, async () => {
    const [one, two] = trainers;
    const round = await training.round([one, two], validators);
    await round.commit(one);
    await training.govern('checkpoints.setCanonical', training.family, training.genesis);
    assert.deepEqual(await round.outcome(), { Rejected: 'ParentReplaced' });
    assert.equal(await training.canonical(), training.genesis);
    assert.equal(await locks(), 0n);

    const again = await training.round([one, two], validators);
    assert.equal(again.parent, training.genesis);
    await training.govern('training.stopProgramme', training.family);
    assert.deepEqual(await again.outcome(), { Rejected: 'Stopped' });
    assert.equal(await training.open(), null);
    assert.equal(await locks(), 0n);
    assert.deepEqual(again.losers(), []);
  });

  it('leaves records that pass a public audit', { timeout: 300_000 }, async () => {
    await world.checkBooks();
    await world.close();
  });

  it('is in blocks that the relay chain would find valid', { timeout: 660_000 }, () => world.proveBlocks());
});
