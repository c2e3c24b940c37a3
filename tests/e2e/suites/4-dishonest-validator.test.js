// A validator that cheats: the test simulates it. An honest worker answers, and honest validators check. Then
// juries, whose honest and dishonest jurors the test simulates.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { madeUp } from '../lib/answer.js';
import { randomHash } from '../lib/protocol.js';
import { CHECK_ALL, jurorFee } from '../lib/rules.js';
import { FINALITY, UNIT, World } from '../lib/world.js';

/** The number of filled seats of a jury. */
const seatsIn = (jury) => jury.reduce((sum, { seats }) => sum + seats, 0n);

describe(`a dishonest validator${FINALITY}`, () => {
  let world;
  let worker;
  let validators;
  let count = 0;

  before(async () => {
    world = await World.start('dishonest-validator', { rules: CHECK_ALL });
    [worker] = await world.add([['Worker', 'Honest']]);
    validators = await world.add([1, 2, 3, 4].map((n) => ['Validator', `Validator${n}`]));
  }, { timeout: 400_000 });
  after(() => world?.stop());

  const release = () => validators?.forEach(({ program }) => program.resume());

  // Even if a test fails, its cheats are not drawn in the next.
  const cheats = [];
  afterEach(async () => {
    release();
    await Promise.all(cheats.splice(0).map((cheat) => cheat.retire()));
    await world.restoreRules();
  });

  async function newCheat(role, options) {
    count += 1;
    const [cheat] = await world.add([[role, `Cheat${count}`]], { fake: true, ...options });
    cheats.push(cheat);
    return cheat;
  }

  const seatsOf = async (claim) => (await world.claimEvent(claim, 'claims.CheckDrawn')).seats.map(([validator]) => validator);

  /**
   * A new cheat, and a request whose answer it was drawn to check. If it is to act `first`, the processes of the other
   * validators are stopped until `release`.
   */
  async function drawn({ first = false } = {}) {
    const cheat = await newCheat('Validator', { bond: 8n * world.leastBond });
    for (;;) {
      if (first) for (const { program } of validators) program.pause();
      const asked = await world.ask('What colour is the sky?');
      const claim = await world.claimOf(asked.id);
      if ((await seatsOf(claim)).includes(cheat.address)) return { cheat, claim, ...asked };
      release();
      await world.settled(asked.id);
    }
  }

  /** Checks that the answer is paid for, and that the cheat loses its stake on the check. */
  async function settles({ cheat, claim, id, limit }, offence) {
    const end = await world.settled(id);
    assert.deepEqual([end.worker, end.verification], [worker.address, 'Confirmed']);
    assert.ok(!end.validatorsPaid.some(({ to }) => to === cheat.address), 'it is not paid');
    const paid = end.validatorsPaid.reduce((sum, { amount }) => sum + amount, end.workerPaid);
    assert.equal(paid + end.burned + end.refunded, limit);
    const { claim: { terms } } = await world.claim(claim);
    const loss = await world.loss(id, cheat);
    assert.deepEqual([loss.offence, loss.amount], [offence, terms.rules.validatorStake]);
    world.onlyLosers(id, cheat);
    assert.equal((await cheat.ledger()).slashed, loss.amount);
    await world.audit();
    return loss;
  }

  /** The cheat has half of the bonds, so it has seats in the jury, which does not decide without it. */
  async function judges(cheat, claim, verdict) {
    const jury = await world.jury(claim);
    if (jury.some(({ juror }) => juror === cheat)) {
      const committed = await cheat.commitVerdict(claim, verdict);
      await world.claimEvent(claim, 'jury.RevealOpened');
      await cheat.revealVerdict(claim, committed);
    }
    return jury;
  }

  const refuses = (name, call) => assert.rejects(call, { name: `claims.${name}` });

  it('is silent', { timeout: 300_000 }, async () => {
    const job = await drawn();
    const { burned } = await settles(job, 'MissedCheck');
    assert.equal(burned, UNIT, 'no other operator gains by its silence');
    await refuses('Ended', job.cheat.commitCheck(job.claim));
  });

  it('commits and never reveals', { timeout: 300_000 }, async () => {
    const job = await drawn();
    await job.cheat.commitCheck(job.claim);
    await settles(job, 'MissedCheck');
  });

  it('commits to a hidden state that it invented', { timeout: 300_000 }, async () => {
    const job = await drawn({ first: true });
    const check = await job.cheat.commitCheck(job.claim);
    await refuses('WrongStage', job.cheat.revealCheck(job.claim, check, await world.answer(job.id)));
    release();
    await world.claimEvent(job.claim, 'claims.RevealOpened');
    const answer = await world.answer(job.id);
    await Promise.all([
      refuses('HiddenStateNotInReceipt', job.cheat.revealCheck(job.claim, check, answer)),
      // With such a receipt it could show any hidden state.
      refuses('ReceiptNotInClaim', job.cheat.revealCheck(job.claim, check, { ...answer, hiddenRoot: randomHash() })),
    ]);
    await settles(job, 'MissedCheck');
  });

  it('copies the commitment of another and cannot open it', { timeout: 300_000 }, async () => {
    const job = await drawn();
    const { validator } = await world.claimEvent(job.claim, 'claims.CheckCommitted');
    const { seats } = (await world.claim(job.claim)).claim;
    const theirs = seats.find((seat) => seat.validator === validator).state.Committed;
    await job.cheat.submit('claims.commitCheck', job.claim, 0, theirs);
    const revealed = await world.chain.event(
      'claims.CheckRevealed', (data) => data.claim === job.claim && data.validator === validator,
    );
    const { receipt, path, proof, salt } = await world.chain.argumentsOf(revealed);
    await refuses('CommitmentDiffers', job.cheat.submit('claims.revealCheck', job.claim, 0, receipt, path, proof, salt));
    await settles(job, 'MissedCheck');
  });

  it('changes its mind between commitment and reveal', { timeout: 300_000 }, async () => {
    const job = await drawn({ first: true });
    const check = await job.cheat.commitCheck(job.claim);
    await refuses('AlreadyCommitted', job.cheat.commitCheck(job.claim));
    release();
    await world.claimEvent(job.claim, 'claims.RevealOpened');
    const answer = await world.answer(job.id);
    await refuses('CommitmentDiffers', job.cheat.revealCheck(job.claim, { ...check, hidden: randomHash() }, answer));
    await settles(job, 'MissedCheck');
  });

  it('challenges a true answer', { timeout: 300_000 }, async () => {
    const job = await drawn();
    const before = (await worker.ledger()).disputes;
    await job.cheat.challenge(job.claim);
    await refuses('NotDrawn', job.cheat.challenge(job.claim));
    const jury = await judges(job.cheat, job.claim, 'True');
    assert.equal((await world.claimEvent(job.claim, 'claims.DisputeConcluded')).decision, 'True');
    const { paid } = await settles(job, 'FalseChallenge');
    const { claim: { terms } } = await world.claim(job.claim);
    const fee = jurorFee(terms);
    assert.equal((await worker.ledger()).disputes, before + fee, 'the worker gets the fee of a juror');
    const others = jury.filter(({ juror }) => juror !== job.cheat);
    assert.equal(paid, fee * (1n + seatsIn(others)), 'and so does each other juror for each of its seats');
  });

  it('confirms a false answer together with its worker', { timeout: 300_000 }, async () => {
    const cheat = await newCheat('Validator', { bond: 8n * world.leastBond });
    await world.setRules({ claims: { validatorsPerLeaf: 3n } });
    for (;;) {
      const accomplice = await newCheat('Worker', { prices: { perPromptByte: 0n, perAnswerToken: UNIT / 1_000n } });
      const { id, limit, requester, fee, storage } = await world.ask('What colour is the sky?', {
        limit: (await world.quote('What colour is the sky?')).lowest,
      });
      await world.event(id, 'Assigned');
      const answer = madeUp({ text: 'It is green.' });
      await accomplice.answer(id, answer);
      const claim = await world.claimOf(id);
      const isSeated = (await seatsOf(claim)).includes(cheat.address);
      if (isSeated) {
        const check = await cheat.confirm(claim, answer);
        await world.claimEvent(claim, 'claims.RevealOpened');
        await cheat.revealCheck(claim, check, answer);
        await world.claimEvent(claim, 'claims.CheckRevealed', ({ validator }) => validator === cheat.address);
      }
      await judges(cheat, claim, 'False');
      const end = await world.end(id);
      assert.deepEqual([end.name, end.reason, end.amount], ['Refunded', 'FalseAnswer', limit]);
      const { free } = await world.chain.balance(requester.address);
      assert.equal(free, limit + 10n * UNIT - fee - storage);
      assert.equal((await world.loss(id, accomplice)).offence, 'FalseAnswer');
      world.onlyLosers(id, accomplice, ...(isSeated ? [cheat] : []));
      if (!isSeated) continue;
      const { offence, amount, paid } = await world.loss(id, cheat);
      assert.deepEqual([offence, amount, paid], ['FalseCheck', world.rules.claims.validatorStake, 0n]);
      return world.audit();
    }
  });

  it('acts where it was not drawn', { timeout: 300_000 }, async () => {
    // It serves no checkpoint, so it is never drawn.
    const cheat = await newCheat('Validator', { checkpoints: [] });
    await world.setRules({ claims: { windows: { challenge: 40n } } });
    const asked = await world.ask('What colour is snow?');
    const claim = await world.claimOf(asked.id);
    await world.claimEvent(claim, 'claims.CheckDrawn');
    await refuses('NotDrawn', cheat.challenge(claim));
    await world.settled(asked.id);
    await refuses('Ended', cheat.commitCheck(claim));
    await assert.rejects(world.chain.send(world.chain.call('claims.challenge', claim, 0), cheat.controller), { name: 'claims.Ended' });
    world.onlyLosers(asked.id);
    await world.audit();
  });

  it('costs no honest operator bond', async () => {
    await world.checkBooks();
    await world.close();
  });
});

describe(`a jury${FINALITY}`, () => {
  const JURORS = 24;
  let world;
  let worker;
  let stake;

  before(async () => {
    // The stake is so high beside the price that one answer in five thousand is checked: all validators can
    // judge.
    const rules = {
      claims: { minCheckRate: 1n, marginPercent: 100n, windows: { challenge: 40n } },
      requests: { stakePercent: 500_000n, answer: 100n },
    };
    world = await World.start('jury', { blockTime: 300, rules });
    [worker] = await world.add([['Worker', 'Claimant']], { fake: true, bond: 100n * world.leastBond });
    await world.add(Array.from({ length: JURORS }, (_, n) => ['Validator', `Juror${n}`]), { fake: true });
  }, { timeout: 400_000 });
  after(() => world?.stop());

  const refuses = (name, call) => assert.rejects(call, { name: `jury.${name}` });
  const all = (operators, act) => Promise.all(operators.map(act));

  /** A claim that an account has challenged, and the first jury. */
  async function challenged() {
    const challenger = await world.account(1_000n * UNIT);
    const asked = await world.ask('What is true?');
    await world.event(asked.id, 'Assigned');
    ({ stake } = (await world.state(asked.id)).assignment);
    await worker.answer(asked.id, madeUp());
    const claim = await world.claimOf(asked.id);
    await world.claimEvent(claim, 'claims.CheckWaived');
    const { fee } = await world.chain.send(world.chain.call('claims.challenge', claim, 0), challenger);
    return { claim, challenger, left: 1_000n * UNIT - fee, jury: await world.jury(claim), ...asked };
  }

  /** Jurors commit and reveal verdicts; `verdictOf` returns that of each. */
  async function judge(claim, jury, verdictOf) {
    const jurors = jury.map(({ juror }) => juror);
    const before = world.chain.eventsNamed('jury.RevealOpened', (data) => data.claim === claim).length;
    const verdicts = await all(jurors, (juror) => juror.commitVerdict(claim, verdictOf(juror)));
    await world.chain.event('jury.RevealOpened', (data) =>
      data.claim === claim && world.chain.eventsNamed('jury.RevealOpened', (other) => other.claim === claim).length > before);
    await all(jurors, (juror, n) => juror.revealVerdict(claim, verdicts[n]));
  }

  /** Verdicts such that neither has two thirds of the seats. */
  function divided(jury) {
    const seats = { True: 0n, False: 0n };
    const verdicts = new Map();
    for (const { juror, seats: count } of jury.toReversed()) {
      const verdict = seats.True <= seats.False ? 'True' : 'False';
      seats[verdict] += count;
      verdicts.set(juror, verdict);
    }
    return (juror) => verdicts.get(juror);
  }

  const concluded = (claim) => world.claimEvent(claim, 'jury.Concluded');

  /** Checks that these jurors have lost a stake for each of their seats. */
  async function lost(id, jury, offence) {
    for (const { juror, seats } of jury) {
      const { offence: found, amount, paid } = await world.loss(id, juror);
      assert.deepEqual([found, amount, paid], [offence, seats * world.rules.claims.validatorStake, 0n], juror.name);
    }
  }

  it('decides by two thirds, and takes the stakes of jurors that lie, are silent or do not reveal', { timeout: 300_000 }, async () => {
    const { id, claim, challenger, left, limit, jury } = await challenged();
    assert.equal(seatsIn(jury), 9n);
    const few = jury.slice(0, 3);
    assert.ok(seatsIn(few) <= 3n, 'so that the others have two thirds of the seats');
    const [liar, silent, mute, ...honest] = jury.map(({ juror }) => juror);
    const other = world.operators.find((operator) =>
      operator.role === 'Validator' && !jury.some(({ juror }) => juror === operator));
    await refuses('NotAppealable', world.chain.send(world.chain.call('jury.appeal', claim, 0), world.funder));
    await refuses('NotAJuror', other.commitVerdict(claim, 'True'));

    const verdicts = await all(honest, (juror) => juror.commitVerdict(claim, 'True'));
    const lie = await liar.commitVerdict(claim, 'False');
    await refuses('AlreadyCommitted', liar.commitVerdict(claim, 'True'));
    await refuses('TooEarly', liar.revealVerdict(claim, lie));
    const copied = (await world.dispute(claim)).first.jurors.find(({ account }) => account === honest[0].address).state.Committed;
    await mute.submit('jury.commitVerdict', claim, 0, copied);

    await world.claimEvent(claim, 'jury.RevealOpened');
    await all(honest, (juror, n) => juror.revealVerdict(claim, verdicts[n]));
    await Promise.all([
      refuses('NotCommitted', silent.revealVerdict(claim, lie)),
      refuses('CommitmentDiffers', mute.revealVerdict(claim, verdicts[0])),
      refuses('CommitmentDiffers', liar.revealVerdict(claim, { ...lie, verdict: 'True' })),
      refuses('AlreadyRevealed', honest[0].revealVerdict(claim, verdicts[0])),
    ]);
    await liar.revealVerdict(claim, lie);

    assert.equal((await world.claimEvent(claim, 'jury.AppealOpened')).verdict, 'True');
    const { decision, appeal } = await concluded(claim);
    assert.deepEqual([decision, appeal], ['True', null]);
    await lost(id, few.slice(0, 1), 'FalseVerdict');
    await lost(id, few.slice(1), 'MissedVerdict');
    world.onlyLosers(id, liar, silent, mute);
    const end = await world.settled(id);
    assert.equal(end.workerPaid + end.burned + end.refunded, limit);

    const now = await world.chain.balance(challenger.address);
    assert.deepEqual([now.held, now.free], [0n, left - stake], 'the challenger has lost its bond');
    const { claim: { terms } } = await world.claim(claim);
    const fee = jurorFee(terms);
    assert.equal((await worker.ledger()).disputes, fee);
    for (const { juror, seats } of jury.slice(3)) assert.equal((await juror.ledger()).disputes, seats * fee, juror.name);
    await world.audit();
  });

  it('lets a claim fall that it cannot decide, and no side gains', { timeout: 300_000 }, async () => {
    const { id, claim, challenger, left, limit, jury: first } = await challenged();
    const before = await worker.bond();
    await judge(claim, first, divided(first));
    await world.claimEvent(claim, 'jury.SecondJuryOpened');
    const second = await world.jury(claim, 'Second');
    assert.ok(seatsIn(second) > seatsIn(first));
    await judge(claim, second, divided(second));
    assert.equal((await concluded(claim)).decision, 'Undecided');
    const end = await world.end(id);
    assert.deepEqual([end.name, end.amount], ['Refunded', limit]);
    assert.deepEqual((await world.claimEvent(claim, 'claims.Ended')).outcome, { Fallen: { Undecided: 0n } });
    const { amount, paid } = await world.loss(id, worker);
    assert.deepEqual([amount, paid], [stake, 0n], 'the stake is burned');
    assert.equal(await worker.bond(), before - stake);
    const now = await world.chain.balance(challenger.address);
    assert.deepEqual([now.held, now.free], [0n, left - stake], 'and so is the bond of the challenger');
    world.onlyLosers(id, worker);
    await worker.resume();
    await world.notice();
    await world.audit();
  });

  it('is upheld by a second one, and the appeal loses its bond', { timeout: 300_000 }, async () => {
    const { id, claim, challenger, left, jury: first } = await challenged();
    await judge(claim, first, () => 'True');
    await world.claimEvent(claim, 'jury.AppealOpened');
    const poor = await world.account(UNIT);
    const appeal = (signer) => world.chain.send(world.chain.call('jury.appeal', claim, 0), signer);
    await refuses('FundsTooLow', appeal(poor));
    const { fee } = await appeal(challenger);
    assert.equal((await world.chain.balance(challenger.address)).held, 2n * stake, 'the stakes of challenge and appeal are on hold');
    await refuses('NotAppealable', appeal(challenger));
    const second = await world.jury(claim, 'Second');
    const gone = first.find(({ juror }) => !second.some((other) => other.juror === juror));
    if (gone) await refuses('NotAJuror', gone.juror.commitVerdict(claim, 'True'));
    await judge(claim, second, () => 'True');
    assert.deepEqual(await concluded(claim), { claim, leaf: 0n, decision: 'True', appeal: 'Lost' });
    await world.settled(id);
    const now = await world.chain.balance(challenger.address);
    assert.equal(now.held, 0n);
    assert.ok(now.free <= left - fee - 2n * stake, 'both are lost');
    world.onlyLosers(id);
    await world.audit();
  });

  it('that lies is overturned on appeal', { timeout: 300_000 }, async () => {
    const { id, claim, challenger, left, jury: first } = await challenged();
    await judge(claim, first, () => 'False');
    assert.equal((await world.claimEvent(claim, 'jury.AppealOpened')).verdict, 'False');
    await world.fund([[worker.address, stake]]);
    const before = await world.chain.balance(worker.address);
    const { fee } = await world.chain.send(world.chain.call('jury.appeal', claim, 0), worker.controller);
    assert.equal((await world.chain.balance(worker.address)).held, before.held + stake);
    const second = await world.jury(claim, 'Second');
    assert.ok(seatsIn(second) > seatsIn(first));
    await judge(claim, second, () => 'True');
    assert.deepEqual(await concluded(claim), { claim, leaf: 0n, decision: 'True', appeal: 'Won' });
    await world.settled(id);
    const now = await world.chain.balance(worker.address);
    assert.deepEqual([now.held, now.free], [before.held, before.free - fee], 'the bond of the appeal comes back');
    const accuser = await world.chain.balance(challenger.address);
    assert.deepEqual([accuser.held, accuser.free], [0n, left - stake]);
    await lost(id, first, 'FalseVerdict');
    world.onlyLosers(id, ...first.map(({ juror }) => juror));
    await world.audit();
  });

  it('leaves records that agree', () => world.close());
});
