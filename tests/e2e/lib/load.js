// Load: many requests at once, blocks full of paid transactions, a pool full of invalid duties.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { u8aToHex } from '@polkadot/util';

import { key, plain } from './chain.js';
import { sleep, until } from './process.js';
import { randomHash, utf8 } from './protocol.js';

const UNIT = 10n ** 12n;
/** Tokens of each answer. */
const MAX_TOKENS = 8;

/** The number of calls like this one that fit into one transaction. */
async function batchSize({ api }, call, { address }) {
  const { weight } = await call.paymentInfo(address);
  const { maxExtrinsic } = api.consts.system.blockWeights.perClass.normal;
  const most = maxExtrinsic.unwrap();
  const parts = ['refTime', 'proofSize'].map((part) => Number(most[part].toBigInt() / weight[part].toBigInt()));
  // For the weight of the batch itself and its events.
  return Math.max(1, Math.floor(0.9 * Math.min(...parts)));
}

/**
 * Makes `count` requests at once, in batches from several accounts that `funder` funds; returns the numbers
 * of the requests, and the number of their blocks.
 */
export async function burst(chain, { checkpoint, count, funder }) {
  const parameters = { maxTokens: MAX_TOKENS, temperatureMilli: 0, topK: 0, topPMilli: 1000 };
  const prompts = Array.from({ length: count }, (_, n) => utf8(`What is ${n} plus ${n}?`));
  const longest = Math.max(...prompts.map(({ length }) => length));
  const { offers, storage } = plain(await chain.view('Inference', 'quote', checkpoint, longest, parameters));
  const limit = offers.at(-1).total;
  const calls = prompts.map((prompt) =>
    chain.call('inference.requestInference', checkpoint, u8aToHex(prompt), parameters, limit));

  const size = await batchSize(chain, calls[0], funder);
  const batches = [];
  while (calls.length) batches.push(calls.splice(0, size));
  const accounts = batches.map((_, n) => key(`//Burst${n}`));
  const amount = BigInt(size) * (limit + storage) + 100n * UNIT;
  const transfers = accounts.map(({ address }) => chain.call('balances.transferKeepAlive', address, amount));
  await chain.send(chain.call('utility.batchAll', transfers), funder);
  const sent = await Promise.all(batches.map((batch, n) => chain.send(chain.call('utility.batchAll', batch), accounts[n])));
  return {
    ids: sent.flatMap(({ events }) =>
      events.filter(({ name }) => name === 'inference.Requested').map(({ data }) => data.request)),
    blocks: new Set(sent.map(({ block }) => block)).size,
  };
}

/** Waits until requests are over; returns how each ended: the name of its last event, with its data. */
export async function ends(chain, ids, timeout) {
  const isEnd = /^inference\.(Settled|Refunded)$/;
  const wanted = new Set(ids);
  const found = await until(
    `the end of ${ids.length} requests`,
    () => {
      const over = chain.eventsNamed(isEnd, ({ request }) => wanted.has(request));
      return over.length >= wanted.size ? over : undefined;
    },
    { timeout, every: 500 },
  );
  return new Map(found.map(({ name, data, block }) => [data.request, { name: name.split('.')[1], block, ...data }]));
}

/** Fills blocks with paid transactions, at a tip that no other transaction offers, until it is stopped. */
export class Filler {
  /** The number of transactions that fill the part of a block that is open to paid ones, and the part that each fills. */
  static #PER_BLOCK = 3;
  static #PERCENT = 32n;
  /** The most transactions in the pool: those of the next four blocks, so that a stop takes no longer. */
  static #WAITING = 4 * Filler.#PER_BLOCK;
  /** The longest that a stop waits for them, in milliseconds. */
  static #PATIENCE = 60_000;
  /** The tip of each. */
  static #TIP = 1_000n * UNIT;
  /** The number of blocks without any of them after which they are replaced. */
  static #STUCK = 3;

  /** The number of transactions sent so far. */
  #sent = 0;
  /** The nonce of the next transaction that a block includes, since when it is, and how often it was replaced. */
  #next = { nonce: -1 };

  /**
   * Signs the transactions in advance, which takes longer than a block. Each is small and quickly executed;
   * only the sudo key, `payer`, may claim a weight for it.
   */
  static async make(chain, payer, count = 300) {
    const { api } = chain;
    const most = plain(api.consts.system.blockWeights).perClass.normal.maxTotal;
    const part = (whole) => (whole * Filler.#PERCENT) / 100n;
    const weight = { refTime: part(most.refTime), proofSize: part(most.proofSize) };
    const remark = api.tx.sudo.sudoUncheckedWeight(api.tx.system.remark('0x'), weight);
    const first = (await api.rpc.system.accountNextIndex(payer.address)).toNumber();
    const signed = [];
    for (let n = 0; n < count; n += 1) {
      signed.push((await remark.signAsync(payer, { nonce: first + n, tip: Filler.#TIP, era: 0 })).toHex());
    }
    return Object.assign(new Filler(), { chain, payer, remark, first, signed, most });
  }

  /** Resolves when the first transactions are in the pool. */
  async start() {
    this.from = await this.chain.height();
    this.isOn = true;
    await this.#fill();
    this.done = this.#goOn();
  }

  /**
   * The number of transactions sent that no block includes, by the payer's nonce on the best block. Replaces them
   * where blocks stop to include any: the pool sometimes drops one with all that follow, and refuses it for half an
   * hour.
   */
  async #waiting() {
    const account = await this.chain.api.query.system.account(this.payer.address);
    const [nonce, height] = [account.nonce.toNumber(), await this.chain.height()];
    const waiting = this.first + this.#sent - nonce;
    if (nonce !== this.#next.nonce) {
      this.#next = { nonce, height, replaced: 0n };
    } else if (waiting > 0 && height >= this.#next.height + Filler.#STUCK) {
      const replaced = this.#next.replaced + 1n;
      this.#next = { nonce, height, replaced };
      for (let n = nonce; n < nonce + waiting; n += 1) {
        const again = await this.remark.signAsync(this.payer, { nonce: n, tip: Filler.#TIP + replaced * UNIT, era: 0 });
        // One that is refused is in a block by now, or is replaced the next time.
        await this.chain.submit(again.toHex()).catch(() => {});
      }
    }
    return waiting;
  }

  /** Refills the pool. */
  async #fill() {
    const next = this.signed.splice(0, Math.max(Filler.#WAITING - (await this.#waiting()), 0));
    this.#sent += next.length;
    await Promise.all(next.map((hex) => this.chain.submit(hex)));
  }

  async #goOn() {
    while (this.isOn && this.signed.length) {
      await this.#fill();
      await sleep(50);
    }
  }

  /**
   * Stops, and waits until blocks include every transaction that was sent: a later call of the payer would
   * have the nonce of one that is in the pool. Returns the used part of the weight for paid transactions, in
   * percent, for each block from the start to the stop.
   */
  async stop() {
    // Later blocks include the last transactions, and are not full.
    const end = await this.chain.height();
    this.isOn = false;
    await this.done;
    await until(
      `blocks include the ${this.#sent} transactions that filled blocks; see the node's log`,
      async () => ((await this.#waiting()) > 0 ? undefined : true),
      { timeout: Filler.#PATIENCE, every: 50 },
    );
    const { api } = this.chain;
    const filled = [];
    for (let height = this.from; height <= end; height += 1) {
      const at = await api.at(await api.rpc.chain.getBlockHash(height));
      const { normal } = plain(await at.query.system.blockWeight());
      filled.push(Number((normal.refTime * 100n) / this.most.refTime));
    }
    return filled;
  }
}

/** Processor seconds that a process has used. */
function processorSeconds(pid) {
  // Fields 14 and 15, in hundredths of a second, counted after the name, which may have spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/**
 * Sends `count` invalid duties: from a key that is no hot key, with a wrong signature of the hot key `hot`,
 * and signed by it for a claim that it was not drawn for. Returns the number of refusals by reason, and the
 * seconds that the process `pid` used meanwhile.
 */
export async function flood(chain, { count, hot, pid }) {
  const stranger = key('//Stranger');
  const call = () => chain.call('claims.commitCheck', 10n ** 9n, 0, randomHash());
  const kinds = [
    (recent) => chain.duty(call(), stranger, recent, u8aToHex(randomBytes(64))),
    (recent) => chain.duty(call(), hot, recent, u8aToHex(randomBytes(64))),
    (recent) => chain.duty(call(), hot, recent),
  ];
  const TOGETHER = 100;
  const refusals = new Map();
  const before = processorSeconds(pid);
  const start = Date.now();
  for (let sent = 0; sent < count; sent += TOGETHER) {
    // A signature is valid for 64 blocks.
    const recent = await chain.recent();
    const duties = Array.from({ length: Math.min(TOGETHER, count - sent) }, (_, n) => kinds[(sent + n) % kinds.length](recent));
    await Promise.all(duties.map((hex) =>
      chain.submit(hex, 'claims').then(
        () => 'accepted',
        ({ name }) => name,
      ).then((reason) => refusals.set(reason, (refusals.get(reason) ?? 0) + 1))));
  }
  return { refusals, seconds: (Date.now() - start) / 1000, processor: processorSeconds(pid) - before };
}

/**
 * The included part of the duties of these requests: the answers that were assigned, and the checks that were
 * drawn and committed.
 */
export function dutiesIncluded(chain, ids) {
  const wanted = new Set(ids);
  const count = (name, test) => chain.eventsNamed(name, test).length;
  const ofRequest = ({ request }) => wanted.has(request);
  const claims = new Set(chain.eventsNamed('inference.Answered', ofRequest).map(({ data }) => data.claim));
  const ofClaim = ({ claim }) => claims.has(claim);
  const seats = chain.eventsNamed('claims.CheckDrawn', ofClaim).reduce((sum, { data }) => sum + data.seats.length, 0);
  const commitments = count('claims.CheckCommitted', ofClaim);
  const due = count('inference.Assigned', ofRequest) + seats + commitments;
  return (claims.size + commitments + count('claims.CheckRevealed', ofClaim)) / due;
}
