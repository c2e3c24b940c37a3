// A worker that cheats: the test simulates it, signing with the hot key of a registered worker. Real
// validators re-execute its claims, challenge them, and judge them.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { madeUp } from '../lib/answer.js';
import { randomHash } from '../lib/protocol.js';
import { CHECK_ALL, jurorFee, WHOLE } from '../lib/rules.js';
import { FINALITY, UNIT, World } from '../lib/world.js';

const FALSE = { Fallen: { FalseLeaf: 0n } };

describe(`a dishonest worker${FINALITY}`, () => {
  const PROMPT = 'Name three primary colours.';
  let world;
  let validators;
  let right; // the checkpoint's true answer
  let count = 0;

  before(async () => {
    world = await World.start('dishonest-worker', { rules: CHECK_ALL });
    // Two validators check, the others judge.
    validators = await world.add([1, 2, 3, 4].map((n) => ['Validator', `Validator${n}`]));
    await world.add([['Worker', 'Honest']], { prices: world.prices(2n) });
    const { id } = await world.ask(PROMPT);
    await world.settled(id);
    right = await world.answer(id);
  }, { timeout: 400_000 });
  after(() => world?.stop());
  // Even if a test fails, its cheat is not drawn in the next.
  const cheats = [];
  afterEach(async () => {
    for (const cheat of cheats.splice(0)) await cheat.retire();
    await world.restoreRules();
  });

  async function newCheat(options) {
    count += 1;
    const [cheat] = await world.add([['Worker', `Cheat${count}`]], { fake: true, ...options });
    cheats.push(cheat);
    return cheat;
  }

  /** A new cheat, cheaper than the honest worker, and a request that only it can be drawn for. */
  async function assigned(prompt = PROMPT) {
    const cheat = await newCheat();
    const asked = await world.ask(prompt, { limit: (await world.quote(prompt)).lowest });
    const { data } = await world.event(asked.id, 'Assigned');
    assert.equal(data.worker, cheat.address);
    return { cheat, ...asked };
  }

  /** Waits until the answer is found false; returns the claim and its challengers. */
  async function falls({ id, limit, requester, fee, storage }) {
    const end = await world.end(id);
    assert.deepEqual([end.name, end.reason, end.amount], ['Refunded', 'FalseAnswer', limit]);
    const claim = await world.claimOf(id);
    assert.equal((await world.claimEvent(claim, 'claims.DisputeConcluded')).decision, 'False');
    const ended = await world.claimEvent(claim, 'claims.Ended');
    assert.deepEqual([ended.outcome, ended.paid, ended.checks, ended.burned], [FALSE, 0n, [], 0n]);
    const now = await world.chain.balance(requester.address);
    assert.equal(now.held, 0n);
    assert.equal(now.free, limit + 10n * UNIT - fee - storage, 'the requester gets everything back');
    const challengers = world.chain
      .eventsNamed('claims.Challenged', (data) => data.claim === claim)
      .map(({ data }) => data.challenger);
    return { claim, challengers };
  }

  /** Checks that the cheat is convicted: it is not paid, it loses its stake, and no other operator loses bond. */
  async function convicts(job) {
    const { cheat, id } = job;
    const unminted = await world.chain.withoutSubsidies();
    const before = await cheat.bond();
    const { stake } = (await world.state(id)).assignment;
    const { claim, challengers } = await falls(job);
    const { data: drawn } = await world.chain.event('claims.CheckDrawn', (data) => data.claim === claim);
    const seated = drawn.seats.map(([validator]) => validator);
    assert.ok(challengers.length > 0 && challengers.every((who) => seated.includes(who)), 'drawn validators challenge');

    const { offence, amount, paid, burned } = await world.loss(id, cheat);
    assert.deepEqual([offence, amount], ['FalseAnswer', stake]);
    assert.equal(await cheat.bond(), before - stake);
    assert.equal(await world.chain.withoutSubsidies(), unminted - burned);
    world.onlyLosers(id, cheat);
    await sharesStake(claim, { challengers, stake, paid });
    await world.audit();
  }

  /**
   * Checks that the challengers share half of the stake, and that jurors are paid for each seat.
   */
  async function sharesStake(claim, { challengers, stake, paid }) {
    const { claim: recorded } = await world.claim(claim);
    const { challengerShare, challengerCap } = recorded.terms.rules;
    const half = (stake * challengerShare) / WHOLE;
    const each = (half < challengerCap ? half : challengerCap) / BigInt(challengers.length);
    const verdicts = world.chain.eventsNamed('jury.VerdictRevealed', (data) => data.claim === claim);
    assert.ok(verdicts.length > 0 && verdicts.every(({ data }) => data.verdict === 'False'));
    const fee = jurorFee(recorded.terms);
    const due = new Map(challengers.map((who) => [who, each]));
    for (const { juror: { address }, seats } of await world.jury(claim)) {
      due.set(address, (due.get(address) ?? 0n) + seats * fee);
    }
    assert.equal(paid, [...due.values()].reduce((sum, amount) => sum + amount));
    const earned = world.chain.eventsNamed('operators.Earned', ({ job, kind }) =>
      kind === 'Dispute' && job.Request === recordedRequest(claim));
    const amounts = new Map();
    for (const { data: { controller, amount } } of earned) amounts.set(controller, (amounts.get(controller) ?? 0n) + amount);
    assert.deepEqual(amounts, due);
  }

  const recordedRequest = (claim) =>
    world.chain.eventsNamed('claims.ClaimMade', (data) => data.claim === claim)[0].data.job.Request;

  it('answers with a wrong text', { timeout: 300_000 }, async () => {
    const job = await assigned();
    await job.cheat.answer(job.id, { ...right, text: `${right.text} Or so they say.` });
    await convicts(job);
  });

  it('answers with a wrong token', { timeout: 300_000 }, async () => {
    const job = await assigned();
    const tokens = [...right.tokens];
    tokens[3] += 1;
    await job.cheat.answer(job.id, { ...right, tokens });
    await convicts(job);
  });

  it('stops early to save work', { timeout: 300_000 }, async () => {
    const job = await assigned();
    const { hiddenRoot } = madeUp({ tokens: right.tokens.slice(0, 2) });
    await job.cheat.answer(job.id, { ...right, tokens: right.tokens.slice(0, 2), text: right.text.slice(0, 4), hiddenRoot });
    await convicts(job);
  });

  it('knows the answer but did not compute it', { timeout: 300_000 }, async () => {
    const job = await assigned();
    await job.cheat.answer(job.id, { ...right, hiddenRoot: randomHash() });
    await convicts(job);
  });

  it('claims more prompt tokens than there were', { timeout: 300_000 }, async () => {
    const job = await assigned();
    await job.cheat.answer(job.id, { ...right, promptTokens: right.promptTokens + 1 });
    await convicts(job);
  });

  it('claims fewer prompt tokens than there were', { timeout: 300_000 }, async () => {
    const job = await assigned();
    await job.cheat.answer(job.id, { ...right, promptTokens: 1 });
    await convicts(job);
  });

  it('answers with the output of another checkpoint', { timeout: 300_000 }, async () => {
    const other = await world.importVariant();
    assert.notEqual(other, world.checkpoint);
    await world.publish(other);
    const [server] = await world.add([['Worker', 'Other']], { checkpoints: [other] });
    const asked = await world.ask(PROMPT, { checkpoint: other });
    const end = await world.end(asked.id);
    assert.deepEqual([end.name, end.reason], ['Refunded', 'Unconfirmed'], 'no validator serves it');
    const theirs = await world.answer(asked.id);
    assert.notDeepEqual(theirs.tokens, right.tokens);
    await server.stop();

    const job = await assigned();
    await assert.rejects(
      job.cheat.answer(job.id, theirs, { checkpoint: other }),
      { name: 'inference.ReceiptWrongCheckpoint' },
    );
    await job.cheat.answer(job.id, theirs);
    await convicts(job);
  });

  it('is challenged by any account where no check was drawn', { timeout: 300_000 }, async () => {
    // The stake is so high beside the price that one answer in ten thousand is checked.
    await world.setRules({ claims: { minCheckRate: 1n, marginPercent: 100n }, requests: { stakePercent: 1_000_000n } });
    const cheat = await newCheat({ bond: 20n * world.leastBond });
    const witness = await world.account(5_000n * UNIT);
    const funds = (await world.chain.balance(witness.address)).total;
    const job = await world.ask(PROMPT, { limit: (await world.quote(PROMPT)).lowest });
    await world.event(job.id, 'Assigned');
    await cheat.answer(job.id, { ...right, text: 'I do not know.' });
    const claim = await world.claimOf(job.id);
    await world.claimEvent(claim, 'claims.CheckWaived');
    const before = await cheat.bond();
    const { stake } = (await world.state(job.id)).assignment;
    const { fee } = await world.chain.send(world.chain.call('claims.challenge', claim, 0), witness);
    assert.equal((await world.chain.balance(witness.address)).held, stake, 'the challenger stakes as much as the claimant');
    const { challengers } = await falls(job);
    assert.deepEqual(challengers, [witness.address]);
    assert.equal(await cheat.bond(), before - stake);
    const { challengerShare, challengerCap } = world.rules.claims;
    const half = (stake * challengerShare) / WHOLE;
    const share = half < challengerCap ? half : challengerCap;
    const now = await world.chain.balance(witness.address);
    assert.deepEqual([now.held, now.free], [0n, funds - fee + share], 'it gets its bond back, and a part of the stake');
    world.onlyLosers(job.id, cheat);
    await world.audit();
  });

  it('submits a receipt that does not fit, field by field', { timeout: 300_000 }, async () => {
    const job = await assigned();
    const refuses = (name, changes, answer = right) =>
      assert.rejects(job.cheat.answer(job.id, answer, changes), { name: `inference.${name}` });
    await Promise.all([
      refuses('ReceiptWrongRequest', { request: job.id + 1n }),
      refuses('ReceiptWrongPrompt', { promptHash: randomHash() }),
      refuses('ReceiptWrongParameters', { parameters: world.parameters({ maxTokens: 9 }) }),
      refuses('ReceiptWrongSeed', { seed: randomHash() }),
      refuses('ReceiptWrongAnswer', { answerHash: randomHash() }),
      refuses('ReceiptWrongTokenCount', { answerTokens: right.tokens.length + 1 }),
      refuses('ReceiptTooManyPromptTokens', {}, { ...right, promptTokens: 4_000_000_000 }),
      refuses('AnswerEmpty', {}, { ...right, tokens: [] }),
      refuses('AnswerTooLong', {}, { ...right, tokens: Array(9).fill(1) }),
      refuses('TokenOutOfRange', {}, { ...right, tokens: [4_000_000_000] }),
      // Eight bytes for each requested token.
      refuses('TextTooLong', {}, { ...right, text: 'a'.repeat(8 * 8 + 1) }),
      refuses('TextNotUtf8', {}, { ...right, text: Uint8Array.of(0xff) }),
    ]);

    // The worker can still submit the right one in time.
    await job.cheat.answer(job.id, right);
    await world.settled(job.id);
    world.onlyLosers(job.id);
    await world.audit();
  });

  it('answers twice', { timeout: 300_000 }, async () => {
    const job = await assigned();
    const before = await job.cheat.wealth();
    await job.cheat.answer(job.id, right);
    await assert.rejects(job.cheat.answer(job.id, right), { name: 'inference.AlreadyAnswered' });
    const end = await world.settled(job.id);
    assert.equal(end.worker, job.cheat.address);
    await assert.rejects(job.cheat.answer(job.id, right), { name: 'inference.AlreadyAnswered' });
    assert.equal(await job.cheat.wealth(), before + end.workerPaid, 'it is paid once');
    await world.audit();
  });

  it('answers after the deadline, when another has taken over', { timeout: 300_000 }, async () => {
    // A larger bond is drawn sooner.
    const bond = 20n * world.leastBond;
    const late = await newCheat({ bond });
    let id;
    do {
      ({ id } = await world.ask(PROMPT));
    } while ((await world.event(id, 'Assigned')).data.worker !== late.address);
    const { stake } = (await world.state(id)).assignment;
    const { offence, amount } = await world.loss(id, late);
    assert.equal(offence, 'MissedDeadline');
    assert.equal(amount, (stake * world.rules.requests.silenceShare + WHOLE - 1n) / WHOLE, 'a part of the stake');
    assert.equal(await late.bond(), bond - amount);
    const { data: missed } = await world.event(id, 'DeadlineMissed');
    assert.deepEqual([missed.worker, missed.slashed, missed.attempts], [late.address, amount, 1n]);
    await world.event(id, 'Assigned', ({ worker }) => worker !== late.address);
    await assert.rejects(late.answer(id, right), { name: /^inference\.(NotAssigned|AlreadyAnswered)$/ });
    const end = await world.settled(id);
    assert.notEqual(end.worker, late.address);
    world.onlyLosers(id, late);
    await world.audit();
  });

  it('costs validators and honest workers nothing', async () => {
    for (const validator of validators) {
      const { slashed, checks, disputes } = await validator.ledger();
      assert.equal(slashed, 0n);
      assert.ok(checks + disputes > 0n, `${validator.name} is paid`);
    }
    await world.checkBooks();
    await world.close();
  });
});
