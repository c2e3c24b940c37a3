// Operators with their keys: real processes, or simulated by the test, which signs with the hot key.

import path from 'node:path';
import { hexToU8a, u8aToHex } from '@polkadot/util';

import { receiptOf } from './answer.js';
import { key, plain } from './chain.js';
import { Program } from './process.js';
import { binary } from './programs.js';
import {
  checkCommitment, merklePath, positionOf, possessionPayload, randomHash, utf8, verdictCommitment,
} from './protocol.js';

/** The signature with which a hot key proves that it submits for a controller. */
export const possession = ({ api }, controller, hot) => ({
  Sr25519: hot.sign(hexToU8a(possessionPayload(api.genesisHash.toHex(), controller.publicKey))),
});

export class Operator {
  constructor(world, name, role, prices, { home, args, fake, program: file = 'noema-worker' }) {
    Object.assign(this, { world, name, role, prices, home, args, file });
    /** Whether it may lose bond: true of an operator that the test simulates, or whose process it kills. */
    this.mayLose = fake;
    this.controller = key(`//${name}`);
    this.hot = key(`//${name}//hot`);
  }

  get address() {
    return this.controller.address;
  }

  get chain() {
    return this.world.chain;
  }

  /** The signature with which its hot key proves that it submits for the controller. */
  get possession() {
    return possession(this.chain, this.controller, this.hot);
  }

  // --- registration ----------------------------------------------------------------------------------

  /** Registers it on chain with `bond`. */
  async register(bond, checkpoints) {
    const roles = {
      worker: this.role === 'Worker',
      validator: this.role === 'Validator',
      trainer: this.role === 'Trainer',
    };
    await this.chain.send(
      this.chain.call('utility.batchAll', [
        this.chain.call('operators.register', roles, this.hot.address, this.possession, this.prices, bond),
        ...checkpoints.map((id) => this.chain.call('operators.serve', id)),
      ]),
      this.controller,
    );
  }

  /** Retires the operator: it is no longer drawn once this resolves. */
  async retire() {
    if (this.retired) return;
    this.retired = true;
    await this.chain.send(this.chain.call('operators.startUnbonding'), this.controller);
  }

  // --- process ---------------------------------------------------------------------------------------

  /**
   * Starts its process, which runs the operators in `beside`, too. It claims rewards only with `claims`, since they
   * change balances.
   */
  start({ claims = false, beside = [] } = {}) {
    const keys = beside.flatMap(({ name }) => ['--key', `//${name}//hot`]);
    this.program = this.#run(this.name, [...keys, ...(claims ? [] : ['--no-claim'])]);
    for (const operator of beside) operator.program = this.program;
  }

  /** Starts another process with the same hot key, on a store of its own. */
  startTwin() {
    return this.#run(`${this.name}-twin`, ['--no-claim', '--listen', 'off']);
  }

  #run(name, args) {
    const { world } = this;
    const program = new Program(
      name,
      binary(this.file),
      [
        'run',
        '--url', world.url,
        '--key', `//${this.name}//hot`,
        '--store', path.join(world.folder, `${name}.redb`),
        ...this.args,
        ...args,
      ],
      { env: { NOEMA_HOME: this.home }, log: path.join(world.folder, `${name}.log`) },
    );
    world.programs.add(program);
    return program;
  }

  /** `kill -9` of its process. */
  async kill() {
    this.world.programs.delete(this.program);
    await this.program.kill();
  }

  /** Asks its process to stop and waits. */
  async stop() {
    this.world.programs.delete(this.program);
    await this.program.stop();
  }

  // --- records ---------------------------------------------------------------------------------------

  async recorded() {
    return plain(await this.chain.view('Operators', 'operator', this.address));
  }

  async bond() {
    return (await this.recorded()).operator.bond;
  }

  /** Its earnings and losses. */
  async ledger() {
    return plain(await this.chain.view('Operators', 'earnings', this.address));
  }

  /** Its balance, and the credit that it has not withdrawn. */
  async wealth() {
    const { total } = await this.chain.balance(this.address);
    return total + (await this.ledger()).payable;
  }

  // --- duties ----------------------------------------------------------------------------------------

  /** Performs a duty under the hot key. */
  submit(...call) {
    return this.chain.perform(this.chain.call(...call), this.hot);
  }

  /** Ends its absence. The duty is signed over a final block, and the absence must have begun by then. */
  async resume() {
    await this.chain.untilFinal();
    await this.submit('operators.resume');
  }

  /** Answers request `id`; `changes` are to the receipt. */
  async answer(id, answer, changes) {
    const receipt = receiptOf(id, await this.world.state(id), answer, changes);
    return this.submit('inference.submitAnswer', id, answer.tokens, u8aToHex(utf8(answer.text)), receipt);
  }

  /** Commits to the hash of a hidden state of the leaf of a claim; returns the values to reveal. */
  async commitCheck(claim, { hidden = randomHash(), salt = randomHash() } = {}) {
    await this.submit('claims.commitCheck', claim, 0, checkCommitment(claim, 0, this.controller.publicKey, hidden, salt));
    return { hidden, salt };
  }

  /** Commits to the hidden state of `answer` at the position that was drawn for it. */
  async confirm(claim, { hidden }) {
    const { seats } = (await this.world.claim(claim)).claim;
    const { point } = seats.find(({ validator }) => validator === this.address);
    return this.commitCheck(claim, { hidden: hidden[positionOf(point, hidden.length)] });
  }

  /**
   * Reveals its commitment, with the path to the root in the receipt of `answer`; for an answer with unknown
   * hidden states, with invented siblings.
   */
  async revealCheck(claim, { hidden, salt }, answer) {
    const { job } = await this.world.claim(claim);
    const receipt = receiptOf(job.Request, await this.world.state(job.Request), answer);
    const position = answer.hidden?.indexOf(hidden) ?? -1;
    const siblings = position < 0 ? [randomHash()] : merklePath(answer.hidden, position);
    return this.submit('claims.revealCheck', claim, 0, receipt, [], { hidden, siblings }, salt);
  }

  /** Challenges the leaf of a claim that it was drawn for. */
  challenge(claim) {
    return this.submit('claims.challenge', claim, 0);
  }

  /** Commits to a verdict about the leaf of a claim; returns the values to reveal. */
  async commitVerdict(claim, verdict, salt = randomHash()) {
    await this.submit('jury.commitVerdict', claim, 0, verdictCommitment(claim, 0, this.controller.publicKey, verdict, salt));
    return { verdict, salt };
  }

  /** Reveals it. */
  revealVerdict(claim, { verdict, salt }) {
    return this.submit('jury.revealVerdict', claim, 0, verdict, salt);
  }
}
