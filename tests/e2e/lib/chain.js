// A connection to a node: transactions with named refusals, events of followed blocks, view functions, and
// the check that no unit was created or lost.

import assert from 'node:assert/strict';
import { ApiPromise, WsProvider } from '@polkadot/api';
import { Keyring } from '@polkadot/keyring';
import { Metadata, TypeRegistry } from '@polkadot/types';
import { compactFromU8a, compactToU8a, hexToU8a, u8aConcat, u8aToHex } from '@polkadot/util';
import { cryptoWaitReady } from '@polkadot/util-crypto';

import { until } from './process.js';
import { dutyPayload } from './protocol.js';

await cryptoWaitReady();
const keyring = new Keyring({ type: 'sr25519' });

/** The development key pair of a path such as `//Alice`. */
export const key = (path) => keyring.addFromUri(path);

/** The storage key of `System.Events`. */
const EVENTS = '0x26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7';

/**
 * A general transaction of format 5 and version 0 of its extensions: immortal, without nonce, tip and
 * metadata hash. polkadot.js cannot build one.
 */
const GENERAL = Uint8Array.of(0x45, 0, 0, 0, 0, 0);

/** A call that the chain or its transaction pool refused; `name` is the reason. */
export class Refused extends Error {
  constructor(name, detail) {
    super(detail ? `${name}: ${detail}` : name);
    this.name = name;
  }
}

/** A decoded value as plain JavaScript: integers as `bigint`, bytes as hex, a bare variant as its name. */
export function plain(codec) {
  if (codec === null || codec === undefined) return null;
  if ('isSome' in codec && 'unwrap' in codec) return codec.isSome ? plain(codec.unwrap()) : null;
  if ('isBasic' in codec && 'type' in codec) {
    const inner = plain(codec.inner ?? null);
    return inner === null ? codec.type : { [codec.type]: inner };
  }
  if (typeof codec.toBigInt === 'function') return codec.toBigInt();
  if (codec instanceof Map) {
    return Object.fromEntries([...codec.entries()].map(([name, value]) => [String(name), plain(value)]));
  }
  if (codec instanceof Set) return [...codec].map(plain);
  if (codec instanceof Uint8Array) {
    return codec.toRawType?.() === 'AccountId' ? codec.toString() : u8aToHex(codec);
  }
  if (Array.isArray(codec)) return [...codec].map(plain);
  if (codec instanceof Boolean) return codec.valueOf();
  if (codec instanceof String) return codec.toString();
  return codec.isEmpty ? null : codec.toJSON();
}

/** The text of bytes in hex. */
export const text = (hex) => Buffer.from(hex.slice(2), 'hex').toString('utf8');

function eventOf({ event, phase }, block) {
  const { names } = event.data;
  const values = event.data.map(plain);
  return {
    block,
    extrinsic: phase.isApplyExtrinsic ? phase.asApplyExtrinsic.toNumber() : null,
    name: `${event.section}.${event.method}`,
    data: names ? Object.fromEntries(names.map((name, i) => [name, values[i]])) : values,
  };
}

const connect = (url) =>
  ApiPromise.create({ provider: new WsProvider(url, 500), noInitWarn: true, throwOnConnect: false });

export class Chain {
  /** Follows finalized blocks, or the best ones: a test that acts as an operator need not wait for finality. */
  static async connect(port, { best = false } = {}) {
    const chain = new Chain(`ws://127.0.0.1:${port}`, best);
    await chain.#open();
    return chain;
  }

  /** The read in progress, one block after the other. */
  #reading = Promise.resolve();

  /** The types of each version of the runtime. */
  #registries = new Map();

  constructor(url, best) {
    this.url = url;
    this.best = best;
    /** Every event of every block that is followed after the first connection, in order. */
    this.events = [];
    /** The last block whose events have been read. */
    this.block = Infinity;
    this.failure = null;
  }

  /** Connects, drops blocks that the node does not have, and follows new ones. */
  async #open() {
    this.api = await connect(this.url);
    this.block = Math.min(this.block, await (this.best ? this.height() : this.finalized()));
    this.events = this.events.filter(({ block }) => block <= this.block);
    const heads = this.best ? 'subscribeNewHeads' : 'subscribeFinalizedHeads';
    await this.api.rpc.chain[heads]((head) => {
      this.#reading = this.#reading
        .then(() => this.#read(head.number.toNumber()))
        .catch((error) => (this.failure ??= error));
    });
  }

  async #read(height) {
    while (this.block < height) {
      const next = this.block + 1;
      const records = await this.#eventsAt(await this.#rpc('chain_getBlockHash', next));
      this.events.push(...records.map((record) => eventOf(record, next)));
      this.block = next;
    }
  }

  /** The events of a block. */
  async #eventsAt(hash) {
    // The runtime in the parent's state executed it.
    const { parentHash } = await this.#rpc('chain_getHeader', hash);
    const registry = await this.#registryOf(parentHash);
    const { lookup, pallets } = registry.metadata;
    const { items } = pallets.find(({ name }) => name.toString() === 'System').storage.unwrap();
    const { type } = items.find(({ name }) => name.toString() === 'Events');
    const events = await this.#rpc('state_getStorage', EVENTS, hash);
    return registry.createTypeUnsafe(lookup.getTypeDef(type.asPlain).type, [hexToU8a(events)]);
  }

  /**
   * The types of the runtime in the state of a block, by its version. After an upgrade polkadot.js replaces
   * the types of its own registry in place, also while it decodes with them, and by an older form of the
   * metadata, which has no view functions.
   */
  async #registryOf(hash) {
    const { specVersion } = await this.#rpc('state_getRuntimeVersion', hash);
    if (!this.#registries.has(specVersion)) {
      // Option<OpaqueMetadata>, of version 16.
      const answer = hexToU8a(await this.#rpc('state_call', 'Metadata_metadata_at_version', '0x10000000', hash));
      assert.equal(answer[0], 1, 'the runtime has metadata of version 16');
      const opaque = answer.subarray(1);
      const [offset] = compactFromU8a(opaque);
      const registry = new TypeRegistry();
      registry.setMetadata(new Metadata(registry, opaque.subarray(offset)), undefined, undefined, true);
      this.#registries.set(specVersion, registry);
    }
    return this.#registries.get(specVersion);
  }

  /** The node's raw result. */
  #rpc(method, ...args) {
    return this.api._rpcCore.provider.send(method, args);
  }

  /** The number of the best block. */
  async height() {
    return (await this.api.rpc.chain.getHeader()).number.toNumber();
  }

  /** The number of the last finalized block. */
  async finalized() {
    const hash = await this.api.rpc.chain.getFinalizedHead();
    return (await this.api.rpc.chain.getHeader(hash)).number.toNumber();
  }

  /** Waits until the present best block is final. */
  async untilFinal() {
    const height = await this.height();
    await until(`block ${height} is final`, async () => ((await this.finalized()) >= height ? true : undefined));
  }

  async disconnect() {
    await this.api.disconnect();
  }

  /** The first event called `name`, a name or a pattern, whose data satisfies `test`, waiting for it where needed. */
  event(name, test = () => true, timeout = 120_000) {
    return until(
      `event ${name}`,
      () => {
        const [found] = this.eventsNamed(name, test);
        if (!found && this.failure && this.api.isConnected) {
          const error = this.failure;
          this.failure = null;
          console.error(`while reading events: ${error.message}`);
        }
        return found;
      },
      { timeout, every: 100 },
    );
  }

  /** All events so far called `name`, a name or a pattern, whose data satisfies `test`. */
  eventsNamed(name, test = () => true) {
    const isNamed = name instanceof RegExp ? (other) => name.test(other) : (other) => other === name;
    return this.events.filter((event) => isNamed(event.name) && test(event.data));
  }

  /**
   * Connects to a node that was killed and restarted, and drops blocks that it had not written yet. Over the
   * old connection polkadot.js would build transactions on a block that is lost, and repeat the failed
   * requests for half a minute.
   */
  async reconnect() {
    await this.api.disconnect();
    await this.#reading;
    await this.#open();
  }

  /** The extrinsics of a block, as bytes. */
  async extrinsics(hash) {
    const { block } = await this.api._rpcCore.provider.send('chain_getBlock', [hash]);
    return block.extrinsics.map((hex) => hexToU8a(hex));
  }

  /** The call of an extrinsic; of a duty, the duty itself. */
  callOf(extrinsic) {
    const [offset] = compactFromU8a(extrinsic);
    const bytes = extrinsic.subarray(offset);
    const call =
      bytes[0] === GENERAL[0]
        ? this.api.createType('Call', bytes.subarray(GENERAL.length))
        : this.api.createType('Extrinsic', extrinsic).method;
    const { section, method, args } = call;
    return section === 'duties' && method === 'perform' ? args[1] : call;
  }

  /** The decoded arguments of the call that caused an event. */
  async argumentsOf({ block, extrinsic }) {
    const hash = await this.api.rpc.chain.getBlockHash(block);
    const call = this.callOf((await this.extrinsics(hash.toHex()))[extrinsic]);
    return Object.fromEntries(call.meta.fields.map(({ name }, i) => [name.toString(), plain(call.args[i])]));
  }

  /** Waits for `count` more blocks than there are now, and until their events have been read. */
  async blocks(count) {
    const end = (await (this.best ? this.height() : this.finalized())) + count;
    await until(`block ${end}`, () => (this.block >= end ? true : undefined), {
      timeout: 120_000 + count * 3_000,
    });
  }

  /** A call such as `inference.requestInference` with its arguments. */
  call(path, ...args) {
    const [pallet, name] = path.split('.');
    return this.api.tx[pallet][name](...args);
  }

  /**
   * Signs and sends a call; resolves once it is in a block, with its events and its fee. Rejects
   * with [`Refused`]: named after the pallet's error, or after the pool's reason.
   */
  send(call, signer, options = {}) {
    return new Promise((resolve, reject) => {
      let unsubscribe = () => {};
      const settle = (how, value) => {
        clearTimeout(timer);
        unsubscribe();
        how(value);
      };
      const timer = setTimeout(
        () => settle(reject, new Error(`${call.method.section}.${call.method.method} is not in a block after 120 s`)),
        120_000,
      );
      call
        .signAndSend(signer, { nonce: -1, ...options }, (result) => {
          const { status } = result;
          // polkadot.js leaves out the best block where it has not read it when it is final.
          if (status.isFinalized || (this.best && status.isInBlock)) {
            const refusal = this.#refusal(result);
            if (refusal) return settle(reject, refusal);
            const events = result.events.map((record) => eventOf(record, result.blockNumber?.toNumber()));
            const paid = events.find((event) => event.name === 'transactionPayment.TransactionFeePaid');
            settle(resolve, {
              block: (status.isFinalized ? status.asFinalized : status.asInBlock).toHex(),
              index: result.txIndex,
              events,
              fee: paid ? paid.data.actualFee + paid.data.tip : 0n,
              event: (name) => events.find((event) => event.name === name),
            });
          } else if (result.isError) {
            settle(reject, new Refused(status.type));
          }
        })
        .then(
          (stop) => (unsubscribe = stop),
          (error) => settle(reject, poolRefusal(error)),
        );
    });
  }

  /** A recent block, to which the signature of a duty is bound. */
  async recent() {
    const hash = await this.api.rpc.chain.getFinalizedHead();
    return { hash: hash.toHex(), number: (await this.api.rpc.chain.getHeader(hash)).number.toNumber() };
  }

  /** The transaction that performs a duty under a hot key; `signature` replaces the right one. */
  duty(call, hot, { hash, number }, signature) {
    const { method } = call;
    signature ??= hot.sign(hexToU8a(dutyPayload(hash, hot.publicKey, method.toU8a())));
    const perform = this.api.tx.duties.perform(hot.publicKey, method, number, { Sr25519: signature });
    const body = u8aConcat(GENERAL, perform.method.toU8a());
    return u8aToHex(u8aConcat(compactToU8a(body.length), body));
  }

  /**
   * Submits a transaction to the pool; rejects with [`Refused`], named after the pallet's error or the pool's
   * reason.
   */
  async submit(hex, section) {
    try {
      return await this.#rpc('author_submitExtrinsic', hex);
    } catch (error) {
      throw poolRefusal(error, (number) => this.#errorOf(section, number));
    }
  }

  /** The number of transactions in the pool. */
  async pending() {
    return (await this.#rpc('author_pendingExtrinsics')).length;
  }

  /**
   * Performs a duty under a hot key; resolves once it is in a block, with its events. Rejects with
   * [`Refused`]: named after the pallet's error, or after the pool's reason.
   */
  async perform(call, hot) {
    const extrinsic = this.duty(call, hot, await this.recent());
    const { section } = call.method;
    const block = await this.#included(extrinsic).catch((error) => {
      throw poolRefusal(error, (number) => this.#errorOf(section, number));
    });

    const index = (await this.extrinsics(block)).findIndex((other) => u8aToHex(other) === extrinsic);
    const records = (await this.#eventsAt(block)).filter(
      ({ phase }) => phase.isApplyExtrinsic && phase.asApplyExtrinsic.toNumber() === index,
    );
    const failed = records.find(({ event }) => event.section === 'system' && event.method === 'ExtrinsicFailed');
    if (failed) throw new Refused(this.errorName(failed.event.data[0]));
    const events = records.map((record) => eventOf(record));
    return { block, index, events, fee: 0n, event: (name) => events.find((event) => event.name === name) };
  }

  /** Submits a transaction to the node; resolves with the hash of the block that includes it. */
  #included(hex) {
    const { provider } = this.api._rpcCore;
    return new Promise((resolve, reject) => {
      const subscription = provider.subscribe('author_extrinsicUpdate', 'author_submitAndWatchExtrinsic', [hex], (error, status) => {
        if (error) return settle(reject, error);
        const block = this.best ? status.inBlock : status.finalized;
        if (block) return settle(resolve, block);
        const ended = ['invalid', 'dropped', 'usurped'].find((end) => status === end || status[end]);
        if (ended) settle(reject, new Refused(`Duty${ended[0].toUpperCase()}${ended.slice(1)}`));
      });
      subscription.catch((error) => settle(reject, error));
      const timer = setTimeout(() => settle(reject, new Error('a duty is not in a block after 120 s')), 120_000);
      const settle = (how, value) => {
        clearTimeout(timer);
        subscription
          .then((id) => provider.unsubscribe('author_extrinsicUpdate', 'author_unwatchExtrinsic', id))
          .catch(() => {});
        how(value);
      };
    });
  }

  /** The name of a pallet's error by its number, such as `inference.TooLate`. */
  #errorOf(section, number) {
    const errors = Object.values(this.api.errors[section] ?? {});
    const found = errors.find(({ meta }) => meta.index.toNumber() === number);
    return found && `${section}.${found.meta.name.toString()}`;
  }

  #refusal(result) {
    let error = result.dispatchError;
    const sudid = result.events.find(({ event }) => event.section === 'sudo' && event.method === 'Sudid');
    if (!error && sudid?.event.data[0].isErr) error = sudid.event.data[0].asErr;
    return error ? new Refused(this.errorName(error)) : null;
  }

  /** The name of a dispatch error, such as `inference.EmptyPrompt` or `token.FundsUnavailable`. */
  errorName(error) {
    if (error.isModule) {
      const { section, name } = error.registry.findMetaError(error.asModule);
      return `${section}.${name}`;
    }
    const kind = error.type[0].toLowerCase() + error.type.slice(1);
    const inner = error.inner?.type;
    return inner ? `${kind}.${inner}` : kind;
  }

  /** Calls a view function: the metadata has its id, its arguments and its result. */
  async view(pallet, name, ...args) {
    const best = await this.#rpc('chain_getBlockHash');
    const registry = await this.#registryOf(best);
    const { pallets, lookup } = registry.metadata;
    const found = pallets
      .find((entry) => entry.name.toString() === pallet)
      ?.viewFunctions.find((entry) => entry.name.toString() === name);
    assert.ok(found, `there is no view function ${pallet}.${name}`);
    assert.equal(args.length, found.inputs.length, `${pallet}.${name} takes ${found.inputs.length} arguments`);
    const type = (id) => lookup.getTypeDef(id).type;
    const input = u8aConcat(
      ...found.inputs.map((parameter, i) => registry.createTypeUnsafe(type(parameter.type), [args[i]]).toU8a()),
    );
    const query = u8aConcat(found.id.toU8a(true), compactToU8a(input.length), input);
    // Result<Vec<u8>, ViewFunctionDispatchError>
    const answer = hexToU8a(await this.#rpc('state_call', 'RuntimeViewFunction_execute_view_function', u8aToHex(query), best));
    assert.equal(answer[0], 0, `${pallet}.${name} was not executed: ${u8aToHex(answer)}`);
    const output = registry.createType('Bytes', answer.subarray(1));
    return registry.createTypeUnsafe(type(found.output), [output.toU8a(true)]);
  }

  /** The balance of an account, free and on hold: now, or after the block with the hash `at`. */
  async balance(address, at) {
    const api = at ? await this.api.at(at) : this.api;
    const { data } = await api.query.system.account(address);
    return { free: data.free.toBigInt(), held: data.reserved.toBigInt(), total: data.free.toBigInt() + data.reserved.toBigInt() };
  }

  /** The issuance without all subsidies: only burning changes it. */
  async withoutSubsidies() {
    const { total, minted } = plain(await this.view('Issuance', 'supply'));
    return total - minted;
  }

  /** The sum of all accounts' balances. */
  async sumOfBalances(at) {
    const api = at ? await this.api.at(at) : this.api;
    const accounts = await api.query.system.account.entries();
    return accounts.reduce((sum, [, { data }]) => sum + data.free.toBigInt() + data.reserved.toBigInt(), 0n);
  }

  /** Checks that balances add up and every pallet finds its own state sound, in the last block that is followed. */
  async audit() {
    const hash = await (this.best ? this.api.rpc.chain.getBlockHash() : this.api.rpc.chain.getFinalizedHead());
    const at = await this.api.at(hash);
    const issuance = (await at.query.balances.totalIssuance()).toBigInt();
    assert.equal(await this.sumOfBalances(hash), issuance, 'the balances do not add up to the issuance');

    const holds = await at.query.balances.holds.entries();
    for (const [{ args: [address] }, list] of holds) {
      const sum = list.reduce((total, { amount }) => total + amount.toBigInt(), 0n);
      const { data } = await at.query.system.account(address);
      assert.equal(sum, data.reserved.toBigInt(), `holds of ${address} do not add up`);
    }
    const registry = await this.#registryOf(hash.toHex());
    const audited = registry.metadata.pallets
      .filter(({ viewFunctions }) => viewFunctions.some(({ name }) => name.toString() === 'audit'))
      .map(({ name }) => name.toString());
    for (const pallet of ['Checkpoints', 'Operators', 'Claims', 'Jury', 'Inference', 'Issuance', 'Training']) {
      assert.ok(audited.includes(pallet), `${pallet} cannot be audited`);
    }
    for (const pallet of audited) {
      const result = await this.view(pallet, 'audit');
      assert.ok(result.isOk, `${pallet}.audit: ${JSON.stringify(result.toHuman())}`);
    }
  }
}

/**
 * The pool's reason, such as `invalid.Payment`, from `1010: Invalid Transaction: Inability to …`; of a duty
 * that its pallet would refuse, the error that `named` gives for its number.
 */
function poolRefusal(error, named = () => undefined) {
  const reasons = {
    'Inability to pay some fees': 'invalid.Payment',
    'Transaction is outdated': 'invalid.Stale',
    'Transaction call is not expected': 'invalid.Call',
    'Transaction would exhaust the block limits': 'invalid.ExhaustsResources',
    'Invalid signing address': 'invalid.BadSigner',
    'Transaction has a bad signature': 'invalid.BadProof',
    'Priority is too low': 'pool.TooLowPriority',
    'Custom error': 'invalid.Custom',
  };
  const message = [error?.message ?? error, error?.data].filter(Boolean).join(': ');
  const [, number] = message.match(/Custom error: (\d+)/) ?? [];
  const name = number && named(Number(number));
  if (name) return new Refused(name, message);
  for (const [phrase, name] of Object.entries(reasons)) {
    if (message.includes(phrase)) return new Refused(name, message);
  }
  return error instanceof Error ? error : new Error(message);
}
