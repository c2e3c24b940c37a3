// The speed of chats through a gateway, beside the executor alone and llama.cpp's server, as JSON:
//
//   node tests/e2e/measure-chats.js CHECKPOINT-FOLDER PYTHON LLAMACPP-MODEL [ROUNDS]
//
// One worker and one gateway serve the model of NOEMA_E2E_CHECKPOINT; the executor and llama.cpp's server run in turn
// with them, with the same number of threads. Gateway and server are asked by the same client, openai for Node.js. All
// prompts are new, so that nothing of them is cached. Medians over the rounds.
//
// first_token_ms, engine_first_token_ms, llamacpp_first_token_ms
//                        from the call to the first text, and the executor's time to the first token of such a prompt
// first_token_ms_over_engine
//                        the difference
// stream_tokens_per_s, engine_tokens_per_s, llamacpp_stream_tokens_per_s
//                        tokens after the first, a second
// stream_over_engine     the gateway's over the executor's
// batch8_chat_tokens_per_s, engine_batch8_tokens_per_s, llamacpp_batch8_chat_tokens_per_s
//                        of eight answers at once, the reading of their prompts included
// batch8_chat_over_engine
//                        the gateway's over the executor's
// kv_reuse, llamacpp_kv_reuse
//                        the part of the tokens of the prompts of a conversation of ten turns that were cached

import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';

import { Gateway } from './lib/gateway.js';
import { Program, runProgram, until } from './lib/process.js';
import { binary } from './lib/programs.js';
import { UNIT, World } from './lib/world.js';

/** Tokens of each answer, answers at once, and turns of a conversation. */
const ANSWER = 128;
const TOGETHER = 8;
const TURNS = 10;
/** Tokens of each answer of the conversation. */
const TURN = 64;

const [checkpoint, python, model, rounds = '5'] = process.argv.slice(2);
const threads = availableParallelism();
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
let asked = 0;
/** A question that no other begins like. */
const question = () => `${(asked += 1)} ${'abcdefghij'[asked % 10]}: write a very long story about a sailor, the sea, and an island that is on no map.`;

/** Measures what serves OpenAI's API at `baseURL`. */
class Chats {
  constructor(baseURL, name) {
    this.client = new OpenAI({ baseURL, apiKey: 'none needed', maxRetries: 0 });
    this.name = name;
    this.measured = { first: [], stream: [], batch: [] };
  }

  #call(messages, options) {
    return this.client.chat.completions.create({ model: this.name, messages, temperature: 0, max_tokens: ANSWER, ...options });
  }

  /** Milliseconds to the first text, tokens a second after it, and the tokens of the prompt. */
  async #stream() {
    const begun = performance.now();
    let first;
    let usage;
    const messages = [{ role: 'user', content: question() }];
    for await (const chunk of await this.#call(messages, { stream: true, stream_options: { include_usage: true } })) {
      if (chunk.choices[0]?.delta?.content) first ??= performance.now();
      usage = chunk.usage ?? usage;
    }
    assert.equal(usage.completion_tokens, ANSWER, 'the answer is as long as that of the executor');
    const seconds = (performance.now() - first) / 1000;
    return { first: first - begun, speed: (ANSWER - 1) / seconds, prompt: usage.prompt_tokens };
  }

  /** Measures once; returns the tokens of a prompt. */
  async round() {
    const { first, speed, prompt } = await this.#stream();
    const begun = performance.now();
    const answers = await Promise.all(Array.from({ length: TOGETHER }, () => this.#call([{ role: 'user', content: question() }])));
    const tokens = answers.reduce((sum, { usage }) => sum + usage.completion_tokens, 0);
    this.measured.first.push(first);
    this.measured.stream.push(speed);
    this.measured.batch.push((1000 * tokens) / (performance.now() - begun));
    return prompt;
  }

  /** Measures without keeping the result, so that caches are warm and sessions open. */
  async warmUp() {
    const prompt = await this.round();
    this.measured = { first: [], stream: [], batch: [] };
    return prompt;
  }

  /** The cached part of the prompts of a conversation. */
  async reuse() {
    const messages = [];
    const total = { prompt: 0, cached: 0 };
    for (let turn = 0; turn < TURNS; turn += 1) {
      messages.push({ role: 'user', content: turn ? `And what came after that, in chapter ${turn + 1}?` : question() });
      const { choices: [{ message }], usage } = await this.#call(messages, { max_tokens: TURN });
      messages.push({ role: 'assistant', content: message.content });
      total.prompt += usage.prompt_tokens;
      total.cached += usage.prompt_tokens_details.cached_tokens;
    }
    return total.cached / total.prompt;
  }
}

/** Measures the executor once, with a prompt of so many tokens. */
async function engine(prompt) {
  const { status, stdout, stderr } = await runProgram(
    binary('examples/measure'), [checkpoint, String(threads), '1', 'map', String(prompt), String(ANSWER)],
  );
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

const world = await World.start('measure-chats', { blockTime: 1_000 });
try {
  // What is claimed meanwhile would take time from the answers.
  await world.add([['Worker', 'Worker1']], {
    bond: 10_000n * UNIT, prices: { perPromptByte: UNIT / 1_000_000n, perAnswerToken: UNIT / 100_000n },
  });
  const gateway = await Gateway.start(world, { options: ['--sessions', String(TOGETHER), '--hold', '2', '--budget', '32'] });
  const server = new Program(
    'llama.cpp', python,
    [fileURLToPath(new URL('../../scripts/peers/llamacpp-server.py', import.meta.url)), model, String(threads), String(TOGETHER)],
    { log: path.join(world.folder, 'llamacpp.log') },
  );
  world.programs.add(server);
  const [address] = await server.says(/http:\/\/[\d.:]+/);
  await until('llama.cpp answers', async () => (await fetch(`${address}/health`).catch(() => ({}))).ok || undefined);

  const [ours, theirs] = [new Chats(`${gateway.url}/v1`, world.checkpoint), new Chats(`${address}/v1`, 'smollm2')];
  const prompt = await ours.warmUp();
  await theirs.warmUp();
  await engine(prompt);
  const alone = { first: [], stream: [], batch: [] };
  for (let round = 0; round < Number(rounds); round += 1) {
    const measured = await engine(prompt);
    alone.first.push(measured.first_token_ms);
    alone.stream.push(measured.decode_tokens_per_s);
    alone.batch.push(measured.batch8_tokens_per_s);
    await ours.round();
    await theirs.round();
  }
  const [mine, executor, peer] = [ours.measured, alone, theirs.measured].map((measured) =>
    Object.fromEntries(Object.entries(measured).map(([name, values]) => [name, median(values)])));
  console.log(JSON.stringify({
    first_token_ms: mine.first,
    engine_first_token_ms: executor.first,
    first_token_ms_over_engine: mine.first - executor.first,
    stream_tokens_per_s: mine.stream,
    engine_tokens_per_s: executor.stream,
    stream_over_engine: mine.stream / executor.stream,
    batch8_chat_tokens_per_s: mine.batch,
    engine_batch8_tokens_per_s: executor.batch,
    batch8_chat_over_engine: mine.batch / executor.batch,
    kv_reuse: await ours.reuse(),
    llamacpp_first_token_ms: peer.first,
    llamacpp_stream_tokens_per_s: peer.stream,
    llamacpp_batch8_chat_tokens_per_s: peer.batch,
    llamacpp_kv_reuse: await theirs.reuse(),
  }));
} finally {
  await world.stop();
}
