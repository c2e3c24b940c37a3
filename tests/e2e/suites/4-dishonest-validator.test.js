// A validator that cheats: the test plays it, with a bond so large that it is drawn first. An
// honest worker answers, honest validators judge.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { randomHash } from '../lib/protocol.js';
import { World } from '../lib/world.js';

describe('a dishonest validator', () => {
  let world;
  let worker;
  let count = 0;

  before(async () => {
    world = await World.start('dishonest-validator');
    [worker] = await world.add([['Worker', 'Honest']]);
    await world.add([1, 2, 3, 4].map((n) => ['Validator', `Validator${n}`]));
  }, { timeout: 400_000 });
  after(() => world?.stop());
  // Whatever became of the test, its cheat is not drawn in the next.
  const cheats = [];
  afterEach(async () => {
    for (const cheat of cheats.splice(0)) await cheat.retire();
  });

  async function newCheat(options = {}) {
    count += 1;
    const bond = 500n * world.chain.api.consts.operators.minBond.toBigInt();
    const [cheat] = await world.add([['Validator', `Cheat${count}`]], { fake: true, bond, ...options });
    cheats.push(cheat);
    return cheat;
  }

  /** A new cheat, and a request whose answer it was drawn to check. */
  async function drawn() {
    const cheat = await newCheat();
    const asked = await world.ask('What colour is the sky?');
    const { data } = await world.event(asked.id, 'CheckDrawn');
    assert.ok(data.validators.includes(cheat.address), 'the largest bond is drawn');
    return { cheat, ...asked };
  }

  /** The answer is paid for all the same, and the cheat loses bond for `offence`. */
  async function settles({ cheat, id, limit }, offence) {
    const end = await world.end(id);
    assert.equal(end.name, 'Settled');
    assert.equal(end.worker, worker.address);
    assert.ok(!end.checksPaid.some(({ to }) => to === cheat.address), 'it is not paid');
    const paid = end.checksPaid.reduce((sum, { amount }) => sum + amount, end.workerPaid);
    assert.equal(paid + end.burned + end.refunded, limit);
    const slash = await world.slashed(id, cheat);
    assert.equal(slash.offence, offence);
    assert.deepEqual(world.slashedOver(id), [cheat.address], 'nobody else loses anything');
    assert.equal((await cheat.ledger()).slashed, slash.amount);
    await world.audit();
  }

  it('lies: it calls a right answer wrong', { timeout: 180_000 }, async () => {
    const job = await drawn();
    const reveal = await world.commit(job.cheat, job.id, { verdict: 'Invalid' });
    await world.event(job.id, 'RevealOpened');
    await world.reveal(job.cheat, job.id, reveal);
    await world.event(job.id, 'Disputed', ({ accusers }) => accusers.includes(job.cheat.address));
    const { data } = await world.event(job.id, 'CommitteeDrawn');
    assert.ok(!data.validators.includes(job.cheat.address), 'it does not judge its own accusation');
    await settles(job, 'FalseVerdict');
  });

  it('is lazy: it calls the answer right without executing', { timeout: 180_000 }, async () => {
    const job = await drawn();
    const reveal = await world.commit(job.cheat, job.id, { verdict: 'Valid' });
    await world.event(job.id, 'RevealOpened');
    await world.reveal(job.cheat, job.id, reveal);
    await settles(job, 'UnexecutedVerdict');
  });

  it('copies the commitment of another and cannot open it', { timeout: 180_000 }, async () => {
    const job = await drawn();
    await world.event(job.id, 'VerdictCommitted', ({ validator }) => validator !== job.cheat.address);
    const { seats } = await world.state(job.id);
    const theirs = seats.find(({ validator, commitment }) => commitment && validator !== job.cheat.address);
    await job.cheat.submit('inference.commitVerdict', job.id, theirs.commitment);
    const revealed = await world.event(job.id, 'VerdictRevealed', ({ validator }) => validator === theirs.validator);
    const { verdict, digest, salt } = await world.chain.argumentsOf(revealed);
    await assert.rejects(world.reveal(job.cheat, job.id, { verdict, digest, salt }), { name: 'inference.CommitmentDiffers' });
    await settles(job, 'MissedVerdict');
  });

  it('changes its mind between commitment and reveal', { timeout: 180_000 }, async () => {
    const job = await drawn();
    const reveal = await world.commit(job.cheat, job.id, { verdict: 'Valid' });
    await assert.rejects(
      world.commit(job.cheat, job.id, { verdict: 'Invalid' }),
      { name: 'inference.AlreadyCommitted' },
    );
    await world.event(job.id, 'RevealOpened');
    await assert.rejects(
      world.reveal(job.cheat, job.id, { ...reveal, verdict: 'Invalid' }),
      { name: 'inference.CommitmentDiffers' },
    );
    await settles(job, 'MissedVerdict');
  });

  it('is silent', { timeout: 180_000 }, async () => {
    const job = await drawn();
    await world.slashed(job.id, job.cheat);
    await assert.rejects(world.commit(job.cheat, job.id, { verdict: 'Valid' }), { name: 'inference.TooLate' });
    await settles(job, 'MissedVerdict');
  });

  it('objects to a right answer that others checked', { timeout: 180_000 }, async () => {
    const asked = await world.ask('What colour is grass?');
    await world.event(asked.id, 'CheckPassed');
    const cheat = await newCheat({ waits: false });
    await cheat.submit('inference.object', asked.id, randomHash());
    await settles({ cheat, ...asked }, 'FalseVerdict');
  });

  it('speaks where it was not drawn', { timeout: 180_000 }, async () => {
    const asked = await world.ask('What colour is snow?');
    await world.event(asked.id, 'CheckDrawn');
    const cheat = await newCheat({ waits: false });
    await assert.rejects(world.commit(cheat, asked.id, { verdict: 'Valid' }), { name: 'inference.NotAssigned' });
    assert.equal((await world.end(asked.id)).name, 'Settled');
    await assert.rejects(cheat.submit('inference.object', asked.id, randomHash()), { name: 'inference.TooLate' });
    await world.audit();
  });
});
