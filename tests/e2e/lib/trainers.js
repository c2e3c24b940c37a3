// A programme of training whose trainers and validators are real processes: a small model with random
// weights, shards of a real text, and a home folder for each of them.

import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';

import { plain } from './chain.js';
import { until } from './process.js';
import { worker } from './programs.js';
import { nameOf, Round, Training } from './training.js';
import { UNIT } from './world.js';

export const BOND = 1_000n * UNIT;

/** Characters of the text: many more shards than trainers. */
const TEXT = 200_000;
/** Small enough for steps of some milliseconds. */
const MODEL = [
  '--vocabulary', '320',
  '--layers', '1',
  '--hidden', '32',
  '--heads', '1',
  '--kv-heads', '1',
  '--feed-forward', '64',
  '--context', '64',
];
const SHARDS = ['--sequence-length', '33', '--shard-sequences', '16'];
/** Trainers repeat their few shards often, so they learn them better than the others. */
const TRAINING = { steps: 20, batch: 8, 'learning-rate': 0.003, warmup: 2, horizon: 0, 'save-every': 10 };
/** Phases that last their whole window only where an operator is missing, except registration and objection. */
const RULES = {
  'short-window': 100,
  'training-window': 300,
  'scoring-window': 600,
  validators: 2,
  'evaluation-shards': 2,
  entries: 256,
  'max-overlap': 90,
};

export class Programme extends Training {
  /** A checkpoint with random weights, registered, and a dataset for it. */
  static async make(world) {
    const prose = process.env.NOEMA_PROSE;
    assert.ok(prose && existsSync(prose), `NOEMA_PROSE names no file: ${prose}; run scripts/setup.sh`);
    const text = path.join(world.folder, 'text.txt');
    writeFileSync(text, readFileSync(prose, 'utf8').slice(0, TEXT));

    const programme = new Programme(world);
    await programme.penalise();
    programme.operators = [];
    programme.home = path.join(world.folder, 'home');
    programme.dataset = path.join(world.folder, 'dataset');
    programme.genesis = await programme.command('checkpoint', 'new', '--text', text, ...MODEL);
    await programme.command(
      'dataset', 'prepare', text, '--checkpoint', programme.genesis, '--out', programme.dataset,
      '--licence', 'public domain', ...SHARDS,
    );
    await world.publish(programme.genesis, programme.home);
    programme.family = plain(await world.chain.view('Checkpoints', 'checkpoint', programme.genesis)).family;
    return programme;
  }

  /** Runs `noema-worker` to its end, in the home folder of the model's author. */
  async command(...args) {
    const { status, stdout, stderr } = await worker(this.home, args, { env: { NOEMA_URL: this.world.url } });
    assert.equal(status, 0, `noema-worker ${args.join(' ')} failed (${status}):\n${stdout}${stderr}`);
    return stdout.trim();
  }

  /**
   * Adds operators `[role, name, options]`, each with a process and a home folder that contains the first
   * checkpoint unless they are `bare`. Options are those of `noema-worker run`, such as `{ steps: 300 }`; a
   * trainer with a `behaviour` is dishonest in this way. Validators have the dataset; trainers fetch their
   * shards from them. Resolves when they take part.
   */
  async add(operators, { bare = false } = {}) {
    const options = new Map(operators.map(([role, name, own]) => [
      name,
      { ...(role === 'Validator' && { dataset: this.dataset }), ...TRAINING, ...own },
    ]));
    const runs = (name) => {
      const home = path.join(this.world.folder, name);
      if (!bare) cpSync(path.join(this.home, 'checkpoints'), path.join(home, 'checkpoints'), { recursive: true });
      const own = options.get(name);
      return {
        home,
        args: Object.entries(own).flatMap(([option, value]) => [`--${option}`, `${value}`]),
        ...(own.behaviour && { program: 'noema-dishonest-trainer' }),
      };
    };
    const added = await this.world.add(operators, { bond: BOND, checkpoints: [], runs });
    this.operators.push(...added);
    for (const operator of added) operator.mayLose = Boolean(options.get(operator.name).behaviour);
    await Promise.all(added.map(ready));
    return added;
  }

  /** Starts training from the canonical checkpoint, with `changes` to the rules; returns the first round. */
  async start(changes) {
    const from = (await this.canonical()) ?? this.genesis;
    const rules = Object.entries({ ...RULES, ...changes }).flatMap(([option, value]) => [`--${option}`, `${value}`]);
    await this.command('programme', 'start', from, '--dataset', this.dataset, ...rules);
    const { id, parent } = await this.open();
    return this.numbered(id, parent);
  }

  /** The round with this number. */
  numbered(id, parent) {
    return new RealRound(this, id, parent);
  }

  /** Ends the open round, if there is one, and opens no other. */
  async stop() {
    if (await this.open()) await this.govern('training.stopProgramme', this.family);
  }

  /** The operators that announced to hold a checkpoint. */
  async holders(checkpoint) {
    const announced = plain(await this.chain.view('Checkpoints', 'holders', checkpoint));
    return announced.map(({ holder }) => this.operators.find(({ address }) => address === holder));
  }
}

class RealRound extends Round {
  /** Waits until operators have joined. */
  joined(...operators) {
    return until(
      `${operators.map(({ name }) => name)} join round ${this.id}`,
      async () => {
        const records = await Promise.all(operators.map((operator) => this.record(operator)));
        return records.every(Boolean) ? records : undefined;
      },
      { timeout: 120_000, every: 50 },
    );
  }

  /**
   * Waits until it has ended with the checkpoint that each validator computed by itself, and compares its
   * record with the decisions; the next round starts from that checkpoint. Returns the record of the round.
   */
  async promoted(timeout = 240_000) {
    const outcome = await this.outcome(timeout);
    const state = await this.state();
    const { claim, validators, trainers, parentLoss } = state;
    assert.deepEqual(outcome, { Promoted: claim?.checkpoint }, 'the round ends with the checkpoint that was claimed');
    for (const { claim: own } of validators) assert.deepEqual(own, claim, 'all that compute it find the same');
    assert.ok(claim.loss < parentLoss, `the loss falls: ${parentLoss} -> ${claim.loss}`);

    const { checkpoint } = claim;
    assert.equal(await this.training.canonical(), checkpoint);
    assert.deepEqual((await this.training.lineage(checkpoint)).slice(0, 2), [checkpoint, this.parent]);
    const record = plain(await this.chain.view('Checkpoints', 'checkpoint', checkpoint));
    const accepted = trainers.filter(({ ruling }) => ruling && nameOf(ruling) === 'Accepted');
    const { Trained } = record.provenance;
    assert.deepEqual(
      [record.parent, record.weights.root, Trained.round, Trained.mastersRoot, Trained.contributions, Trained.loss],
      [this.parent, claim.weightsRoot, this.id, claim.mastersRoot, BigInt(accepted.length), claim.loss],
    );
    await this.successor();
    return state;
  }

  /** Fails unless the contributions of these trainers were accepted. */
  async accepts(...trainers) {
    const rulings = await this.rulings();
    for (const { name, address } of trainers) {
      const ruling = rulings.get(address);
      assert.ok(ruling?.Accepted?.weight > 0n, `${name} is accepted, not ${inspect(ruling)}`);
    }
  }
}

/** Waits until an operator's process, just started, takes part. */
export const ready = ({ program }) => program.says(/ ready /, 180_000);

/** The checkpoints in an operator's home folder. */
export const checkpointsOf = ({ home }) =>
  readdirSync(path.join(home, 'checkpoints')).filter((name) => !name.startsWith('.')).map((name) => `0x${name}`);

/** The shards in an operator's home folder. */
export const shardsOf = ({ home }) => {
  const datasets = path.join(home, 'datasets');
  return readdirSync(datasets).flatMap((root) =>
    readdirSync(path.join(datasets, root, 'shards')).filter((name) => !name.startsWith('.')));
};

/** Hashes a checkpoint in an operator's home folder and compares it with its id. */
export async function verify({ home }, checkpoint) {
  const { status, stderr } = await worker(home, ['checkpoint', 'verify', checkpoint]);
  assert.equal(status, 0, stderr);
}

/** The file from which a killed trainer continues. */
export const stateFile = ({ home }) => {
  const found = existsSync(path.join(home, 'rounds'))
    ? readdirSync(path.join(home, 'rounds'), { recursive: true }).find((file) => path.basename(file) === 'trainer.state')
    : undefined;
  return found && path.join(home, 'rounds', found);
};

/** Whether an operator has earned any subsidy for training. */
export async function hasEarned({ world, address }) {
  const { total, running } = plain(await world.chain.view('Issuance', 'pending_reward', address));
  return total > 0n || running.training > 0n;
}
