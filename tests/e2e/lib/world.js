// Everything a suite needs, real: a node with a chain of its own, workers, validators, accounts.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { hexToU8a, u8aToHex } from '@polkadot/util';

import { Chain, key, plain, text } from './chain.js';
import { Program, freePort, runProgram, until } from './process.js';
import { outputHash, possessionPayload, promptHash, randomHash, traceCommitment, utf8, verdictCommitment } from './protocol.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const binaries = process.env.NOEMA_BIN_DIR ?? path.join(root, 'target/debug');
const binary = (name) => path.join(binaries, name);

export const UNIT = 10n ** 12n;
/** Milliseconds between blocks, where a suite does not say otherwise. */
const BLOCK_TIME = 500;

/** Runs `noema-worker` to its end. */
export const worker = (home, args, options = {}) =>
  runProgram(binary('noema-worker'), args, { ...options, env: { NOEMA_HOME: home, ...options.env } });

/** Runs `noema-node` to its end. */
export const node = (args, options = {}) => runProgram(binary('noema-node'), args, options);

/** Imports a model into the home folder that all suites share; returns the checkpoint's id. */
export async function importModel(home, file = process.env.NOEMA_SMOLLM2_GGUF) {
  assert.ok(file && existsSync(file), `NOEMA_SMOLLM2_GGUF names no file: ${file}; run scripts/setup.sh`);
  const { status, stdout, stderr } = await worker(home, ['import', file], { timeout: 300_000 });
  const [id] = stdout.match(/0x[0-9a-f]{64}/) ?? [];
  assert.ok(status === 0 && id, `noema-worker import failed (${status}):\n${stdout}${stderr}`);
  return id;
}

/**
 * Imports the same model with other rotary frequencies: a different checkpoint of the same shape,
 * which answers something else.
 */
export async function importVariant(home, folder, file = process.env.NOEMA_SMOLLM2_GGUF) {
  const bytes = readFileSync(file);
  const name = 'llama.rope.freq_base';
  const value = bytes.indexOf(name) + name.length + 4; // after the type of the value, an f32
  assert.equal(bytes.readUInt32LE(value - 4), 6, `${name} is an f32`);
  bytes.writeFloatLE(10, value); // the model was trained with 100,000
  const variant = path.join(folder, 'variant.gguf');
  writeFileSync(variant, bytes);
  return importModel(home, variant);
}

/** The signature with which a hot key proves that it submits for a controller. */
export const possession = ({ api }, controller, hot) => ({
  Sr25519: hot.sign(hexToU8a(possessionPayload(api.genesisHash.toHex(), controller.publicKey))),
});

/** An operator with its keys; `program` is its process where it has one. */
class Operator {
  constructor(world, name, role, prices, { home, args }) {
    Object.assign(this, { world, name, role, prices, home, args });
    this.controller = key(`//${name}`);
    this.hot = key(`//${name}//hot`);
  }

  get address() {
    return this.controller.address;
  }

  /** The signature with which its hot key proves that it submits for the controller. */
  get possession() {
    return possession(this.world.chain, this.controller, this.hot);
  }

  /** Registers it on chain with `bond`. */
  async register(bond, checkpoints) {
    const { chain } = this.world;
    const roles = {
      worker: this.role === 'Worker',
      validator: this.role === 'Validator',
      trainer: this.role === 'Trainer',
    };
    await chain.send(
      chain.call('utility.batchAll', [
        chain.call('operators.register', roles, this.hot.address, this.possession, this.prices, bond),
        ...checkpoints.map((id) => chain.call('operators.serve', id)),
      ]),
      this.controller,
    );
  }

  /** Starts its process. It claims rewards where `claims` says so: else balances change by themselves. */
  start({ claims = false } = {}) {
    this.program = this.#run(this.name, claims ? [] : ['--no-claim']);
  }

  /** Starts another process with the same hot key, on a store of its own. */
  startTwin() {
    return this.#run(`${this.name}-twin`, ['--no-claim', '--listen', 'off']);
  }

  #run(name, args) {
    const { world } = this;
    const program = new Program(
      name,
      binary('noema-worker'),
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

  async recorded() {
    return plain(await this.world.chain.view('Operators', 'operator', this.address));
  }

  async bond() {
    return (await this.recorded()).operator.bond;
  }

  /** What it earned and lost. */
  async ledger() {
    return plain(await this.world.chain.view('Operators', 'earnings', this.address));
  }

  /** Performs a duty under the hot key. */
  submit(...call) {
    return this.world.chain.perform(this.world.chain.call(...call), this.hot);
  }

  /** What it owns, and what was credited to it and not withdrawn. */
  async wealth() {
    const { total } = await this.world.chain.balance(this.address);
    return total + (await this.ledger()).payable;
  }

  /** No longer drawn, once operators that are added later can be. */
  async retire() {
    if (this.retired) return;
    this.retired = true;
    await this.world.chain.send(this.world.chain.call('operators.startUnbonding'), this.controller);
  }
}

export class World {
  /**
   * A new chain with a registered checkpoint, or without any where `publishes` is false; operators
   * come with {@link World#add}. Blocks are made every `blockTime` milliseconds, or for transactions
   * only where that is null, and finalized `finalityLag` blocks later.
   */
  static async start(name, { blockTime = BLOCK_TIME, finalityLag = 0, publishes = true } = {}) {
    const base = process.env.NOEMA_E2E_DIR ?? mkdtempSync(path.join(tmpdir(), 'noema-e2e-'));
    const world = new World();
    world.folder = path.join(base, name);
    world.home = process.env.NOEMA_E2E_HOME ?? path.join(base, 'home');
    world.programs = new Set();
    world.accounts = 0;
    world.blockTime = blockTime;
    world.finalityLag = finalityLag;
    mkdirSync(world.folder, { recursive: true });
    try {
      if (publishes) world.checkpoint = process.env.NOEMA_E2E_CHECKPOINT ?? (await importModel(world.home));
      await world.startNode();
      world.chain = await Chain.connect(world.port);
      world.funder = key('//Alice');
      /** What checks cost and what is lost. */
      world.rates = plain(await world.chain.view('Inference', 'rates'));
      if (publishes) await world.publish(world.checkpoint);
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  get url() {
    return `ws://127.0.0.1:${this.port}`;
  }

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
      { timeout: 180_000 },
    );
  }

  /** `kill -9` of the node. */
  async killNode() {
    this.programs.delete(this.node);
    await this.node.kill();
  }

  /** Asks the node to stop and waits; returns its exit status. */
  async stopNode() {
    this.programs.delete(this.node);
    return this.node.stop();
  }

  /** `kill -9` of the node, and a new start on the same chain and port. */
  async restartNode() {
    await this.killNode();
    await this.startNode();
    await this.chain.reconnect();
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
   * Adds operators `[role, name]` that run for real, or with `fake` that the test plays itself. They can be
   * drawn once this resolves, unless `waits` is false. `runs` says for a name which home folder and which
   * further arguments its process has.
   */
  async add(
    operators,
    {
      bond,
      prices = this.prices(),
      fake = false,
      checkpoints = [this.checkpoint],
      waits = checkpoints.length > 0,
      // The model was just imported; hashing it again for every process says nothing new.
      runs = () => ({ home: this.home, args: ['--trust-weights'] }),
    } = {},
  ) {
    bond ??= this.chain.api.consts.operators.minBond.toBigInt();
    const added = operators.map(([role, name]) => new Operator(this, name, role, prices, runs(name)));
    await this.fund(added.map((operator) => [operator.address, bond + 100n * UNIT]));
    await Promise.all(added.map((operator) => operator.register(bond, checkpoints)));
    for (const operator of added) if (!fake) operator.start();
    if (waits) await this.notice();
    return added;
  }

  /** Waits until what was changed so far holds: for the term after next. */
  async notice() {
    const term = async () => plain(await this.chain.view('Operators', 'present_term')).index;
    const from = (await term()) + 2n;
    await until(`term ${from}`, async () => ((await term()) >= from ? true : undefined), { every: 100 });
  }

  /** Prices at which every answer of `tokens` tokens is checked when the bond is the least. */
  prices(factor = 1n, tokens = 8) {
    const { falsehoodSlash, marginPercent } = this.rates;
    const stake = (this.chain.api.consts.operators.minBond.toBigInt() * falsehoodSlash) / 1_000_000n;
    const gain = (stake * 100n) / marginPercent;
    return { perPromptByte: UNIT / 1_000n, perOutputToken: factor * (gain / BigInt(tokens) + 1n) };
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

  /** Imports another checkpoint of the same shape. */
  importVariant() {
    return importVariant(this.home, this.folder);
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

  /** What each worker would charge, cheapest first. */
  async quote(prompt, options = {}) {
    const list = await this.chain.view(
      'Inference', 'quote', this.checkpoint, utf8(prompt).length, this.parameters(options),
    );
    return plain(list);
  }

  /** Asks; returns the request's id, its price limit and what the transaction cost. */
  async ask(prompt, { signer, limit, checkpoint = this.checkpoint, ...options } = {}) {
    limit ??= (await this.quote(prompt, options)).offers.at(-1).total;
    const requester = signer ?? (await this.account(limit + 10n * UNIT));
    const sent = await this.chain.send(
      this.chain.call('inference.requestInference', checkpoint, u8aToHex(utf8(prompt)), this.parameters(options), limit),
      requester,
    );
    const { request } = sent.event('inference.Requested').data;
    return { id: request, limit, requester, fee: sent.fee, block: sent.block, index: sent.index };
  }

  /** Waits for an event of a request. */
  event(id, name, test = () => true, timeout = 120_000) {
    return this.chain.event(`inference.${name}`, (data) => data.request === id && test(data), timeout);
  }

  /** Waits until a request is final; returns the name of its last event with its data. */
  end(id, timeout = 180_000) {
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

  /** Waits until an operator has lost bond over a request; returns why, and how much it was. */
  async slashed(id, { address }, timeout = 120_000) {
    const { data } = await this.chain.event(
      'operators.Slashed',
      ({ job, controller }) => job.Request === id && controller === address,
      timeout,
    );
    return { ...data, amount: data.paid + data.burned };
  }

  /** Who has lost bond over a request so far. */
  slashedOver(id) {
    return this.chain.eventsNamed('operators.Slashed', ({ job }) => job.Request === id).map(({ data }) => data.controller);
  }

  /** The names of a request's events so far, in order. */
  story(id) {
    return this.chain.events
      .filter(({ name, data }) => name.startsWith('inference.') && data.request === id)
      .map(({ name }) => name.split('.')[1]);
  }

  /** Everything recorded of a request. */
  async state(id) {
    return plain(await this.chain.view('Inference', 'request_state', id));
  }

  /** The answer as a client reads it. */
  async answer(id) {
    const answer = plain(await this.chain.api.query.inference.answers(id));
    return answer && { ...answer, text: text(answer.text), tokens: answer.tokens.map(Number) };
  }

  /** A receipt for an answer to request `id`, with any field changed. */
  async receipt(id, { tokens, text, digest = randomHash(), promptTokens = 20 }, changes = {}) {
    const { checkpoint, prompt, parameters, assignment } = await this.state(id);
    return {
      request: id,
      checkpoint,
      promptHash: promptHash(Buffer.from(prompt.slice(2), 'hex')),
      parameters,
      seed: assignment.seed,
      outputHash: outputHash(tokens, text),
      promptTokens,
      outputTokens: tokens.length,
      traceCommitment: traceCommitment(id, digest),
      ...changes,
    };
  }

  /** Submits an answer under the hot key of an operator that the test plays. */
  async submit(operator, id, answer, changes) {
    const receipt = await this.receipt(id, answer, changes);
    return operator.submit('inference.submitResult', id, answer.tokens, u8aToHex(utf8(answer.text)), receipt);
  }

  /** Commits to a verdict under the hot key of a validator that the test plays. */
  async commit(operator, id, { verdict, digest = randomHash(), salt = randomHash() }) {
    const reveal = { verdict, digest, salt };
    await operator.submit('inference.commitVerdict', id, verdictCommitment(id, operator.controller.publicKey, reveal));
    return reveal;
  }

  /** Reveals it. */
  reveal(operator, id, { verdict, digest, salt }) {
    return operator.submit('inference.revealVerdict', id, verdict, digest, salt);
  }

  /** Balances add up, the pallets' books are sound, every program still runs. */
  async audit() {
    this.assertAlive();
    await this.chain.audit();
  }

  /**
   * Stops everything and has the chain's blocks executed as the relay chain's validators do; prints what
   * was found. Nothing can be done with this world afterwards.
   */
  async proveBlocks() {
    await this.stop();
    const { status, stdout, stderr } = await runProgram(
      binary('noema-validity'), [path.join(this.folder, 'chain')], { timeout: 240_000 },
    );
    assert.equal(status, 0, stdout + stderr);
    console.error(`proof of validity: ${stdout.trim().replaceAll('\n', '; ')}`);
  }

  /** The same as anyone can see it, with `noema-worker audit`. */
  async checkBooks() {
    const { status, stdout, stderr } = await worker(this.folder, ['audit', '--url', this.url]);
    assert.equal(status, 0, stderr);
    for (const pallet of ['Checkpoints', 'Operators', 'Inference', 'Issuance', 'Training']) {
      assert.match(stdout, new RegExp(`^${pallet}: the books agree$`, 'm'));
    }
  }
}
