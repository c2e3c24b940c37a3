// Workers, validators and the node are killed while a request is under way.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { plain } from '../lib/chain.js';
import { World } from '../lib/world.js';

describe('an outage', () => {
  const QUESTION = 'Tell me everything about the sea.';
  const LONG = { maxTokens: 48 };
  let world;
  let workers;
  let validators;

  const by = (operators, address) => operators.find((operator) => operator.address === address);

  before(async () => {
    world = await World.start('outages');
    const prices = world.prices(1n, LONG.maxTokens);
    workers = await world.add([['Worker', 'Worker1'], ['Worker', 'Worker2']], { prices });
    validators = await world.add([1, 2, 3].map((n) => ['Validator', `Validator${n}`]));
  }, { timeout: 400_000 });
  after(() => world?.stop());

  it('kills the worker while it answers, and it carries on when it is back', { timeout: 240_000 }, async () => {
    const { id } = await world.ask(QUESTION, LONG);
    const worker = by(workers, (await world.event(id, 'Assigned')).data.worker);
    await worker.kill();
    assert.equal(await world.answer(id), null, 'it had not answered yet');
    worker.start();
    const end = await world.end(id);
    assert.equal(end.name, 'Settled');
    assert.equal(end.worker, worker.address);
    assert.equal(world.chain.eventsNamed('inference.Answered', ({ request }) => request === id).length, 1);
    await world.audit();
  });

  it('kills a validator while it checks, and it carries on when it is back', { timeout: 240_000 }, async () => {
    const { id } = await world.ask(QUESTION, LONG);
    const validator = by(validators, (await world.event(id, 'CheckDrawn')).data.validators[0]);
    await validator.kill();
    validator.start();
    const end = await world.end(id);
    assert.equal(end.name, 'Settled');
    assert.ok(end.checksPaid.some(({ to }) => to === validator.address), 'its verdict was in time');
    await world.audit();
  });

  it('kills the node in the middle, and everything goes on when it is back', { timeout: 240_000 }, async () => {
    const { id } = await world.ask(QUESTION, LONG);
    await world.event(id, 'Assigned');
    await world.chain.blocks(2);
    await world.restartNode();
    const end = await world.end(id);
    assert.equal(end.name, 'Settled');
    assert.equal(world.chain.eventsNamed('inference.Answered', ({ request }) => request === id).length, 1);
    const again = await world.ask('Are you still there?', LONG);
    assert.equal((await world.end(again.id)).name, 'Settled');
    await world.audit();
  });

  it('kills the worker for good, and another takes over', { timeout: 240_000 }, async () => {
    const { id } = await world.ask(QUESTION, LONG);
    const first = by(workers, (await world.event(id, 'Assigned')).data.worker);
    await first.kill();
    assert.equal((await world.slashed(id, first)).offence, 'MissedDeadline');
    const end = await world.end(id);
    assert.equal(end.name, 'Settled');
    assert.notEqual(end.worker, first.address);
    first.start();
    await world.audit();
  });

  it('kills the worker when another checkpoint takes the place of the one that it answers with', { timeout: 240_000 }, async () => {
    const { chain, checkpoint } = world;
    const other = await world.importVariant();
    await world.publish(other);
    const { family } = plain(await chain.view('Checkpoints', 'checkpoint', other));
    const makeCanonical = (id) =>
      chain.send(chain.call('sudo.sudo', chain.call('checkpoints.setCanonical', family, id)), world.funder);
    const { id } = await world.ask(QUESTION, LONG);
    const worker = by(workers, (await world.event(id, 'Assigned')).data.worker);
    await worker.kill();
    assert.equal(await world.answer(id), null, 'it had not answered yet');
    await makeCanonical(other);
    await worker.submit('operators.followCanonical', checkpoint);
    assert.deepEqual((await worker.recorded()).serves, [other]);
    worker.start();
    const end = await world.end(id);
    assert.equal(end.name, 'Settled');
    assert.equal(end.worker, worker.address);
    await makeCanonical(checkpoint);
    await worker.submit('operators.followCanonical', other);
    await world.notice();
    assert.deepEqual(plain(await chain.view('Operators', 'drawn_for', worker.address)), [checkpoint]);
    await world.audit();
  });

  it('takes all validators away, and the requester gets everything back', { timeout: 300_000 }, async () => {
    await Promise.all(validators.map((validator) => validator.kill()));
    const { id, limit, requester, fee } = await world.ask(QUESTION, LONG);
    const before = await world.chain.balance(requester.address);
    const { worker } = (await world.event(id, 'Answered')).data;
    const bond = await by(workers, worker).bond();
    const end = await world.end(id, 240_000);
    assert.equal(end.name, 'Refunded');
    assert.equal(end.reason, 'NoVerdict');
    assert.equal(end.amount, limit);
    assert.equal(await by(workers, worker).bond(), bond, 'the worker loses nothing');
    const now = await world.chain.balance(requester.address);
    assert.equal(now.free, before.free + limit);
    assert.ok(fee > 0n);
    await world.audit();
    for (const validator of validators) validator.start();
  });

  it('takes all workers away, and the requester gets everything back', { timeout: 400_000 }, async () => {
    await Promise.all(workers.map((worker) => worker.kill()));
    const { id, limit, requester } = await world.ask(QUESTION, LONG);
    const before = await world.chain.balance(requester.address);
    const end = await world.end(id, 360_000);
    assert.equal(end.name, 'Refunded');
    assert.ok(['NoAnswer', 'NoWorker'].includes(end.reason), end.reason);
    assert.equal(end.amount, limit);
    assert.equal((await world.chain.balance(requester.address)).free, before.free + limit);
    await world.audit();
  });
});
