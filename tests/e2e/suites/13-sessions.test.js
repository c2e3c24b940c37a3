// Sessions whose sides are killed at each of their steps, and whose sides break the rules: real gateways, real workers
// and real validators; peers that break the rules are simulated by the test, or are tests/dishonest-session.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { Gateway, metricOf, readStream } from '../lib/gateway.js';
import { freePort, until } from '../lib/process.js';
import { CHECK_ALL } from '../lib/rules.js';
import { Books, SimulatedSession } from '../lib/sessions.js';
import { DishonestWorker, askDishonestly } from '../lib/dishonest.js';
import { UNIT, World } from '../lib/world.js';

const QUESTION = 'What is the capital of France?';
const LONG = 'Write a long story about a sailor and the sea.';
/** Prices as on a development chain. */
const PRICES = { perPromptByte: UNIT / 100_000n, perAnswerToken: UNIT / 1_000n };
const BOND = 1_000n * UNIT;
/** A withheld leaf is missed soon. */
const RULES = { claims: { ...CHECK_ALL.claims, windows: { post: 12n } } };

describe('sessions', () => {
  let world;
  let workers;

  before(async () => {
    world = await World.start('sessions', { rules: RULES });
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
    after(() => gateway?.stop());

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
      hasty.books = books;
      await books.settled(books.opened.map(({ session }) => session));
      await books.balance();
    });

    it('node: before the opening is final, the gateway opens a session after its restart', { timeout: 120_000 }, async () => {
      const hasty = await Gateway.start(world, { warms: false, options: ['--hold', '1'] });
      const { api } = world.chain;
      await until('the opening is sent', async () =>
        (await api.rpc.system.accountNextIndex(hasty.payer.address)).toNumber() > 0 || undefined, { every: 5 });
      await world.restartNode();
      const { choices: [{ message }] } = await hasty.ask(QUESTION);
      assert.match(message.content, /Paris/);
      await hasty.stop();
      await hasty.close();
      const books = new Books(world, hasty.payer);
      await books.settled(books.opened.map(({ session }) => session));
      await books.balance();
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
      const pending = gateway.client().chat.completions.create(
        { model: world.checkpoint, messages: [{ role: 'user', content: QUESTION }], temperature: 0, max_tokens: 64, stream: true },
        { signal: controller.signal },
      );
      const stream = await pending;
      const [first] = [await stream[Symbol.asyncIterator]().next()];
      assert.ok(!first.done);
      gateway.program.pause();
      await until('the worker has answered', async () => ((await answers()) > before ? true : undefined), { timeout: 30_000 });
      await gateway.kill();
      controller.abort();
      await gateway.run();
      assert.equal((await told()).text, story.text);
    });

    it('worker: after its answers, before its claim; and the node when the claim is made. All is paid', { timeout: 240_000 }, async () => {
      await Promise.all(workers.map((worker) => worker.kill()));
      const books = new Books(world, gateway.payer);
      await gateway.stop();
      await gateway.close();
      for (const worker of workers) worker.start();
      await world.chain.event('sessions.Claimed', ({ session }) => books.opened.some((opened) => opened.session === session));
      await world.restartNode();
      const sessions = books.opened.map(({ session }) => session);
      await books.settled(sessions);
      // Two answers were given that no client has: of the gateway that was killed in the middle, and before the receipt.
      const leaves = books.claims(sessions).reduce((sum, claim) => sum + Number(claim.leaves), 0);
      assert.ok(leaves >= receipts.size && leaves <= receipts.size + 8, `${leaves} leaves, ${receipts.size} receipts`);
      for (const claim of books.claims(sessions)) assert.deepEqual(books.ended(claim.claim).outcome, { Final: 'Confirmed' });
      await books.balance();
      await world.audit();
      await gateway.run();
    });
  });

  it('lose nothing', () => world.close());
});
