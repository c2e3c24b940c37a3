// A worker that cheats: the test plays it, signing with the hot key of a registered worker. Real
// validators re-execute what it claims.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { randomHash } from '../lib/protocol.js';
import { UNIT, World } from '../lib/world.js';

describe('a dishonest worker', () => {
  const PROMPT = 'Name three primary colours.';
  let world;
  let right; // what the checkpoint really answers
  let count = 0;

  before(async () => {
    world = await World.start('dishonest-worker');
    await world.add([1, 2, 3, 4].map((n) => ['Validator', `Validator${n}`]));
    await world.add([['Worker', 'Honest']], { prices: world.prices(2n) });
    const { id } = await world.ask(PROMPT);
    assert.equal((await world.end(id)).name, 'Settled');
    const { tokens, text, receipt } = await world.answer(id);
    const { digest } = (await world.event(id, 'VerdictRevealed')).data;
    right = { tokens, text, digest, promptTokens: Number(receipt.promptTokens) };
  }, { timeout: 400_000 });
  after(() => world?.stop());
  // Whatever became of the test, its cheat is not drawn in the next.
  const cheats = [];
  afterEach(async () => {
    for (const cheat of cheats.splice(0)) await cheat.retire();
  });

  /** A new cheat, cheaper than the honest worker, and a request that only it can be drawn for. */
  async function assigned(prompt = PROMPT) {
    count += 1;
    const [cheat] = await world.add([['Worker', `Cheat${count}`]], { fake: true, prices: world.prices(1n) });
    cheats.push(cheat);
    const limit = (await world.quote(prompt)).lowest;
    const asked = await world.ask(prompt, { limit });
    const { data } = await world.event(asked.id, 'Assigned');
    assert.equal(data.worker, cheat.address);
    return { cheat, ...asked };
  }

  /** The cheat is convicted: it is not paid, it loses bond, the requester loses nothing. */
  async function convicts({ cheat, id, limit, requester, fee }) {
    const unminted = await world.chain.withoutSubsidies();
    const before = await cheat.bond();
    const end = await world.end(id);
    assert.equal(end.name, 'Refunded');
    assert.equal(end.reason, 'FalseAnswer');
    assert.equal(end.amount, limit);
    assert.ok(world.story(id).includes('Disputed'));
    const { offence, amount, paid, burned } = await world.slashed(id, cheat);
    assert.equal(offence, 'FalseAnswer');
    assert.ok(paid > 0n, 'those who were right share in it');
    assert.equal(await cheat.bond(), before - amount);
    assert.equal(await world.chain.withoutSubsidies(), unminted - burned);
    const now = await world.chain.balance(requester.address);
    assert.equal(now.held, 0n);
    assert.equal(now.free, limit + 10n * UNIT - fee);
    await world.audit();
  }

  it('submits a wrong text', { timeout: 120_000 }, async () => {
    const job = await assigned();
    await world.submit(job.cheat, job.id, { ...right, text: `${right.text} Or so they say.` });
    await convicts(job);
  });

  it('submits a wrong token', { timeout: 120_000 }, async () => {
    const job = await assigned();
    const tokens = [...right.tokens];
    tokens[3] += 1;
    await world.submit(job.cheat, job.id, { ...right, tokens });
    await convicts(job);
  });

  it('stops early to save work', { timeout: 120_000 }, async () => {
    const job = await assigned();
    await world.submit(job.cheat, job.id, { ...right, tokens: right.tokens.slice(0, 2), text: right.text.slice(0, 4) });
    await convicts(job);
  });

  it('knows the answer but did not compute it', { timeout: 120_000 }, async () => {
    const job = await assigned();
    await world.submit(job.cheat, job.id, { ...right, digest: randomHash() });
    await convicts(job);
  });

  it('claims more prompt tokens than there were', { timeout: 120_000 }, async () => {
    const job = await assigned();
    await world.submit(job.cheat, job.id, { ...right, promptTokens: right.promptTokens + 1 });
    await convicts(job);
  });

  it('submits the right answer of another checkpoint', { timeout: 240_000 }, async () => {
    const other = await world.importVariant();
    assert.notEqual(other, world.checkpoint);
    await world.publish(other);
    const [server] = await world.add([['Worker', 'Other']], { checkpoints: [other] });
    const asked = await world.ask(PROMPT, { checkpoint: other, limit: 1_000n * UNIT });
    await world.event(asked.id, 'Answered');
    const theirs = await world.answer(asked.id);
    assert.notDeepEqual(theirs.tokens, right.tokens);
    await server.stop();

    const job = await assigned();
    await assert.rejects(
      world.submit(job.cheat, job.id, theirs, { checkpoint: other }),
      { name: 'inference.ReceiptWrongCheckpoint' },
    );
    await world.submit(job.cheat, job.id, { ...theirs, promptTokens: right.promptTokens });
    await convicts(job);
  });

  it('submits a receipt that does not fit, field by field', { timeout: 120_000 }, async () => {
    const job = await assigned();
    const refuses = (name, changes, answer = right) =>
      assert.rejects(world.submit(job.cheat, job.id, answer, changes), { name: `inference.${name}` });
    await refuses('ReceiptWrongRequest', { request: job.id + 1n });
    await refuses('ReceiptWrongPrompt', { promptHash: randomHash() });
    await refuses('ReceiptWrongParameters', { parameters: world.parameters({ maxTokens: 9 }) });
    await refuses('ReceiptWrongSeed', { seed: randomHash() });
    await refuses('ReceiptWrongOutput', { outputHash: randomHash() });
    await refuses('ReceiptWrongTokenCount', { outputTokens: right.tokens.length + 1 });
    await refuses('AnswerEmpty', {}, { ...right, tokens: [] });
    await refuses('AnswerTooLong', {}, { ...right, tokens: Array(9).fill(1) });
    await refuses('TokenOutOfRange', {}, { ...right, tokens: [4_000_000_000] });
    await refuses('ContextExceeded', {}, { ...right, promptTokens: 4_000_000_000 });
    await refuses('TextNotUtf8', {}, { ...right, text: Uint8Array.of(0xff) });

    // It is still in time for the right one.
    await world.submit(job.cheat, job.id, right);
    assert.equal((await world.end(job.id)).name, 'Settled');
    await world.audit();
  });

  it('submits the same result twice', { timeout: 120_000 }, async () => {
    const job = await assigned();
    const before = await job.cheat.wealth();
    await world.submit(job.cheat, job.id, right);
    await assert.rejects(world.submit(job.cheat, job.id, right), { name: 'inference.AlreadyAnswered' });
    const end = await world.end(job.id);
    assert.equal(end.name, 'Settled');
    assert.equal(end.worker, job.cheat.address);
    await assert.rejects(world.submit(job.cheat, job.id, right), { name: 'inference.AlreadyAnswered' });
    assert.equal(await job.cheat.wealth(), before + end.workerPaid, 'it is paid once');
    await world.audit();
  });

  it('answers after the deadline, when another has taken over', { timeout: 180_000 }, async () => {
    // So large a bond that it is drawn before the honest worker.
    count += 1;
    const bond = 5_000n * world.chain.api.consts.operators.minBond.toBigInt();
    const [late] = await world.add([['Worker', `Cheat${count}`]], { fake: true, bond, prices: world.prices(1n) });
    cheats.push(late);
    const { id } = await world.ask(PROMPT);
    assert.equal((await world.event(id, 'Assigned')).data.worker, late.address);
    const { offence, amount } = await world.slashed(id, late);
    assert.equal(offence, 'MissedDeadline');
    assert.equal(await late.bond(), bond - amount);
    await world.event(id, 'Assigned', ({ worker }) => worker !== late.address);
    await assert.rejects(world.submit(late, id, right), { name: 'inference.TooLate' });
    const end = await world.end(id);
    assert.equal(end.name, 'Settled');
    assert.notEqual(end.worker, late.address);
    await world.audit();
  });
});
