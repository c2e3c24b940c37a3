// The environment of a suite, with real parts: a node with its own chain, workers, validators, accounts.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { u8aToHex } from '@polkadot/util';

import { Chain, key, plain, text } from './chain.js';
import { Operator } from './operator.js';
import { Program, freePort, runProgram, until } from './process.js';
import { binary, importModel, importVariant, worker } from './programs.js';
import { utf8 } from './protocol.js';
import { readRules, setParameters, setRules, unhurried, withChanges } from './rules.js';

export const UNIT = 10n ** 12n;
/** The default finality lag, in blocks; `lagging.js` sets it. */
const FINALITY_LAG = Number(process.env.NOEMA_E2E_FINALITY_LAG ?? 0);
/** The part of a suite's title that states the lag. */
export const FINALITY = FINALITY_LAG ? `, where blocks are final ${FINALITY_LAG} blocks later` : '';
/** The default time between blocks, in milliseconds. */
const BLOCK_TIME = FINALITY_LAG ? 300 : 500;

/** Events of the pallets whose first field names a request or a claim. */
const OF_REQUEST = /^inference\./;
const OF_CLAIM = /^(claims|jury)\./;

export class World {
  /**
   * A new chain with a registered checkpoint, or without any if `publishes` is false; operators are added
   * with {@link World#add}. Blocks are made every `blockTime` milliseconds, or for transactions only if that
   * is null, and finalized `finalityLag` blocks later. `rules` are changes to the rules of the chain, see
   * {@link World#setRules}.
   */
  static async start(
    name,
    {
      blockTime = BLOCK_TIME,
      finalityLag = FINALITY_LAG,
      publishes = true,
      windows = unhurried(blockTime ?? BLOCK_TIME),
      rules,
    } = {},
  ) {
    const base = process.env.NOEMA_E2E_DIR ?? mkdtempSync(path.join(tmpdir(), 'noema-e2e-'));
    const world = new World();
    world.folder = path.join(base, FINALITY_LAG ? `${name}-lag` : name);
    world.home = path.join(world.folder, 'operators');
    world.programs = new Set();
    world.operators = [];
    world.accounts = 0;
    Object.assign(world, { blockTime, finalityLag, changes: publishes || rules ? [windows, rules] : [] });
    world.shareCheckpoints(process.env.NOEMA_E2E_HOME ?? path.join(base, 'home'));
    try {
      if (publishes) world.checkpoint = process.env.NOEMA_E2E_CHECKPOINT ?? (await importModel(world.home));
      await world.startNode();
      await world.connect();
      world.funder = key('//Alice');
      await world.found();
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  /**
   * Makes the home folder of the operators, with the checkpoints of the folder that all worlds share. Other
   * content is separate: a worker shares files from a folder that no other process shares from.
   */
  shareCheckpoints(shared) {
    const checkpoints = path.join(shared, 'checkpoints');
    mkdirSync(checkpoints, { recursive: true });
    mkdirSync(this.home, { recursive: true });
    symlinkSync(checkpoints, path.join(this.home, 'checkpoints'));
  }

  /** Connects to the node. Where finality lags, the tests follow the best blocks. */
  async connect() {
    this.chain = await Chain.connect(this.port, { best: FINALITY_LAG > 0 });
  }

  /** Sets up a new chain. */
  async found() {
    this.rules = await readRules(this.chain);
    this.usual = this.changes.reduce((rules, changes) => withChanges(rules, changes), this.rules);
    if (this.changes.length) await this.setRules();
    if (this.checkpoint) await this.publish(this.checkpoint);
  }

  get url() {
    return `ws://127.0.0.1:${this.port}`;
  }

  // --- programs ------------------------------------------------------------------------------------

  async startNode() {
    this.port ??= await freePort();
    this.node = new Program(
      'node',
      binary('noema-node'),
      [
        '--dev',
        '--base-path', path.join(this.folder, 'chain'),
        '--rpc-port', String(this.port),
        ...(this.blockTime === null ? ['--instant-seal'] : ['--block-time', String(this.blockTime)]),
        '--finality-lag', String(this.finalityLag),
      ],
      { log: path.join(this.folder, 'node.log') },
    );
    this.programs.add(this.node);
    await until(
      'the node answers',
      async () => {
        this.node.assertAlive();
        const answer = await fetch(`http://127.0.0.1:${this.port}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ id: 1, jsonrpc: '2.0', method: 'system_health', params: [] }),
        }).catch(() => undefined);
        return answer?.ok ? true : undefined;
      },
      // It compiles the runtime first.
      { timeout: 300_000 },
    );
  }

  /** `kill -9` of the node. */
  async killNode() {
    this.programs.delete(this.node);
    await this.node.kill();
  }

  /** Requests a stop of the node and waits; returns its exit status. */
  async stopNode() {
    this.programs.delete(this.node);
    return this.node.stop();
  }

  /** `kill -9` of the node, and a restart on the same chain and port. */
  async restartNode() {
    await this.killNode();
    await this.startNode();
    await this.chain.reconnect();
  }

  /** Stops all programs, deletes the chain, and starts another from the same genesis block on the same port. */
  async purge() {
    await this.stop();
    this.programs.clear();
    this.operators = [];
    rmSync(path.join(this.folder, 'chain'), { recursive: true });
    await this.startNode();
    await this.connect();
    await this.found();
  }

  async stop() {
    await this.chain?.disconnect().catch(() => {});
    await Promise.all([...this.programs].filter((program) => program !== this.node).map((program) => program.stop()));
    await this.node?.stop();
  }

  /** Throws if a program that should run has ended. */
  assertAlive() {
    for (const program of this.programs) program.assertAlive();
  }

  // --- governance ----------------------------------------------------------------------------------

  /** A call by governance. */
  govern(...call) {
    return this.chain.send(this.chain.call('sudo.sudo', this.chain.call(...call)), this.funder);
  }

  /** Sets parameters of the chain. */
  setParameters(values) {
    return this.chain.send(this.chain.call('sudo.sudo', setParameters(this.chain, values)), this.funder);
  }

  /** Sets the rules of later requests: those of the suite, with `changes`. */
  async setRules(changes) {
    this.isChanged = Boolean(changes);
    this.rules = withChanges(this.usual, changes);
    await this.chain.send(this.chain.call('sudo.sudo', setRules(this.chain, this.rules)), this.funder);
  }

  /** Restores the rules of the suite. */
  async restoreRules() {
    if (this.isChanged) await this.setRules();
  }

  /** Registers a checkpoint in a home folder, and its family where that is new. */
  async publish(id, home = this.home) {
    const { status, stdout, stderr } = await worker(
      home,
      ['register', 'checkpoint', id, '--url', this.url, '--account', '//Alice'],
    );
    assert.equal(status, 0, `noema-worker register checkpoint failed (${status}):\n${stdout}${stderr}`);
  }

  /** Withdraws a checkpoint. */
  withdraw(id) {
    return this.chain.send(this.chain.call('checkpoints.withdrawCheckpoint', id), this.funder);
  }

  /** Replaces the runtime by the one in the file that NOEMA_NEXT_RUNTIME names. */
  async upgrade() {
    const file = process.env.NOEMA_NEXT_RUNTIME;
    assert.ok(file && existsSync(file), `NOEMA_NEXT_RUNTIME names no file: ${file}; run scripts/build-runtime.sh next-version`);
    const { chain } = this;
    const version = chain.api.runtimeVersion.specVersion.toNumber();
    const setCode = chain.call('system.setCode', u8aToHex(readFileSync(file)));
    await chain.send(chain.call('sudo.sudoUncheckedWeight', setCode, { refTime: 0, proofSize: 0 }), this.funder);
    await chain.event('parachainSystem.ValidationFunctionApplied');
    await until('polkadot.js has the new metadata', () =>
      chain.api.runtimeVersion.specVersion.toNumber() > version ? true : undefined,
    );
  }

  /** Imports another checkpoint: the model with other `metadata`, see `importVariant`. */
  importVariant(metadata) {
    return importVariant(this.home, this.folder, metadata);
  }

  // --- accounts ------------------------------------------------------------------------------------

  /** Gives accounts funds. */
  async fund(amounts) {
    const transfers = amounts.map(([address, amount]) =>
      this.chain.call('balances.transferKeepAlive', address, amount),
    );
    await this.chain.send(this.chain.call('utility.batchAll', transfers), this.funder);
  }

  /** A new account with `amount`. */
  async account(amount = 1_000n * UNIT) {
    this.accounts += 1;
    const account = key(`//Account${this.accounts}`);
    if (amount > 0n) await this.fund([[account.address, amount]]);
    return account;
  }

  // --- operators -----------------------------------------------------------------------------------

  /**
   * Adds operators `[role, name]` as real processes, or with `fake` simulated by the test. They can be drawn
   * once this resolves. `runs` returns, for a name, the home folder and the further arguments of its process,
   * and its program if that is not `noema-worker`; with `together`, one process runs all of them.
   */
  async add(
    operators,
    {
      // Above the least bond, so that an operator that loses a part of it is not suspended.
      bond = 2n * this.leastBond,
      prices = this.prices(),
      fake = false,
      together = false,
      checkpoints = [this.checkpoint],
      waits = checkpoints.length > 0,
      // The model was just imported; hashing it again for every process is redundant.
      runs = () => ({ home: this.home, args: ['--trust-weights'] }),
    } = {},
  ) {
    const added = operators.map(([role, name]) => new Operator(this, name, role, prices, { ...runs(name), fake }));
    this.operators.push(...added);
    await this.fund(added.map((operator) => [operator.address, bond + 100n * UNIT]));
    await Promise.all(added.map((operator) => operator.register(bond, checkpoints)));
    // A process ends where the final state has no operator with its key.
    if (!fake) await this.chain.untilFinal();
    if (together) added[0].start({ beside: added.slice(1) });
    else if (!fake) for (const operator of added) operator.start();
    if (waits) await this.notice();
    return added;
  }

  get leastBond() {
    return this.chain.api.consts.operators.minBond.toBigInt();
  }

  /** The operator with this controller. */
  operator(address) {
    return this.operators.find((operator) => operator.address === address);
  }

  /** Waits until present changes take effect, in the term after next. */
  async notice() {
    const term = async () => plain(await this.chain.view('Operators', 'present_term')).index;
    const from = (await term()) + 2n;
    await until(`term ${from}`, async () => ((await term()) >= from ? true : undefined), { every: 100 });
  }

  /** The prices of a worker, such that the stake for an answer is a small part of its bond. */
  prices(factor = 1n) {
    return { perPromptByte: (factor * UNIT) / 10_000n, perAnswerToken: (factor * UNIT) / 100n };
  }

  // --- requests ------------------------------------------------------------------------------------

  parameters({ maxTokens = 8, temperature = 0, topK = 0, topP = 1 } = {}) {
    return {
      maxTokens,
      temperatureMilli: Math.round(temperature * 1000),
      topK,
      topPMilli: Math.round(topP * 1000),
    };
  }

  /** The price of each worker, cheapest first, and of storage. */
  async quote(prompt, { checkpoint = this.checkpoint, ...options } = {}) {
    return plain(await this.chain.view('Inference', 'quote', checkpoint, utf8(prompt).length, this.parameters(options)));
  }

  /** The call that makes a request. */
  request(prompt, limit, { checkpoint = this.checkpoint, ...options } = {}) {
    return this.chain.call('inference.requestInference', checkpoint, u8aToHex(utf8(prompt)), this.parameters(options), limit);
  }

  /** Makes a request; returns its id, its price limit, and the costs of transaction and storage. */
  async ask(prompt, { signer, limit, ...options } = {}) {
    limit ??= (await this.quote(prompt, options)).offers.at(-1).total;
    const requester = signer ?? (await this.account(limit + 10n * UNIT));
    const sent = await this.chain.send(this.request(prompt, limit, options), requester);
    const { request: id, storageBurned: storage } = sent.event('inference.Requested').data;
    return { id, limit, requester, fee: sent.fee, storage, block: sent.block };
  }

  /** Waits for an event of a request. */
  event(id, name, test = () => true, timeout = 120_000) {
    return this.chain.event(`inference.${name}`, (data) => data.request === id && test(data), timeout);
  }

  /** Waits for an event of a claim, such as `claims.CheckDrawn` or `jury.JuryDrawn`; returns its data. */
  async claimEvent(claim, name, test = () => true, timeout = 120_000) {
    return (await this.chain.event(name, (data) => data.claim === claim && test(data), timeout)).data;
  }

  /** Waits for the answer to a request; returns the number of its claim. */
  async claimOf(id) {
    return (await this.event(id, 'Answered')).data.claim;
  }

  /** Waits until a request is over; returns the name of its last event with its data. */
  end(id, timeout = 240_000) {
    return until(
      `the end of request ${id}`,
      () => {
        const isEnd = ({ name, data }) =>
          ['inference.Settled', 'inference.Refunded'].includes(name) && data.request === id;
        const last = this.chain.events.find(isEnd);
        return last && { name: last.name.split('.')[1], ...last.data };
      },
      { timeout, every: 100 },
    );
  }

  /** Waits until a request is over, and fails unless it is settled; returns its last event's data. */
  async settled(id, timeout) {
    const end = await this.end(id, timeout);
    assert.equal(end.name, 'Settled', `request ${id}: ${this.story(id).join(', ')}`);
    return end;
  }

  /** The claim of a request with an answer. */
  #claimed(id) {
    return this.chain.events.find(({ name, data }) => name === 'inference.Answered' && data.request === id)?.data.claim;
  }

  /** The names of the events of a request and its claim so far, in order, each once. */
  story(id) {
    const claim = this.#claimed(id);
    const names = this.chain.events
      .filter(({ name, data }) =>
        (OF_REQUEST.test(name) && data.request === id) ||
        (claim !== undefined && OF_CLAIM.test(name) && data.claim === claim) ||
        (name === 'claims.ClaimMade' && data.job.Request === id))
      .map(({ name }) => name);
    return [...new Set(names)];
  }

  /** The record of a request. */
  async state(id) {
    return plain(await this.chain.view('Inference', 'request_state', id));
  }

  /** The record of a claim. */
  async claim(id) {
    return plain(await this.chain.view('Claims', 'claim_info', id));
  }

  /**
   * Waits for a jury over a leaf of a claim; returns its jurors with their numbers of seats, those with the
   * fewest first.
   */
  async jury(claim, instance = 'First') {
    const { jurors } = await this.claimEvent(claim, 'jury.JuryDrawn', (data) => data.instance === instance);
    return jurors
      .map(([address, seats]) => ({ juror: this.operator(address), seats }))
      .sort((one, other) => Number(one.seats - other.seats));
  }

  /** The record of the open dispute over the leaf of a claim. */
  async dispute(claim) {
    return plain(await this.chain.view('Jury', 'dispute', claim, 0));
  }

  /** The answer as a requester reads it, with the facts of its receipt. */
  async answer(id) {
    const answer = plain(await this.chain.api.query.inference.answers(id));
    if (!answer) return null;
    const { receipt } = await this.state(id);
    return {
      tokens: answer.tokens.map(Number),
      text: text(answer.text),
      promptTokens: Number(receipt.promptTokens),
      hiddenRoot: receipt.hiddenRoot,
      receipt,
    };
  }

  // --- losses --------------------------------------------------------------------------------------

  /** Whether an operator was slashed over a request: for its answer, a check of it, or a dispute. */
  #isOver(id, { Request, Check, Dispute }) {
    const claim = this.#claimed(id);
    return Request === id || (claim !== undefined && [Check, Dispute].some((leaf) => leaf?.[0] === claim));
  }

  /** The operators' losses over a request so far. */
  losses(id) {
    return this.chain
      .eventsNamed('operators.Slashed', ({ job }) => this.#isOver(id, job))
      .map(({ data }) => ({ ...data, amount: data.paid + data.burned }));
  }

  /** Waits until an operator has lost bond over a request; returns reason and amount. */
  loss(id, { address }, timeout = 120_000) {
    return until(
      `${this.operator(address).name} loses bond over request ${id}`,
      () => this.losses(id).find(({ controller }) => controller === address),
      { timeout, every: 100 },
    );
  }

  /** Fails unless exactly these operators lost bond over a request. */
  onlyLosers(id, ...operators) {
    const names = (addresses) => addresses.map((address) => this.operator(address)?.name ?? address).sort();
    assert.deepEqual(
      names(this.losses(id).map(({ controller }) => controller)),
      names(operators.map(({ address }) => address)),
      'who loses bond',
    );
  }

  /** Fails where an honest operator has lost bond. */
  assertHonestKeepTheirs() {
    for (const { data } of this.chain.eventsNamed('operators.Slashed')) {
      const operator = this.operator(data.controller);
      assert.ok(operator?.mayLose, `${operator?.name ?? data.controller} lost bond: ${data.offence} in ${JSON.stringify(data.job, String)}`);
    }
  }

  // --- books ---------------------------------------------------------------------------------------

  /** Checks that balances add up, the pallets' records are sound, and every program still runs. */
  async audit() {
    this.assertAlive();
    await this.chain.audit();
  }

  /** The last test of every world: the records agree, and no honest operator has lost bond. */
  async close() {
    await this.audit();
    this.assertHonestKeepTheirs();
  }

  /**
   * Stops all programs and has the chain's blocks executed as the relay chain's validators do; prints the
   * result. The world cannot be used afterwards.
   */
  async proveBlocks() {
    await this.stop();
    const { status, stdout, stderr } = await runProgram(
      binary('noema-validity'), [path.join(this.folder, 'chain')], { timeout: 600_000 },
    );
    assert.equal(status, 0, stdout + stderr);
    console.error(`proof of validity: ${stdout.trim().replaceAll('\n', '; ')}`);
  }

  /** The same check from outside, with `noema-worker audit`. */
  async checkBooks() {
    const { status, stdout, stderr } = await worker(this.folder, ['audit', '--url', this.url]);
    assert.equal(status, 0, stderr);
    for (const pallet of ['Checkpoints', 'Operators', 'Claims', 'Jury', 'Inference', 'Issuance', 'Training']) {
      assert.match(stdout, new RegExp(`^${pallet}: the books agree$`, 'm'));
    }
  }
}
