// A gateway with the real model, asked by clients that others wrote: openai for Node.js, and openai and LangChain for
// Python. Its answers are claimed, checked and paid.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Gateway, STAGES, metricOf, readStream } from '../lib/gateway.js';
import { Load } from '../lib/chats.js';
import { freePort, runProgram, until } from '../lib/process.js';
import { worker } from '../lib/programs.js';
import { Books } from '../lib/sessions.js';
import { CHECK_ALL } from '../lib/rules.js';
import { UNIT, World } from '../lib/world.js';

/** The seconds of the load; NOEMA_E2E_CHAT_SECONDS=120 takes two minutes. */
const LOAD_SECONDS = Number(process.env.NOEMA_E2E_CHAT_SECONDS ?? 20);
/** The Python with the clients, which scripts/setup.sh installs. */
const PYTHON = process.env.NOEMA_E2E_PYTHON;

const QUESTION = 'What is the capital of France?';
const LONG = 'Write a long story about a sailor and the sea.';

describe('a gateway', () => {
  let world;
  let gateway;
  let operator;
  let metrics;

  before(async () => {
    world = await World.start('gateway', { rules: CHECK_ALL });
    const port = await freePort();
    metrics = `http://127.0.0.1:${port}/metrics`;
    [operator] = await world.add([['Worker', 'Worker1']], {
      // The answers of all sessions stay below the part of the bond with which a worker claims.
      bond: 10_000n * UNIT,
      prices: { perPromptByte: UNIT / 100_000n, perAnswerToken: UNIT / 1_000n },
      runs: () => ({ home: world.home, args: ['--trust-weights', '--metrics-addr', `127.0.0.1:${port}`] }),
      waits: false,
    });
    await world.add([['Validator', 'Validator1'], ['Validator', 'Validator2']], { together: true });
    gateway = await Gateway.start(world, { options: ['--sessions', '16', '--hold', '4', '--budget', '80'] });
  }, { timeout: 400_000 });
  after(() => world?.stop());

  /** Asserts that a call is refused in OpenAI's form. */
  const refused = (call, expected) =>
    assert.rejects(call, (error) => {
      const { status, code, param, type } = error;
      assert.ok(type && error.message, 'it has a type and a message');
      assert.deepEqual({ status, code, param }, { code: null, param: null, ...expected });
      return true;
    });

  it('answers with receipts, streamed or not, with the same text', { timeout: 120_000 }, async () => {
    const whole = await gateway.ask(QUESTION);
    const [choice] = whole.choices;
    assert.match(choice.message.content, /Paris/);
    assert.equal(whole.system_fingerprint, world.checkpoint);
    const { price, receipts } = choice.noema;
    assert.ok(receipts.every(({ checkpoint }) => checkpoint === world.checkpoint));
    assert.equal(receipts.reduce((sum, receipt) => sum + BigInt(receipt.price), 0n), BigInt(price));
    assert.equal(receipts.reduce((sum, { answer_tokens: tokens }) => sum + tokens, 0), whole.usage.completion_tokens);

    const streamed = await readStream(await gateway.stream(QUESTION));
    assert.equal(streamed.text, choice.message.content);
    assert.ok(streamed.pieces > 3, `the text comes in ${streamed.pieces} pieces`);
    assert.deepEqual([streamed.reason, streamed.usage.completion_tokens], [choice.finish_reason, whole.usage.completion_tokens]);
    assert.ok(streamed.noema.receipts.length > 0, 'the last event has the receipts');
  });

  it('keeps a conversation with its worker, which has it cached', { timeout: 120_000 }, async () => {
    const messages = [{ role: 'system', content: 'You answer in one sentence.' }];
    const turns = [];
    for (const content of ['Who wrote Hamlet?', 'In which century?', 'And who was king then?', 'Thank you.']) {
      messages.push({ role: 'user', content });
      const { choices: [{ message, noema }], usage } = await gateway.ask(messages, { max_tokens: 24 });
      messages.push({ role: 'assistant', content: message.content });
      turns.push({ session: noema.receipts[0].session, prompt: usage.prompt_tokens, cached: usage.prompt_tokens_details.cached_tokens });
    }
    assert.equal(new Set(turns.map(({ session }) => session)).size, 1, JSON.stringify(turns));
    for (const [place, { prompt, cached }] of turns.entries()) {
      // All but the last token of what came before is cached, so most of the prompt.
      if (place > 0) assert.ok(cached >= turns[place - 1].prompt - 1 && cached < prompt, JSON.stringify(turns));
    }
  });

  it('ends an answer at a stop string, of which nothing is passed on', { timeout: 120_000 }, async () => {
    const { choices: [{ message: { content } }] } = await gateway.ask(QUESTION);
    const stop = content.slice(9, 15);
    const [whole, streamed] = [await gateway.ask(QUESTION, { stop }), await readStream(await gateway.stream(QUESTION, { stop: ['no such', stop] }))];
    assert.equal(whole.choices[0].message.content, content.slice(0, content.indexOf(stop)));
    assert.equal(whole.choices[0].finish_reason, 'stop');
    assert.equal(streamed.text, whole.choices[0].message.content);
  });

  it('is deterministic without randomness, and refuses a seed where neither side may choose it', { timeout: 120_000 }, async () => {
    const texts = [];
    for (const seed of [7, 7, 8]) texts.push((await gateway.ask(LONG, { seed, max_tokens: 32 })).choices[0].message.content);
    assert.equal(new Set(texts).size, 1);
    await refused(gateway.ask(LONG, { seed: 7, temperature: 0.7 }), { status: 400, code: 'unsupported_parameter', param: 'seed' });
  });

  it('gives several answers, each with receipts and a seed of its own', { timeout: 120_000 }, async () => {
    const { choices } = await gateway.ask('Name an animal.', { n: 3, temperature: 1.5, max_tokens: 12 });
    assert.deepEqual(choices.map(({ index }) => index), [0, 1, 2]);
    const receipts = choices.flatMap(({ noema }) => noema.receipts);
    assert.equal(new Set(receipts.map(({ hash }) => hash)).size, receipts.length);
    const texts = ['', ''];
    for await (const chunk of await gateway.stream('Name an animal.', { n: 2 })) {
      for (const { index, delta } of chunk.choices) texts[index] += delta.content ?? '';
    }
    assert.ok(texts[0].length > 0 && texts[0] === texts[1], 'without randomness both are the same');
  });

  it('refuses in OpenAI\'s form, and names the parameter', { timeout: 60_000 }, async () => {
    await refused(gateway.ask(QUESTION, { logprobs: true }), { status: 400, code: 'unsupported_parameter', param: 'logprobs' });
    await refused(gateway.ask(QUESTION, { frequency_penalty: 0.5 }), { status: 400, code: 'unsupported_parameter', param: 'frequency_penalty' });
    await refused(gateway.ask(QUESTION, { temperature: 99 }), { status: 400, param: 'temperature' });
    await refused(gateway.ask(QUESTION, { model: 'gpt-4o' }), { status: 404, code: 'model_not_found', param: 'model' });
    await refused(gateway.ask('sea '.repeat(3_000)), { status: 400, code: 'context_length_exceeded', param: 'messages' });
    await refused(gateway.ask([]), { status: 400, param: 'messages' });
    await refused(gateway.client().embeddings.create({ model: world.checkpoint, input: 'x' }), { status: 404 });
    const page = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers: { origin: 'https://example.org' }, body: '{}' });
    assert.equal(page.status, 403, 'a foreign page');
    const { choices } = await gateway.ask(QUESTION, { user: 'someone', metadata: { a: 'b' }, store: false });
    assert.match(choices[0].message.content, /Paris/, 'what is harmless is ignored');
  });

  it('stops the worker where a client disconnects in the middle', { timeout: 120_000 }, async () => {
    const before = { ended: await gateway.metric('ended_total'), tokens: await gateway.metric('tokens_total') };
    const stream = await gateway.stream(LONG, { max_tokens: 600 });
    let seen = 0;
    for await (const chunk of stream) {
      seen += chunk.choices[0]?.delta?.content ? 1 : 0;
      if (seen === 12) break; // The client closes the connection.
    }
    await until('the answer is ended', async () => ((await gateway.metric('ended_total')) > before.ended ? true : undefined), { timeout: 20_000, every: 50 });
    const paid = (await gateway.metric('tokens_total')) - before.tokens;
    // A pass makes a token; the others are what was on its way, and what a busy machine makes while it learns of the end.
    assert.ok(paid >= seen && paid < seen + 60, `${paid} tokens are paid, ${seen} pieces were seen`);
    const served = await metricOf(metrics, 'noema_worker_session_tokens_total');
    const { choices } = await gateway.ask(QUESTION);
    assert.match(choices[0].message.content, /Paris/, 'the session goes on');
    await until('the worker counts both', async () =>
      (await metricOf(metrics, 'noema_worker_session_tokens_total')) > served || undefined, { timeout: 20_000 });
  });

  it('has this machine execute an answer again', { timeout: 120_000 }, async () => {
    const { choices: [{ noema: { receipts: [{ hash, answer_tokens: tokens }] } }] } = await gateway.ask(QUESTION);
    const url = `${gateway.url}/v1/noema/receipts/${hash}/recompute`;
    await fetch(url, { method: 'POST' });
    const done = await until('it is executed', async () => {
      const now = await (await fetch(url)).json();
      return now.state === 'running' ? undefined : now;
    }, { timeout: 60_000 });
    assert.deepEqual([done.state, done.same, done.tokens, done.first_difference], ['done', true, tokens, null]);
  });

  describe('with bearer keys', () => {
    let guarded;
    let file;
    const make = async (name, ...options) => {
      const { status, stdout, stderr } = await worker(world.home, ['gateway', 'key', 'make', name, ...options, '--keys', file, '--url', world.url]);
      assert.equal(status, 0, stderr);
      return stdout.trim();
    };

    before(async () => {
      file = path.join(world.folder, 'keys.json');
      await make('first');
      guarded = await Gateway.start(world, { options: ['--keys', file, '--sessions', '2', '--hold', '2', '--budget', '8'] });
    }, { timeout: 120_000 });
    after(() => guarded?.stop());

    const ask = (key, options = {}) =>
      guarded.client(key).chat.completions.create({
        model: world.checkpoint, messages: [{ role: 'user', content: QUESTION }], temperature: 0, max_tokens: 16, ...options,
      });

    it('answers who has one, until it is revoked', { timeout: 60_000 }, async () => {
      await refused(ask('sk-wrong'), { status: 401, code: 'invalid_api_key' });
      const key = await make('second');
      // A running gateway learns of keys within a second or so.
      const answer = await until('the key is known', () => ask(key).catch(() => undefined), { timeout: 20_000 });
      assert.match(answer.choices[0].message.content, /Paris/);
      const { status } = await worker(world.home, ['gateway', 'key', 'revoke', 'second', '--keys', file, '--url', world.url]);
      assert.equal(status, 0);
      await until('the key is refused', () => ask(key).then(() => undefined, ({ status }) => status === 401 || undefined), { timeout: 20_000 });
    });

    it('keeps each to its budget and to its rate', { timeout: 60_000 }, async () => {
      const hasty = await make('hasty', '--rate', '2');
      const poor = await make('poor', '--budget', '0.02');
      await until('the key is known', () => guarded.client(poor).models.list().then(() => true, () => undefined), { timeout: 20_000 });
      await refused(ask(poor, { max_tokens: 600 }), { status: 429, code: 'insufficient_quota' });
      let spent = 0n;
      let refusal;
      while (!refusal) {
        const answer = await ask(poor).catch((error) => (refusal = error));
        if (answer.choices) spent += BigInt(answer.choices[0].noema.price);
      }
      assert.deepEqual([refusal.status, refusal.code], [429, 'insufficient_quota']);
      assert.ok(spent > 0n && spent <= UNIT / 50n, `it spent ${spent}`);
      // What was spent is written every two seconds.
      await until('the list has it', async () => {
        const { stdout } = await worker(world.home, ['gateway', 'key', 'list', '--keys', file, '--url', world.url]);
        return /^poor: spent 0\.0\d+ NOEMA of 0\.02 NOEMA/m.test(stdout) || undefined;
      }, { timeout: 20_000 });

      const calls = await Promise.allSettled([1, 2, 3, 4].map(() => ask(hasty, { max_tokens: 2 })));
      const late = calls.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
      assert.equal(late.length, 2);
      for (const { status, code, headers } of late) {
        assert.deepEqual([status, code], [429, 'rate_limit_exceeded']);
        assert.ok(Number(headers.get('retry-after')) > 0);
      }
    });

    it('answers the clients of Python: openai, at once too, and LangChain', { timeout: 180_000 }, async () => {
      assert.ok(PYTHON && existsSync(PYTHON), `NOEMA_E2E_PYTHON names no Python with the clients: ${PYTHON}; run scripts/setup.sh --e2e`);
      const key = await make('python');
      const { status, stdout, stderr } = await runProgram(
        PYTHON,
        [fileURLToPath(new URL('../clients.py', import.meta.url)), guarded.url, key, world.checkpoint],
        { timeout: 150_000, env: { LANGSMITH_TRACING: 'false' } },
      );
      assert.equal(status, 0, stderr);
      const { openai, at_once: atOnce, langchain } = JSON.parse(stdout);
      const text = (await gateway.ask(QUESTION)).choices[0].message.content;
      for (const other of [openai.whole, openai.streamed, openai.response, openai.response_streamed, langchain.whole, langchain.streamed, ...atOnce, ...langchain.batch]) {
        assert.equal(other, text, stdout);
      }
      assert.match(openai.completion, /Paris/);
      assert.equal(openai.history, langchain.history);
      assert.equal(langchain.stopped, text.slice(0, text.indexOf('France')));
      assert.deepEqual(openai.refused, {
        key: { code: 'invalid_api_key', param: null },
        model: { code: 'model_not_found', param: 'model' },
        logprobs: { code: 'unsupported_parameter', param: 'logprobs' },
        context: { code: 'context_length_exceeded', param: 'messages' },
      });
    });
  });

  it(`loses none of 64 chats at once for ${LOAD_SECONDS} s, and its memory stays flat`, { timeout: 200_000 + LOAD_SECONDS * 1_000 }, async () => {
    const receipts = await gateway.metric('receipts_total');
    const load = new Load(gateway, { chats: 64, watched: { gateway: gateway.program.pid, worker: operator.program.pid } });
    const { answers, receipts: given, failures, seconds, tokens, memory } = await load.run(LOAD_SECONDS);
    assert.deepEqual(failures, []);
    assert.ok(answers >= 64, `${answers} answers`);
    assert.equal((await gateway.metric('receipts_total')) - receipts, given, 'each receipt reached its client');
    assert.equal(await gateway.metric('in_progress'), 0);
    for (const [name, { early, last }] of Object.entries(memory)) {
      assert.ok(last < early * 1.15 + 32, `the memory of the ${name} grew from ${early} to ${last} MiB`);
    }
    console.error(`64 chats at once: ${answers} answers in ${seconds.toFixed(0)} s, ${(tokens / seconds).toFixed(0)} tokens a second, memory ${JSON.stringify(memory)}`);
  });

  it('pays many answers with one claim a session: each receipt is signed, checked, and final', { timeout: 240_000 }, async () => {
    const { choices: [{ noema: { receipts } }] } = await gateway.ask(QUESTION);
    const { hash, session } = receipts.at(-1);
    assert.ok(['signed', 'paid'].includes((await gateway.standing(hash)).state));
    const [given, spent] = [await gateway.metric('receipts_total'), await gateway.metric('spent_total')];
    const closed = await gateway.close();
    assert.ok(closed.includes(BigInt(session)));
    const { seen, standing } = await gateway.reaches(hash, 'final');
    assert.deepEqual(seen, STAGES.filter((state) => seen.includes(state)), 'the stages are in their order');
    assert.ok(['claimed', 'checked', 'final'].every((state) => seen.includes(state)), seen.join());
    assert.ok(standing.claim.drawn.length > 0 && !standing.disputed);

    const books = new Books(world, gateway.payer);
    await books.settled(closed);
    const claims = books.claims(closed);
    assert.equal(claims.reduce((sum, { leaves }) => sum + Number(leaves), 0), given, 'every receipt is a leaf');
    assert.equal(claims.reduce((sum, { payment }) => sum + payment, 0n), BigInt(spent), 'what was spent is what was claimed');
    assert.ok(claims.length <= closed.length, `${claims.length} claims of ${closed.length} sessions`);
    console.error(`${given} answers in ${claims.length} claims, the largest of ${Math.max(...claims.map(({ leaves }) => Number(leaves)))}`);
    await books.balance();
    await world.audit();
  });

  it('loses nothing', () => world.close());
});
