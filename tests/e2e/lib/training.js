// A programme of training whose trainers and validators the test simulates, with invented scores and
// checkpoints, to test the chain's reactions.

import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { u8aToHex } from '@polkadot/util';

import { plain } from './chain.js';
import { until } from './process.js';
import { contributionCommitment, randomHash, scoreCommitment, utf8 } from './protocol.js';
import { WHOLE } from './rules.js';
import { UNIT } from './world.js';

/**
 * Windows in blocks: long enough for the calls of a busy machine. Registration and objection always last their whole
 * window, each other phase only where an operator is silent.
 */
const RULES = {
  windows: {
    registration: 15,
    // In one of the tests another program starts meanwhile.
    training: 75,
    reveal: 25,
    scoring: 25,
    scoreReveal: 25,
    claim: 25,
    objection: 12,
    holding: 25,
  },
  minContributions: 2,
  validators: 2,
  shardsPerTrainer: 2,
  evaluationShards: 3,
  maxUpdateBytes: 1_000,
  entriesPerChunk: 64,
  maxOverlap: 500_000, // millionths
  minHolders: 2,
};

/** The same with windows in which a node can be restarted. */
export const PATIENT = {
  ...RULES,
  windows: Object.fromEntries(Object.entries(RULES.windows).map(([phase, blocks]) => [
    phase,
    ['registration', 'objection'].includes(phase) ? blocks : 10 * blocks,
  ])),
};

const DATASET = { root: `0x${'44'.repeat(32)}`, manifest: `0x${'55'.repeat(32)}`, shards: 20, shardTokens: 1_000 };

const ARCHITECTURE = {
  layers: 2,
  hidden: 64,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  feedForward: 128,
  vocabulary: 512,
  contextLength: 128,
  normEpsilonQ32: 42_950,
  tiedHead: true,
  variant: [],
};

/** The token bounds. */
const TOKENS = { tokensPerByte: 1, templateTokens: 8 };

/** Slashes of a round: shares in millionths. */
const SLASHES = { falsehood: 62_500n, silence: 10_000n, silenceCap: 10n * UNIT };

/** The parent's loss on the evaluation shards. */
export const PARENT_LOSS = 1_000_000n;
/** The loss of every checkpoint that a test claims. */
export const CHILD_LOSS = 930_000n;

/** An update that lowers the loss on its own shards, and a little less elsewhere. */
export const HELPS = { Scored: { assigned: { before: 1_000_000n, after: 900_000n }, evaluation: 950_000n } };
/** An update that raises it. */
export const HARMS = { Scored: { assigned: { before: 1_000_000n, after: 1_900_000n }, evaluation: 1_950_000n } };

/** The name of a variant, with or without fields. */
export const nameOf = (variant) => (typeof variant === 'string' ? variant : Object.keys(variant)[0]);

export class Training {
  /** Registers a family with a canonical checkpoint and starts to train it. */
  static async start(world, name, rules = RULES) {
    const training = new Training(world, rules);
    const { chain, funder } = world;
    await training.penalise();
    training.genesis = randomHash();
    const registered = await chain.send(
      chain.call('checkpoints.registerFamily', u8aToHex(utf8(name)), ARCHITECTURE, randomHash(), 1, 1),
      funder,
    );
    training.family = registered.event('checkpoints.FamilyRegistered').data.family;
    await chain.send(
      chain.call(
        'checkpoints.registerCheckpoint',
        training.genesis, training.family, null, { root: randomHash(), bytes: 1_000_000 }, TOKENS, u8aToHex(utf8('CC0-1.0')), randomHash(),
      ),
      funder,
    );
    await training.govern('checkpoints.setCanonical', training.family, training.genesis);
    await training.govern(
      'training.startProgramme',
      training.family, DATASET, u8aToHex(utf8('CC0-1.0')), u8aToHex(utf8('made up')), rules,
    );
    return training;
  }

  constructor(world, rules) {
    this.world = world;
    this.chain = world.chain;
    this.rules = rules;
  }

  /** A call by governance. */
  govern(...call) {
    return this.world.govern(...call);
  }

  /** Sets the slashes of rounds to known values. */
  penalise() {
    return this.world.setParameters({ ProtocolRoundSlashes: SLASHES });
  }

  async canonical() {
    return plain(await this.chain.view('Checkpoints', 'canonical', this.family));
  }

  async lineage(checkpoint) {
    return plain(await this.chain.view('Checkpoints', 'lineage', checkpoint));
  }

  async open() {
    return plain(await this.chain.view('Training', 'open_round', this.family));
  }

  /** A round that can still be joined; the next one if the registration is about to end. */
  async next() {
    return until(
      'a round that can be joined',
      async () => {
        const round = await this.open();
        const last = Number(round?.phase.Registering?.until ?? 0);
        // Two thirds of the time to join are left.
        return 3 * (last - this.chain.block) >= 2 * this.rules.windows.registration ? round : undefined;
      },
      { timeout: 120_000, every: 50 },
    );
  }

  /** A round with these trainers and validators, whose shards have been drawn. */
  async round(trainers, validators) {
    await this.refresh([...trainers, ...validators]);
    const { id, parent } = await this.next();
    const round = new Round(this, id, parent);
    await Promise.all([
      ...trainers.map((trainer) => round.step(trainer, 'joinRound', 'Trainer')),
      ...validators.map((validator) => round.step(validator, 'joinRound', 'Validator')),
    ]);
    await round.reach('Training');
    return round;
  }

  /** The slash for silence: a hundredth of the bond, up to the cap. */
  silence(bond) {
    const part = (bond * SLASHES.silence) / WHOLE;
    return part < SLASHES.silenceCap ? part : SLASHES.silenceCap;
  }

  /** The slash for a false statement: the whole lock of the round. */
  falsehood(bond) {
    return (bond * SLASHES.falsehood + WHOLE - 1n) / WHOLE;
  }

  /** Resumes the operators that lost bond, and waits until they can join again. */
  async refresh(operators) {
    const records = await Promise.all(operators.map((operator) => operator.recorded()));
    const absent = operators.filter((_, i) => records[i].idle === 'Absent');
    await Promise.all(absent.map((operator) => operator.resume()));
    if (records.some(({ idle }) => idle !== null)) await this.world.notice();
  }
}

export class Round {
  constructor(training, id, parent) {
    Object.assign(this, { training, id, parent, chain: training.chain });
    this.secrets = new Map();
    this.child = { checkpoint: randomHash(), weightsRoot: randomHash(), mastersRoot: randomHash(), loss: CHILD_LOSS };
  }

  /** Its record on chain. */
  async state() {
    return plain(await this.chain.view('Training', 'round', this.id));
  }

  async record(operator) {
    const { trainers, validators } = await this.state();
    return [...trainers, ...validators].find(({ account }) => account === operator.address);
  }

  /** A duty under a hot key. */
  step(operator, call, ...args) {
    return operator.submit(`training.${call}`, this.id, ...args);
  }

  /** A call that the chain refuses with `name`. */
  refuses(name, operator, call, ...args) {
    return assert.rejects(operator.submit(`training.${call}`, this.id, ...args), { name: `training.${name}` });
  }

  /** Waits for a phase. */
  reach(phase, timeout = 120_000) {
    let now;
    return until(
      `${phase} in round ${this.id}`,
      async () => {
        const state = await this.state();
        now = state && nameOf(state.phase);
        if (now === phase) return state;
        assert.ok(now !== 'Closed', `round ${this.id} ended before ${phase}: ${inspect(state?.phase, { depth: 3 })}`);
        return undefined;
      },
      { timeout, every: 50 },
    );
  }

  /** How it ended. */
  async outcome(timeout = 120_000) {
    const { data } = await this.chain.event('training.RoundClosed', ({ round }) => round === this.id, timeout);
    return data.outcome;
  }

  /** Waits until it has ended with a new checkpoint. */
  async promoted() {
    assert.deepEqual(await this.outcome(), { Promoted: this.child.checkpoint });
    assert.equal(await this.training.canonical(), this.child.checkpoint);
  }

  /** Waits until it has ended for this reason, with the parent still canonical. */
  async rejected(reason) {
    assert.deepEqual(await this.outcome(), { Rejected: reason });
    assert.equal(await this.training.canonical(), this.parent);
  }

  /** Waits for the next round, which starts from the canonical checkpoint. */
  async successor() {
    const { data } = await this.chain.event(
      'training.RoundOpened',
      ({ round, family }) => round > this.id && family === this.training.family,
    );
    assert.equal(data.parent, await this.training.canonical());
    return data.round;
  }

  /** A trainer's contribution; the same at every call. */
  secret(trainer) {
    if (!this.secrets.has(trainer)) {
      this.secrets.set(trainer, { contribution: { update: randomHash(), bytes: 100 }, salt: randomHash() });
    }
    return this.secrets.get(trainer);
  }

  commitment(trainer, { contribution, salt } = this.secret(trainer)) {
    return contributionCommitment(this.id, trainer.controller.publicKey, contribution, salt);
  }

  async commit(...trainers) {
    await this.each(trainers, ({ commitment }) => commitment, (trainer) =>
      this.step(trainer, 'commitContribution', this.commitment(trainer)));
  }

  async reveal(...trainers) {
    await this.each(trainers, ({ contribution }) => contribution, (trainer) => {
      const { contribution, salt } = this.secret(trainer);
      return this.step(trainer, 'revealContribution', contribution, salt);
    });
  }

  /** Does `act` for each operator that has not `done` it: calls that a killed node lost are repeated. */
  async each(operators, done, act) {
    const records = await Promise.all(operators.map((operator) => this.record(operator)));
    await Promise.all(operators.map((operator, i) => (done(records[i]) ? undefined : act(operator))));
  }

  /** Has trainers commit and reveal, up to the draw of the validators that score. */
  async contribute(...trainers) {
    await this.commit(...trainers);
    await this.reach('Revealing');
    await this.reveal(...trainers);
    return this.reach('Scoring');
  }

  /** The trainers that revealed, in the order of their commitments. */
  async contributors() {
    const { trainers } = await this.state();
    return trainers
      .filter(({ contribution }) => contribution)
      .sort((a, b) => Number(a.commitment[1] - b.commitment[1]))
      .map(({ account }) => account);
  }

  /** A sheet with the findings of some trainers; every other contribution helps. */
  async sheet(findings = []) {
    const by = new Map(findings.map(([{ address }, finding]) => [address, finding]));
    const order = await this.contributors();
    return { parent: PARENT_LOSS, findings: order.map((address) => by.get(address) ?? HELPS) };
  }

  /** Of `operators`, the validators that are heard on the contributions, and the others. */
  async drawn(operators) {
    const { validators } = await this.state();
    const seat = ({ address }) => validators.find(({ account }) => account === address)?.seat;
    return [
      operators.filter((operator) => seat(operator) === 'Scores'),
      operators.filter((operator) => seat(operator) === 'Unheard'),
    ];
  }

  /** Commits and reveals sheets `[validator, sheet]`, until the end of scoring. */
  async score(sheets) {
    const salts = sheets.map(() => randomHash());
    await Promise.all(sheets.map(([validator, sheet], i) =>
      this.step(validator, 'commitScores', scoreCommitment(this.id, validator.controller.publicKey, sheet, salts[i]))));
    await this.reach('ScoreRevealing');
    await Promise.all(sheets.map(([validator, sheet], i) => this.step(validator, 'revealScores', sheet, salts[i])));
  }

  async claim(validators, claim = this.child) {
    await Promise.all(validators.map((validator) => this.step(validator, 'claimCheckpoint', claim)));
  }

  /** Operators announce that they hold the checkpoint. */
  async hold(...operators) {
    await Promise.all(operators.map((operator) =>
      operator.submit('checkpoints.announceHolding', this.child.checkpoint, randomHash())));
  }

  /** From the scores on, all validators agree, and `holders` hold the checkpoint. */
  async agree(validators, holders, findings) {
    const [drawn] = await this.drawn(validators);
    const sheet = await this.sheet(findings);
    await this.score(drawn.map((validator) => [validator, sheet]));
    await this.reach('Claiming');
    await this.claim(drawn);
    await this.reach('Holding');
    await this.hold(...holders);
  }

  /** Checks an operator's loss in this round: the event, the ledger, and its bond, which was `before`. */
  async slashed(operator, offence, amount, before) {
    const { data } = await this.chain.event(
      'operators.Slashed',
      ({ job, controller }) => job.Round === this.id && controller === operator.address,
    );
    assert.equal(data.offence, offence);
    assert.equal(data.paid + data.burned, amount);
    assert.equal(await operator.bond(), before - amount);
    assert.ok((await operator.ledger()).slashed >= amount);
  }

  /** The operators that lost bond over this round. */
  losers() {
    return this.chain
      .eventsNamed('operators.Slashed', ({ job }) => job.Round === this.id)
      .map(({ data }) => data.controller)
      .sort();
  }

  /** The ruling on each contribution. */
  async rulings() {
    const { trainers } = await this.state();
    return new Map(trainers.map(({ account, ruling }) => [account, ruling]));
  }
}
