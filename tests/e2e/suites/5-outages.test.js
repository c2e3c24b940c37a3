// Workers, validators and the node are killed while a request is in progress.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { plain } from '../lib/chain.js';
import { until } from '../lib/process.js';
import { CHECK_ALL, WHOLE } from '../lib/rules.js';
import { FINALITY, UNIT, World } from '../lib/world.js';

describe(`an outage${FINALITY}`, () => {
  const QUESTION = 'Tell me everything about the sea.';
  const LONG = { maxTokens: 48 };
  let world;
  let workers;
  let validators;

  before(async () => {
    world = await World.start('outages', { rules: CHECK_ALL });
    workers = await world.add([['Worker', 'Worker1'], ['Worker', 'Worker2']]);
    validators = await world.add([1, 2, 3, 4].map((n) => ['Validator', `Validator${n}`]));
  }, { timeout: 400_000 });
  after(() => world?.stop());

  const assigned = async (id) => world.operator((await world.event(id, 'Assigned')).data.worker);
  const answers = (id) => world.chain.eventsNamed('inference.Answered', ({ request }) => request === id).length;
  /** Sends a request, and kills its worker while it answers; repeats that where the answer was already sent. */
  const killedOver = async () => {
    for (;;) {
      const { id } = await world.ask(QUESTION, LONG);
      const worker = await assigned(id);
      await worker.program.says(new RegExp(`drawn to answer .*request=${id} `));
      await worker.kill();
      // An answer that it had sent is in a block by then.
      await world.chain.blocks(2);
      if ((await world.answer(id)) === null) return { id, worker };
      worker.start();
      await world.settled(id);
    }
  };
  /** The operator's process is killed for good: it bears the losses of its absence. */
  const takeAway = async (operator) => {
    operator.mayLose = true;
    await operator.kill();
  };

  /** Starts operators, and waits until the silent ones can be drawn again. */
  const bringBack = async (operators, silent) => {
    const resumed = ({ address }) =>
      world.chain.eventsNamed('operators.Resumed', ({ controller }) => controller === address).length;
    const before = silent.map(resumed);
    for (const operator of operators) operator.start();
    await until('the silent ones have resumed', () =>
      silent.every((operator, n) => resumed(operator) > before[n]) || undefined, { timeout: 240_000 });
    await world.notice();
  };

  it('kills the worker while it answers, and it continues after a restart', { timeout: 300_000 }, async () => {
    const { id, worker } = await killedOver();
    worker.start();
    const end = await world.settled(id);
    assert.equal(end.worker, worker.address);
    assert.equal(answers(id), 1);
    world.onlyLosers(id);
    await world.audit();
  });

  it('kills a validator while it checks, and it continues after a restart', { timeout: 300_000 }, async () => {
    const { id } = await world.ask(QUESTION, LONG);
    const claim = await world.claimOf(id);
    const { seats: [[address]] } = await world.claimEvent(claim, 'claims.CheckDrawn');
    const validator = world.operator(address);
    await validator.program.says(new RegExp(`drawn to check an answer .*claim=${claim} `));
    await validator.kill();
    validator.start();
    const end = await world.settled(id);
    assert.ok(end.validatorsPaid.some(({ to }) => to === validator.address), 'it was in time');
    world.onlyLosers(id);
    await world.audit();
  });

  it('kills a validator that has committed, and it reveals after a restart', { timeout: 300_000 }, async () => {
    const { id } = await world.ask(QUESTION, LONG);
    const claim = await world.claimOf(id);
    const { seats } = await world.claimEvent(claim, 'claims.CheckDrawn');
    const [killed, other] = seats.map(([address]) => world.operator(address));
    // It must not reveal before.
    other.program.pause();
    await world.claimEvent(claim, 'claims.CheckCommitted', ({ validator }) => validator === killed.address);
    await killed.kill();
    other.program.resume();
    killed.start();
    const end = await world.settled(id);
    assert.ok(end.validatorsPaid.some(({ to }) => to === killed.address), 'it kept its commitment');
    world.onlyLosers(id);
    await world.audit();
  });

  it('kills a juror that has committed, and it reveals after a restart', { timeout: 300_000 }, async () => {
    const { id } = await world.ask(QUESTION, LONG);
    const claim = await world.claimOf(id);
    await world.claimEvent(claim, 'claims.CheckDrawn');
    const challenger = await world.account(100n * UNIT);
    await world.chain.send(world.chain.call('claims.challenge', claim, 0), challenger);
    const [killed, ...others] = (await world.jury(claim)).map(({ juror }) => juror);
    assert.ok(others.length > 0, 'others wait for it');
    for (const { program } of others) program.pause();
    await world.claimEvent(claim, 'jury.VerdictCommitted', ({ juror }) => juror === killed.address);
    await killed.kill();
    for (const { program } of others) program.resume();
    killed.start();
    await world.claimEvent(claim, 'jury.VerdictRevealed', ({ juror }) => juror === killed.address);
    assert.equal((await world.claimEvent(claim, 'claims.DisputeConcluded')).decision, 'True');
    await world.settled(id);
    world.onlyLosers(id);
    await world.audit();
  });

  it('kills the node during a request, and all programs continue after its restart', { timeout: 300_000 }, async () => {
    const { id } = await world.ask(QUESTION, LONG);
    await world.event(id, 'Assigned');
    await world.chain.blocks(2);
    await world.restartNode();
    await world.settled(id);
    assert.equal(answers(id), 1);
    const again = await world.ask('Are you still there?', LONG);
    await world.settled(again.id);
    world.onlyLosers(id);
    await world.audit();
  });

  it('kills the worker for good, and another takes over', { timeout: 300_000 }, async () => {
    const { id, worker: first } = await killedOver();
    first.mayLose = true;
    const { stake } = (await world.state(id)).assignment;
    const { offence, amount } = await world.loss(id, first);
    assert.equal(offence, 'MissedDeadline');
    assert.equal(amount, (stake * world.rules.requests.silenceShare + WHOLE - 1n) / WHOLE, 'being offline is not fraud');
    const end = await world.settled(id);
    assert.notEqual(end.worker, first.address);
    world.onlyLosers(id, first);
    first.start();
    await world.chain.event('operators.Resumed', ({ controller }) => controller === first.address);
    await world.notice();
    await world.audit();
  });

  it('kills the worker when another checkpoint takes the place of the one that it answers with', { timeout: 300_000 }, async () => {
    const { chain, checkpoint } = world;
    const other = await world.importVariant();
    await world.publish(other);
    const { family } = plain(await chain.view('Checkpoints', 'checkpoint', other));
    const makeCanonical = (id) => world.govern('checkpoints.setCanonical', family, id);
    const { id, worker } = await killedOver();
    await makeCanonical(other);
    await worker.submit('operators.followCanonical', checkpoint);
    assert.deepEqual((await worker.recorded()).serves, [other]);
    worker.start();
    const end = await world.settled(id);
    assert.equal(end.worker, worker.address);
    await makeCanonical(checkpoint);
    await worker.submit('operators.followCanonical', other);
    await world.notice();
    assert.deepEqual(plain(await chain.view('Operators', 'drawn_for', worker.address)), [checkpoint]);
    await world.audit();
  });

  it('takes all validators but one away, and that one confirms the answer and loses nothing', { timeout: 300_000 }, async () => {
    const [there, ...gone] = validators;
    await Promise.all(gone.map(takeAway));
    const { id } = await world.ask(QUESTION, LONG);
    const claim = await world.claimOf(id);
    const end = await world.settled(id);
    assert.equal(end.verification, 'Confirmed');
    assert.deepEqual(end.validatorsPaid.map(({ to }) => to), [there.address]);
    const silent = world.chain.eventsNamed('claims.CheckDrawn', (drawn) => drawn.claim === claim)
      .flatMap(({ data }) => data.seats.map(([address]) => world.operator(address)))
      .filter((validator) => validator !== there);
    for (const validator of silent) await world.loss(id, validator);
    world.onlyLosers(id, ...silent);
    await world.audit();
    await bringBack(gone, silent);
  });

  it('takes all validators away, and the requester gets everything back but storage', { timeout: 300_000 }, async () => {
    await Promise.all(validators.map(takeAway));
    const { id, limit, requester, fee, storage } = await world.ask(QUESTION, LONG);
    const claim = await world.claimOf(id);
    const end = await world.end(id);
    assert.deepEqual([end.name, end.amount], ['Refunded', limit]);
    assert.equal((await world.claimEvent(claim, 'claims.Ended')).outcome, 'Unconfirmed');
    const { free } = await world.chain.balance(requester.address);
    assert.equal(free, limit + 10n * UNIT - fee - storage);
    const draws = world.chain.eventsNamed('claims.CheckDrawn', (drawn) => drawn.claim === claim);
    const silent = draws.flatMap(({ data }) => data.seats.map(([address]) => world.operator(address)));
    assert.ok(draws.length > 1, 'others are drawn in place of the silent ones');
    for (const validator of silent) {
      const { offence, amount } = await world.loss(id, validator);
      assert.deepEqual([offence, amount], ['MissedCheck', world.rules.claims.validatorStake]);
    }
    world.onlyLosers(id, ...silent);
    await world.audit();
    await bringBack(validators, silent);
  });

  it('takes all workers away, and the requester gets everything back but storage', { timeout: 400_000 }, async () => {
    await Promise.all(workers.map(takeAway));
    const { id, limit, requester, fee, storage } = await world.ask(QUESTION, LONG);
    const end = await world.end(id, 360_000);
    assert.deepEqual([end.name, end.reason, end.amount], ['Refunded', 'NoAnswer', limit]);
    assert.equal((await world.chain.balance(requester.address)).free, limit + 10n * UNIT - fee - storage);
    world.onlyLosers(id, ...workers);
  });

  it('costs no operator that was online any bond', () => world.close());
});
