// A gateway as a real process: OpenAI's API for the suite, paid from an account of its own.

import assert from 'node:assert/strict';
import path from 'node:path';
import OpenAI from 'openai';

import { Program, freePort, until } from './process.js';
import { binary, worker } from './programs.js';
import { UNIT } from './world.js';

/** The stages of a receipt that does not fall, in their order. */
export const STAGES = ['signed', 'paid', 'claimed', 'checked', 'final'];

export class Gateway {
  /**
   * Starts a gateway that pays from a new account, and waits until it listens and, with `warms`, until it has a session
   * whose worker can be asked. `options` are further ones of `noema-worker gateway`.
   */
  static async start(world, { amount = 1_000n * UNIT, options = [], warms = true } = {}) {
    const gateway = new Gateway();
    gateway.world = world;
    gateway.payer = await world.account(amount);
    gateway.account = `//Account${world.accounts}`;
    gateway.options = options;
    gateway.port = await freePort();
    await gateway.run();
    if (warms) await gateway.warm();
    return gateway;
  }

  /** Starts its process, and waits until it listens. */
  async run() {
    const { world } = this;
    this.program = new Program(
      'gateway',
      binary('noema-worker'),
      [
        'gateway',
        '--url', world.url,
        '--account', this.account,
        '--checkpoint', world.checkpoint,
        '--listen', `127.0.0.1:${this.port}`,
        '--context', '2048',
        ...this.options,
      ],
      { env: { NOEMA_HOME: world.home }, log: path.join(world.folder, `gateway${this.account.replaceAll('/', '-')}.log`) },
    );
    world.programs.add(this.program);
    await until('the gateway listens', async () => {
      this.program.assertAlive();
      return (await fetch(`${this.url}/health`).catch(() => undefined)) && true;
    }, { every: 50 });
  }

  /** Waits until it has a session whose worker can be asked. */
  async warm() {
    await until('the gateway has a session', async () => ((await this.metric('sessions')) > 0 ? true : undefined), { every: 50 });
  }

  /** `kill -9` of its process. */
  async kill() {
    this.world.programs.delete(this.program);
    await this.program.kill();
  }

  /** Asks its process to stop and waits. */
  async stop() {
    this.world.programs.delete(this.program);
    assert.equal(await this.program.stop(), 0, this.program.tail());
  }

  /** Closes its sessions on chain, by the command; returns their numbers. */
  async close() {
    const { world } = this;
    const { status, stdout, stderr } = await worker(world.home, ['gateway', 'close', '--url', world.url, '--account', this.account]);
    assert.equal(status, 0, stderr);
    return [...stdout.matchAll(/closed session (\d+)/g)].map(([, number]) => BigInt(number));
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** A client of the package `openai`, with the bearer key `key`. */
  client(key = 'none needed', options = {}) {
    return new OpenAI({ baseURL: `${this.url}/v1`, apiKey: key, maxRetries: 0, timeout: 120_000, ...options });
  }

  /** A figure of its metrics, such as `receipts_total`. */
  async metric(name) {
    return metricOf(`${this.url}/metrics`, `noema_gateway_${name}`);
  }

  /** Asks one question without randomness; returns the whole answer. */
  ask(content, options = {}) {
    const messages = Array.isArray(content) ? content : [{ role: 'user', content }];
    return this.client().chat.completions.create({ model: this.world.checkpoint, temperature: 0, max_tokens: 16, messages, ...options });
  }

  /** The same as a stream of the package `openai`. */
  stream(content, options = {}) {
    return this.ask(content, { stream: true, stream_options: { include_usage: true }, ...options });
  }

  /** Where a receipt stands; waits while the gateway has no node to read it from. */
  standing(hash) {
    return until(`the gateway reads where receipt ${hash} stands`, async () => {
      const answer = await fetch(`${this.url}/v1/noema/receipts/${hash}`);
      if (answer.status === 503) return undefined;
      assert.equal(answer.status, 200, await answer.clone().text());
      return answer.json();
    }, { timeout: 30_000 });
  }

  /** Waits until the receipt reaches a state; returns all states seen on the way, and the last standing. */
  async reaches(hash, state, timeout = 180_000) {
    const seen = [];
    const standing = await until(`receipt ${hash} is ${state}`, async () => {
      const now = await this.standing(hash);
      if (seen.at(-1) !== now.state) seen.push(now.state);
      return now.state === state ? now : undefined;
    }, { timeout, every: 250 });
    return { seen, standing };
  }
}

/** Reads a stream to its end; returns its text, the reason of the end, its usage and its receipts. */
export async function readStream(stream, onText = () => {}) {
  const read = { text: '', pieces: 0, reason: null, usage: null, noema: null };
  for await (const chunk of stream) {
    const [choice] = chunk.choices;
    const text = choice?.delta?.content ?? '';
    read.text += text;
    if (text) read.pieces += 1;
    read.reason = choice?.finish_reason ?? read.reason;
    read.usage = chunk.usage ?? read.usage;
    read.noema = chunk.noema ?? choice?.noema ?? read.noema;
    if (text) await onText(read);
  }
  return read;
}

/** A figure of a page of metrics: the sum over its labels. */
export async function metricOf(url, name) {
  const page = await (await fetch(url)).text();
  const lines = page.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  assert.ok(lines.length, `${url} has no ${name}`);
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
