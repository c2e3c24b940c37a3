// The runtime is replaced while requests are in progress.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { madeUp } from '../lib/answer.js';
import { CHECK_ALL } from '../lib/rules.js';
import { UNIT, World } from '../lib/world.js';

const specVersion = async ({ chain }) => (await chain.api.rpc.state.getRuntimeVersion()).specVersion.toNumber();

describe('a runtime upgrade', () => {
  let world;

  before(async () => {
    world = await World.start('upgrade', { rules: CHECK_ALL });
    await world.add([['Worker', 'Worker1']]);
    await world.add([1, 2].map((n) => ['Validator', `Validator${n}`]));
  }, { timeout: 400_000 });
  after(() => world?.stop());

  it('changes nothing for a request in progress', { timeout: 300_000 }, async () => {
    const before = await specVersion(world);
    const { id } = await world.ask('What is a river?');
    await world.event(id, 'Assigned');
    await world.upgrade();
    const now = await specVersion(world);
    assert.ok(now > before, `version ${now} after ${before}`);
    await world.settled(id);
    const again = await world.ask('What is a lake?');
    await world.settled(again.id);
    await world.close();
  });
});

describe('a runtime upgrade with claims in every state', () => {
  /** Windows that no step of this suite can miss, except the last one to challenge. */
  const PATIENT = {
    claims: { ...CHECK_ALL.claims, windows: { commit: 400n, reveal: 400n } },
    requests: { answer: 400n },
  };
  /** Blocks until a claim that needs young randomness is drawn: longer than an upgrade takes. */
  const FRESHNESS = 60n;
  /** Blocks to challenge and to appeal, which are waited for: more than all that comes before the upgrade takes. */
  const CHALLENGE = 150n;
  let world;
  let worker;
  const answer = madeUp();

  before(async () => {
    world = await World.start('states', { rules: PATIENT });
    [worker] = await world.add([['Worker', 'Worker1']], { fake: true });
    // Two validators check, the others judge.
    await world.add([1, 2, 3, 4, 5].map((n) => ['Validator', `Validator${n}`]), { fake: true });
  }, { timeout: 400_000 });
  after(() => world?.stop());

  const seats = async (claim) =>
    (await world.claimEvent(claim, 'claims.CheckDrawn')).seats.map(([address]) => world.operator(address));
  const jury = async (claim) => (await world.jury(claim)).map(({ juror }) => juror);

  /** A request with an answer. */
  async function claimed(changes) {
    await world.setRules(changes);
    const asked = await world.ask('What is a state?');
    await world.event(asked.id, 'Assigned');
    await worker.answer(asked.id, answer);
    return { ...asked, claim: await world.claimOf(asked.id) };
  }

  /** Has the drawn validators commit; returns the values to reveal. */
  async function commit(claim) {
    const checks = new Map();
    for (const validator of await seats(claim)) checks.set(validator, await validator.confirm(claim, answer));
    await world.claimEvent(claim, 'claims.RevealOpened');
    return { claim, checks };
  }

  const reveal = ({ claim, checks }) =>
    Promise.all([...checks].map(([validator, check]) => validator.revealCheck(claim, check, answer)));

  const check = async (claim) => reveal(await commit(claim));

  async function committed(changes) {
    const job = await claimed(changes);
    return { ...job, ...(await commit(job.claim)) };
  }

  async function confirmed(changes) {
    const job = await committed(changes);
    await reveal(job);
    await world.claimEvent(job.claim, 'claims.ChallengeOpened');
    return job;
  }

  /** A claim that is confirmed and challenged, before a jury. */
  async function disputed() {
    const job = await confirmed({ claims: { windows: { challenge: CHALLENGE } } });
    const challenger = await world.account(100n * UNIT);
    await world.chain.send(world.chain.call('claims.challenge', job.claim, 0), challenger);
    return { ...job, jurors: await jury(job.claim) };
  }

  const vote = async ({ claim, jurors }) => {
    const verdicts = await Promise.all(jurors.map((juror) => juror.commitVerdict(claim, 'True')));
    await world.claimEvent(claim, 'jury.RevealOpened');
    return verdicts;
  };
  const show = ({ claim, jurors }, verdicts) =>
    Promise.all(jurors.map((juror, n) => juror.revealVerdict(claim, verdicts[n])));

  /** The name of a variant of an enumeration, with or without fields. */
  const nameOf = (variant) => (typeof variant === 'string' ? variant : Object.keys(variant)[0]);
  const stageOf = async ({ claim }) => nameOf((await world.claim(claim)).claim.stage);
  const disputeStage = async ({ claim }) => nameOf((await world.dispute(claim)).stage);

  it('lets each of them continue', { timeout: 600_000 }, async () => {
    const drawn = await disputed();
    const voted = await disputed();
    const verdicts = await vote(voted);
    const revealing = await committed();
    const committing = await claimed();
    await seats(committing.claim);
    const decided = await disputed();
    await show(decided, await vote(decided));
    await world.claimEvent(decided.claim, 'jury.AppealOpened');
    const challengeable = await confirmed({ claims: { windows: { challenge: CHALLENGE } } });
    const undrawn = await claimed({ claims: { freshness: FRESHNESS } });
    const answering = await world.ask('What is a state?');
    await world.event(answering.id, 'Assigned');
    // The worker has no room for another.
    await world.setRules({ requests: { room: 1n } });
    const waiting = await world.ask('What is a state?');

    const before = await Promise.all([
      ...[undrawn, committing, revealing, challengeable].map(stageOf),
      ...[drawn, voted, decided].map(disputeStage),
      ...[answering, waiting].map(async ({ id }) => nameOf((await world.state(id)).phase)),
    ]);
    const all = [
      'Undrawn', 'Committing', 'Revealing', 'Challengeable',
      'Committing', 'Revealing', 'Appealable',
      'Answering', 'Waiting',
    ];
    assert.deepEqual(before, all, 'before the upgrade');
    await world.upgrade();
    await world.audit();

    await Promise.all([
      vote(drawn).then((found) => show(drawn, found)),
      show(voted, verdicts),
      reveal(revealing),
      check(committing.claim),
      check(undrawn.claim),
      worker.answer(answering.id, answer),
    ]);
    await world.setRules();
    await world.event(waiting.id, 'Assigned');
    await worker.answer(waiting.id, answer);
    for (const { id } of [answering, waiting]) await check(await world.claimOf(id));
    const jobs = { drawn, voted, decided, revealing, committing, challengeable, undrawn, answering, waiting };
    for (const [name, { id }] of Object.entries(jobs)) {
      const { verification } = await world.settled(id);
      assert.equal(verification, 'Confirmed', name);
      world.onlyLosers(id);
    }
    await world.close();
  });
});
