// Sessions as the chain records them, and their money.

import assert from 'node:assert/strict';
import { bnToU8a, hexToU8a } from '@polkadot/util';

import { madeUp } from './answer.js';
import { until } from './process.js';
import {
  answerSeed, checkCommitment, merklePath, merkleRoot, positionOf, randomHash, sessionReceiptHash, voucherPayload,
} from './protocol.js';
import { UNIT } from './world.js';

/** What the chain knows of the sessions of one payer. */
export class Books {
  constructor(world, payer) {
    Object.assign(this, { world, payer });
  }

  get chain() {
    return this.world.chain;
  }

  /** The sessions that the payer opened. */
  get opened() {
    return this.chain.eventsNamed('sessions.Opened', ({ payer }) => payer === this.payer.address).map(({ data }) => data);
  }

  /** The claims of these sessions. */
  claims(sessions) {
    return this.chain.eventsNamed('sessions.Claimed', ({ session }) => sessions.includes(session)).map(({ data }) => data);
  }

  /** How a claim ended; `undefined` before. */
  ended(claim) {
    return this.chain.eventsNamed('claims.Ended', (data) => data.claim === claim)[0]?.data;
  }

  /** Waits until these sessions and all of their claims are over. */
  async settled(sessions, timeout = 180_000) {
    await until(`sessions ${sessions.join(', ')} and their claims are over`, () => {
      const closed = this.chain.eventsNamed('sessions.Closed', ({ session }) => sessions.includes(session));
      return (closed.length === sessions.length && this.claims(sessions).every(({ claim }) => this.ended(claim))) || undefined;
    }, { timeout });
  }

  /**
   * Checks that the payer has what it had, less what it burned for storage, its fees, and what its claims paid, once all
   * of its sessions are over. `had` is the amount that it was given.
   */
  async balance(had = this.given()) {
    const sessions = this.opened.map(({ session }) => session);
    const burned = this.opened.reduce((sum, { storageBurned }) => sum + storageBurned, 0n);
    const fees = this.chain
      .eventsNamed('transactionPayment.TransactionFeePaid', ({ who }) => who === this.payer.address)
      .reduce((sum, { data }) => sum + data.actualFee + data.tip, 0n);
    let paid = 0n;
    for (const { claim, payment, checkFee } of this.claims(sessions)) {
      const end = this.ended(claim);
      const spent = end.paid + end.checks.reduce((sum, [, amount]) => sum + amount, 0n) + end.burned;
      assert.equal(spent + end.refunded, payment + checkFee, 'payments, burned part and refund add up to the claim');
      paid += spent;
    }
    const now = await this.chain.balance(this.payer.address);
    assert.deepEqual([now.held, now.free], [0n, had - burned - fees - paid]);
  }

  /** What the payer was given. */
  given() {
    return this.chain
      .eventsNamed('balances.Transfer', ({ to }) => to === this.payer.address)
      .reduce((sum, { data }) => sum + data.amount, 0n);
  }
}

const ZERO = `0x${'00'.repeat(32)}`;
/** The prices of a session that any worker's are within. */
const ANY_PRICE = { perPromptToken: UNIT, perCachedToken: UNIT, perAnswerToken: UNIT };

/** Opens a session with a worker; returns what the chain fixed for it. */
export async function openSession(world, worker, { payer, voucherKey, leafTokens = 256, held = 100n * UNIT }) {
  const call = world.chain.call('sessions.openSession', world.checkpoint, worker.address, voucherKey.address, leafTokens, ANY_PRICE, held);
  const sent = await world.chain.send(call, payer);
  const { session } = sent.event('sessions.Opened').data;
  const { data } = await world.chain.event('sessions.Seeded', (seeded) => seeded.session === session);
  return { ...data, block: sent.block };
}

/**
 * A session of which the test is both sides: the answers are made up, so a claim of any number of them takes no execution.
 * All of them have the same price, prompt and answer.
 */
export class SimulatedSession {
  /** Opens one with a simulated worker. `tokens` are those of each answer, `prompt` those of each prompt. */
  static async open(world, worker, { tokens = 16, prompt = 32, held, leafTokens } = {}) {
    const simulated = new SimulatedSession();
    const payer = await world.account((held ?? 100n * UNIT) + 10n * UNIT);
    const answer = madeUp({ tokens: Array.from({ length: tokens }, (_, token) => token), promptTokens: prompt });
    const { session, terms, seed, prices, block } = await openSession(world, worker, { payer, voucherKey: payer, held, leafTokens });
    const price = BigInt(prompt) * prices.perPromptToken + BigInt(tokens) * prices.perAnswerToken;
    const hashes = { promptHash: randomHash(), answerHash: randomHash() };
    return Object.assign(simulated, { world, worker, payer, voucherKey: payer, answer, hashes, session, terms, seed, price, block });
  }

  get chain() {
    return this.world.chain;
  }

  /** The receipt of answer `n` of the bundle that begins with `first`. */
  receipt(n, first = 0) {
    const { session, terms, answer, hashes } = this;
    return {
      session,
      n,
      first,
      terms,
      checkpoint: this.world.checkpoint,
      promptHash: hashes.promptHash,
      promptTokens: answer.promptTokens,
      cachedTokens: 0,
      parameters: { maxTokens: answer.tokens.length, temperatureMilli: 0, topK: 0, topPMilli: 1000 },
      seed: answerSeed(this.seed, n),
      answerHash: hashes.answerHash,
      answerTokens: answer.tokens.length,
      end: 'Length',
      price: this.price,
      hiddenRoot: answer.hiddenRoot,
    };
  }

  /** The hashes of the receipts of answers `first` to `count - 1`: the leaves of their claim. */
  leaves(count, first = 0) {
    const encoded = this.chain.call('claims.revealSessionCheck', 0, 0, this.receipt(first, first), [], { hidden: ZERO, siblings: [] }, ZERO).args[2].toU8a();
    const seedAt = encoded.length - 32 - 16 - 1 - 4 - 32 - 32;
    return Array.from({ length: count - first }, (_, place) => {
      const n = first + place;
      encoded.set(bnToU8a(n, { bitLength: 32, isLe: true }), 8);
      encoded.set(hexToU8a(answerSeed(this.seed, n)), seedAt);
      return sessionReceiptHash(encoded);
    });
  }

  /** The voucher over the answers up to `count`, in a bundle that begins with `first`; `changes` are to its fields. */
  voucher(count, { first = 0, leaves = this.leaves(count, first), ...changes } = {}) {
    const voucher = {
      genesis: this.chain.api.genesisHash.toHex(),
      session: this.session,
      terms: this.terms,
      first,
      count,
      amount: BigInt(count) * this.price,
      dearest: this.price,
      root: merkleRoot(leaves),
      ...changes,
    };
    return { voucher, leaves };
  }

  /** The call that claims a voucher, signed by `key`. */
  claimCall({ voucher }, key = this.voucherKey) {
    const encoded = this.chain.call('sessions.claim', voucher, { Sr25519: new Uint8Array(64) }).args[0].toU8a();
    return ['sessions.claim', voucher, { Sr25519: key.sign(hexToU8a(voucherPayload(encoded))) }];
  }

  /** Claims a voucher; returns the event of the claim. */
  async claim(signed, key) {
    const sent = await this.worker.submit(...this.claimCall(signed, key));
    return { ...sent.event('sessions.Claimed').data, block: sent.block };
  }

  /** Has simulated validators confirm every drawn leaf of a claim. */
  async confirm({ claim, first }, leaves) {
    const { world, answer } = this;
    await world.claimEvent(claim, 'claims.CheckDrawn');
    const { seats } = (await world.claim(claim)).claim;
    const commitments = seats.map(({ validator, leaf, point }) => {
      const position = positionOf(point, answer.hidden.length);
      return { validator: world.operator(validator), leaf: Number(leaf), position, hidden: answer.hidden[position], salt: randomHash() };
    });
    for (const { validator, leaf, hidden, salt } of commitments) {
      await validator.submit('claims.commitCheck', claim, leaf, checkCommitment(claim, leaf, validator.controller.publicKey, hidden, salt));
    }
    await world.claimEvent(claim, 'claims.RevealOpened');
    for (const { validator, leaf, position, hidden, salt } of commitments) {
      const proof = { hidden, siblings: merklePath(answer.hidden, position) };
      const receipt = this.receipt(Number(first) + leaf, Number(first));
      await validator.submit('claims.revealSessionCheck', claim, leaf, receipt, merklePath(leaves, leaf), proof, salt);
    }
  }
}
