// Sessions whose sides are killed at each of their steps, and whose sides break the rules: real gateways, real workers
// and real validators; peers that break the rules are simulated by the test, or are tests/dishonest-session.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { Gateway, metricOf, readStream } from '../lib/gateway.js';
import { freePort, until } from '../lib/process.js';
import { CHECK_ALL } from '../lib/rules.js';
import { Books, SimulatedSession, openSession } from '../lib/sessions.js';
import { asksDishonestly, servesDishonestly, withFalseWeights } from '../lib/dishonest.js';
import { UNIT, World } from '../lib/world.js';

const QUESTION = 'What is the capital of France?';
const LONG = 'Write a long story about a sailor and the sea.';
/** Prices as on a development chain. */
const PRICES = { perPromptByte: UNIT / 100_000n, perAnswerToken: UNIT / 1_000n };
const BOND = 1_000n * UNIT;
/** Windows and draws are counted in blocks: short ones end the claims soon. */
const BLOCK_TIME = 250;
/** Every claim is checked, and a withheld leaf is missed soon. */
const RULES = { claims: { ...CHECK_ALL.claims, windows: { post: 12n } } };

describe('sessions', () => {
  let world;
  let workers;
  /** The books of payers whose sessions are closed, and not settled yet. */
  const unsettled = [];
  /** What holds once they are settled. */
  const afterwards = [];

  before(async () => {
    world = await World.start('sessions', { blockTime: BLOCK_TIME, rules: RULES });
    const metrics = { Worker1: await freePort(), Worker2: await freePort() };
    workers = await world.add([['Worker', 'Worker1'], ['Worker', 'Worker2']], {
      bond: BOND,
      prices: PRICES,
      runs: (name) => ({ home: world.home, args: ['--trust-weights', '--metrics-addr', `127.0.0.1:${metrics[name]}`] }),
      waits: false,
    });
    for (const worker of workers) worker.metrics = `http://127.0.0.1:${metrics[worker.name]}/metrics`;
    // Two check a leaf, the others judge.
    await world.add([1, 2, 3, 4].map((n) => ['Validator', `Validator${n}`]), { together: true });
  }, { timeout: 400_000 });
  after(() => world?.stop());

  const operatorOf = async (gateway, { receipts }) => world.operator((await gateway.standing(receipts.at(-1).hash)).worker);

  describe('whose sides are killed', () => {
    let gateway;
    /** The receipts that clients of the gateway have. */
    const receipts = new Map();
    const keep = ({ receipts: given }) => given.forEach((receipt) => receipts.set(receipt.hash, receipt));
    let story;
    before(async () => {
      gateway = await Gateway.start(world, { options: ['--sessions', '3', '--hold', '3', '--budget', '30'] });
    }, { timeout: 120_000 });

    /** Asks for the whole story; returns its text and the worker that told it. */
    const told = async (options = {}) => {
      const { choices: [{ message, noema }] } = await gateway.ask(LONG, { max_tokens: 96, ...options });
      keep(noema);
      return { text: message.content, worker: await operatorOf(gateway, noema) };
    };
    /** Begins the story as a stream, and calls `act` after some of its text; returns what was read. */
    const interrupted = async (act, options = {}) => {
      const stream = await gateway.stream(LONG, { max_tokens: 96, ...options });
      let acted;
      const read = await readStream(stream, ({ pieces }) => {
        if (pieces === 12) acted = act();
      });
      await acted;
      if (read.noema) keep(read.noema);
      return read;
    };

    it('gateway: before the opening of its session is final, it opens or finds one after its restart', { timeout: 120_000 }, async () => {
      const hasty = await Gateway.start(world, { warms: false, options: ['--hold', '1'] });
      const { api } = world.chain;
      // It is in the pool, or in a block that is not final.
      await until('the opening is sent', async () =>
        (await api.rpc.system.accountNextIndex(hasty.payer.address)).toNumber() > 0 || undefined, { every: 5 });
      await hasty.kill();
      await world.chain.blocks(2);
      await hasty.run();
      await hasty.warm();
      const { choices: [{ message }] } = await hasty.ask(QUESTION);
      assert.match(message.content, /Paris/);
      const books = new Books(world, hasty.payer);
      assert.ok(books.opened.length <= 2);
      await hasty.stop();
      await hasty.close();
      unsettled.push(books);
    });

    it('node: before the opening is final, the gateway opens a session after its restart', { timeout: 120_000 }, async () => {
      const hasty = await Gateway.start(world, { warms: false, options: ['--hold', '1'] });
      const { api } = world.chain;
      await until('the opening is sent', async () =>
        (await api.rpc.system.accountNextIndex(hasty.payer.address)).toNumber() > 0 || undefined, { every: 5 });
      await world.restartNode();
      // While the node was away, the gateway says so.
      const answer = await until('an answer', () => hasty.ask(QUESTION).catch(({ status }) => {
        assert.equal(status, 503);
      }), { timeout: 60_000 });
      assert.match(answer.choices[0].message.content, /Paris/);
      await hasty.stop();
      await hasty.close();
      unsettled.push(new Books(world, hasty.payer));
    });

    it('worker: in the middle of an answer, another one goes on with the same text', { timeout: 120_000 }, async () => {
      story = await told();
      const { worker } = story;
      const moved = await gateway.metric('moved_total');
      const read = await interrupted(() => worker.kill());
      assert.equal(read.text, story.text, 'word for word, as without a failure');
      assert.notEqual(await operatorOf(gateway, read.noema), worker);
      assert.ok((await gateway.metric('moved_total')) > moved);
      worker.start();
      await worker.program.says(/ ready /);
    });

    it('node: in the middle of an answer, which goes on without it', { timeout: 120_000 }, async () => {
      let restarted;
      const read = await interrupted(async () => {
        await world.killNode();
        restarted = world.startNode();
      });
      assert.equal(read.text, story.text);
      await restarted;
      await world.chain.reconnect();
      assert.equal((await told()).text, story.text, 'and the next one is there, too');
    });

    it('gateway: in the middle of an answer, which it ends and pays after its restart', { timeout: 120_000 }, async () => {
      await assert.rejects(interrupted(() => gateway.kill()), 'the client learns of it');
      await gateway.run();
      assert.equal((await told()).text, story.text);
    });

    it('gateway: after the answer, before it has read the receipt, which is sent again', { timeout: 120_000 }, async () => {
      const answers = async () => {
        const counted = await Promise.all(workers.map(({ metrics }) => metricOf(metrics, 'noema_worker_session_answers_total')));
        return counted[0] + counted[1];
      };
      const before = await answers();
      const controller = new AbortController();
      const stream = await gateway.client().chat.completions.create(
        { model: world.checkpoint, messages: [{ role: 'user', content: LONG }], temperature: 0, max_tokens: 96, stream: true },
        { signal: controller.signal },
      );
      await stream[Symbol.asyncIterator]().next();
      gateway.program.pause();
      await until('the worker has answered', async () => ((await answers()) > before ? true : undefined), { timeout: 30_000 });
      await gateway.kill();
      controller.abort();
      await gateway.run();
      assert.equal((await told()).text, story.text);
    });

    it('worker: after its answers, before its claim; and the node when the claim is made. All is paid', { timeout: 180_000 }, async () => {
      await Promise.all(workers.map((worker) => worker.kill()));
      const books = new Books(world, gateway.payer);
      await gateway.stop();
      await gateway.close();
      for (const worker of workers) worker.start();
      await world.chain.event('sessions.Claimed', ({ session }) => books.opened.some((opened) => opened.session === session));
      await world.restartNode();
      unsettled.push(books);
      afterwards.push(() => {
        // Answers were given that no client has, each in few parts: those of the gateway that was killed in the middle, and
        // before the receipt.
        const claims = books.claims(books.opened.map(({ session }) => session));
        const leaves = claims.reduce((sum, claim) => sum + Number(claim.leaves), 0);
        assert.ok(leaves >= receipts.size && leaves <= receipts.size + 8, `${leaves} leaves, ${receipts.size} receipts`);
        for (const { claim } of claims) assert.deepEqual(books.ended(claim).outcome, { Final: 'Confirmed' });
      });
    });
  });

  describe('whose sides break the rules', () => {
    let dishonest = [];

    /** Simulated workers, cheaper than the honest ones, so that a gateway asks them first. */
    const cheaper = async (behaviours) => {
      dishonest = await world.add(behaviours.map((behaviour) => ['Worker', `Worker-${behaviour}`]), {
        fake: true,
        bond: BOND,
        prices: { perPromptByte: PRICES.perPromptByte / 10n, perAnswerToken: PRICES.perAnswerToken / 10n },
      });
      await Promise.all(dishonest.map((worker, place) => servesDishonestly(worker, behaviours[place])));
    };
    afterEach(async () => {
      if (!dishonest.length) return;
      await Promise.all(dishonest.splice(0).map((worker) => worker.retire()));
      // The quote has them until the term ends.
      await world.notice();
    });

    /** Has an honest worker answer after each of the others has failed. */
    const breaches = async (behaviours) => {
      await cheaper(behaviours);
      const gateway = await Gateway.start(world, { warms: false, options: ['--hold', '1', '--budget', '10'] });
      const { choices: [{ message, noema }] } = await gateway.ask(QUESTION);
      assert.match(message.content, /Paris/, 'the answer of an honest worker');
      assert.ok(workers.includes(await operatorOf(gateway, noema)));
      const counted = [await gateway.metric('breaches_total'), await gateway.metric('moved_total')];
      assert.deepEqual(counted, [behaviours.length, behaviours.length]);
      // Nothing was paid to the others: their sessions return what they hold, once closed.
      const books = new Books(world, gateway.payer);
      await gateway.stop();
      await gateway.close();
      assert.equal(books.opened.length, behaviours.length + 1);
      unsettled.push(books);
      const honest = BigInt(noema.receipts[0].session);
      assert.deepEqual(books.claims(books.opened.map(({ session }) => session).filter((session) => session !== honest)), []);
    };

    it('a worker: an old voucher, one twice, another of two, one of another session; and it withholds its leaves', { timeout: 120_000 }, async () => {
      const [worker] = await world.add([['Worker', 'Claimant']], { fake: true, bond: BOND, prices: PRICES });
      dishonest = [worker];
      const [session, other] = [await SimulatedSession.open(world, worker), await SimulatedSession.open(world, worker)];
      const refused = (signed, reason, key) => assert.rejects(session.claim(signed, key), { name: `sessions.${reason}` });
      const count = 20;
      await refused(session.voucher(count), 'BadSignature', world.funder);
      await refused(session.voucher(count, { session: other.session }), 'VoucherOfOtherTerms');
      await refused(session.voucher(count, { terms: other.terms }), 'VoucherOfOtherTerms');
      const { claim, stake } = await session.claim(session.voucher(count));
      await refused(session.voucher(count), 'VoucherNotNext');
      await refused(session.voucher(count - 1), 'VoucherNotNext');
      // Of two vouchers for the same answers, the first that is claimed excludes the other.
      await refused(session.voucher(count + 5), 'VoucherNotNext');
      await refused(session.voucher(count, { first: count, leaves: session.leaves(count) }), 'NothingToClaim');

      // The chain closes a session whose claim falls.
      await world.chain.send(world.chain.call('sessions.closeSession', other.session), other.payer);
      const books = new Books(world, session.payer);
      unsettled.push(books, new Books(world, other.payer));
      afterwards.push(() => {
        // Validators cannot read the leaves, since nothing serves them.
        const { outcome, paid } = books.ended(claim);
        assert.deepEqual([Object.keys(outcome.Fallen), paid], [['Withheld'], 0n]);
        const [{ data }] = world.chain.eventsNamed('operators.Slashed', ({ controller }) => controller === worker.address);
        assert.equal(data.paid + data.burned, stake, 'it loses the stake of the whole claim');
      });
    });

    it('workers: no message, a token too many, another answer in the receipt', { timeout: 120_000 }, () =>
      breaches(['garbage', 'extra-token', 'other-receipt']));

    it('workers: a higher price, an old signature', { timeout: 120_000 }, () =>
      breaches(['dear', 'old-signature']));

    it('a payer: each step that the rules exclude is refused, and the worker is paid for all that it gave', { timeout: 120_000 }, async () => {
      const [worker] = workers;
      const payer = await world.account();
      const key = `//Account${world.accounts}`;
      const { session } = await openSession(world, worker, { payer, voucherKey: payer, held: UNIT / 4n });
      const { answers, price, ...told } = await asksDishonestly(world, session, key);
      assert.deepEqual(told, {
        another_payer: 'NotProven',
        no_message: 'closed',
        token_out_of_range: 'Prompt',
        prompt_over_context: 'TooLong',
        no_prompt: 'NoPrompt',
        answer_over_credit: 'CreditTooLow',
        unpaid: 'Unpaid',
        smaller_voucher: 'WrongVoucher',
        forged_voucher: 'WrongSignature',
        voucher: 'paid 1',
        // It has the right one already, which is the one that it claims.
        other_voucher: 'paid 1',
        old_voucher: 'OldVoucher',
        slow_reader: 'paid 3',
        beyond_hold: 'HoldTooLow',
      });
      // It closes before the worker has claimed.
      await world.chain.send(world.chain.call('sessions.closeSession', session), payer);
      const { data: claim } = await world.chain.event('sessions.Claimed', (data) => data.session === session);
      assert.deepEqual([Number(claim.leaves), claim.payment], [answers, BigInt(price)]);
      unsettled.push(new Books(world, payer));
    });

    it('a payer closes its session in the middle of an answer, and the worker claims what vouchers cover', { timeout: 120_000 }, async () => {
      const gateway = await Gateway.start(world, { options: ['--hold', '1', '--sessions', '1', '--budget', '10'] });
      const first = await gateway.ask(QUESTION);
      const paid = BigInt(first.choices[0].noema.price);
      const [{ session }] = new Books(world, gateway.payer).opened;
      const stream = await gateway.stream(LONG, { max_tokens: 48 });
      await stream[Symbol.asyncIterator]().next();
      await world.chain.send(world.chain.call('sessions.closeSession', session), gateway.payer);
      stream.controller.abort();
      const books = new Books(world, gateway.payer);
      const claim = await world.chain.event('sessions.Claimed', (data) => data.session === session);
      assert.ok(claim.data.payment >= paid);
      await gateway.stop();
      await gateway.close();
      unsettled.push(books);
    });

    it('a worker: it answers with another checkpoint, and the draw finds it', { timeout: 240_000 }, async () => {
      const home = withFalseWeights(world);
      const [cheat] = await world.add([['Worker', 'Cheat']], {
        bond: BOND,
        prices: { perPromptByte: PRICES.perPromptByte / 2n, perAnswerToken: PRICES.perAnswerToken / 2n },
        runs: () => ({ home, args: ['--trust-weights'] }),
      });
      cheat.mayLose = true;
      dishonest = [cheat];
      const gateway = await Gateway.start(world, { options: ['--hold', '1', '--sessions', '1', '--budget', '2'] });
      const { choices: [{ noema }] } = await gateway.ask(LONG, { max_tokens: 40 });
      assert.equal(await operatorOf(gateway, noema), cheat, 'the cheapest is asked');
      const sessions = await gateway.close();
      const { seen, standing } = await gateway.reaches(noema.receipts[0].hash, 'refunded');
      assert.equal(standing.reason, 'false_leaf', seen.join());
      const books = new Books(world, gateway.payer);
      await books.settled(sessions);
      const [{ claim, payment, checkFee, stake }] = books.claims(sessions);
      const { paid, refunded } = books.ended(claim);
      assert.deepEqual([paid, refunded], [0n, payment + checkFee], 'the payer has everything back');
      const [{ data }] = world.chain.eventsNamed('operators.Slashed', ({ controller }) => controller === cheat.address);
      assert.deepEqual([data.offence, data.paid + data.burned], ['FalseAnswer', stake]);
      await books.balance();
      await gateway.stop();
      await world.audit();
    });
  });

  it('lose nothing, and return to their payers what is left', { timeout: 240_000 }, async () => {
    for (const books of unsettled) {
      await books.settled(books.opened.map(({ session }) => session));
      await books.balance();
    }
    for (const check of afterwards) check();
    await world.close();
  });
});
