// A gateway whose answers the test writes: the methods and the stream of offchain-worker/gateway, and the page as that
// serves it. docs/gateway.md describes what both speak.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const page = fileURLToPath(new URL('../../', import.meta.url));
const dist = path.join(page, 'dist');
const KINDS = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export const CHECKPOINT = `0x${'07'.repeat(32)}`;
/** The price of a token, in the smallest units. */
const PRICE = 540_000_000n;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const hashOf = (text) => `0x${createHash('sha256').update(text).digest('hex')}`;

/** The policy of the page, for a node at this URL. */
export const policy = (node) =>
  readFileSync(path.join(page, 'policy.txt'), 'utf8').trim().split('\n').join('; ').replace('{node}', node ?? '').trim();

/** A gateway on a port of its own. */
export class ScriptedGateway {
  /** `node` is the URL of the node's RPC that the explorer uses; with `key`, calls need that bearer key. */
  static async start({ node = null, key = null } = {}) {
    const gateway = new ScriptedGateway(node, key);
    await new Promise((resolve) => gateway.http.listen(0, '127.0.0.1', resolve));
    return gateway;
  }

  constructor(node, key) {
    Object.assign(this, { node, key });
    /**
     * The answers of the next calls, then the last one again: `text`, `pause` after each token, `holds` as the token before
     * which it waits for `until`, the parts that are `unsigned`, `breaks` as the token in whose place it fails, or an `error` without a text.
     */
    this.script = [{ text: 'Paris is the capital of France.' }];
    /** The bodies of the calls so far. */
    this.asked = [];
    /** Answers whose caller went away. */
    this.ended = 0;
    /** What is known of each receipt, by its hash. */
    this.receipts = new Map();
    /** How a re-execution goes: `same`, or the first token that differs. */
    this.recomputes = { same: true };
    this.runs = new Map();
    this.http = http.createServer((request, reply) => {
      this.#answer(request, reply).catch((error) => {
        if (!reply.headersSent) reply.writeHead(500);
        reply.end(String(error));
      });
    });
  }

  get url() {
    return `http://127.0.0.1:${this.http.address().port}`;
  }

  stop() {
    this.http.closeAllConnections();
    return new Promise((resolve) => this.http.close(resolve));
  }

  /** Changes what is known of all receipts. */
  advance(changed) {
    for (const [hash, state] of this.receipts) this.receipts.set(hash, { ...state, ...changed });
  }

  async #answer(request, reply) {
    const { pathname } = new URL(request.url, this.url);
    if (pathname === '/') return this.#file(reply, 'index.html', 'no-cache');
    if (pathname.startsWith('/page/')) return this.#file(reply, pathname.slice('/page/'.length), 'public, max-age=31536000, immutable');
    if (pathname === '/v1/noema') {
      return this.#json(reply, {
        object: 'noema.gateway',
        checkpoint: CHECKPOINT,
        rpc: this.#isAllowed(request) ? this.node : null,
        token: { symbol: 'NOEMA', decimals: 12 },
        needs_key: this.key !== null,
        can: ['receipts', 'recompute'],
      });
    }
    if (!this.#isAllowed(request)) {
      return this.#fault(reply, 401, 'the key is missing, wrong or revoked; send `Authorization: Bearer KEY`', 'invalid_api_key');
    }
    if (pathname === '/v1/models') {
      return this.#json(reply, { object: 'list', data: [{ id: 'tiny', object: 'model', created: 1, owned_by: 'noema', checkpoint: CHECKPOINT, context_length: 2048 }] });
    }
    if (pathname === '/v1/chat/completions' && request.method === 'POST') return this.#chat(request, reply);
    const receipt = pathname.match(/^\/v1\/noema\/receipts\/(0x[\da-f]{64})(\/recompute|\/file)?$/);
    if (receipt) return this.#receipt(request, reply, receipt[1], receipt[2]);
    return this.#fault(reply, 404, `${pathname} does not exist, or not with this method`);
  }

  #isAllowed(request) {
    return this.key === null || request.headers.authorization === `Bearer ${this.key}`;
  }

  #file(reply, name, cache) {
    if (!readdirSync(dist).includes(name)) return this.#fault(reply, 404, `${name} does not exist`);
    reply.writeHead(200, {
      'content-type': KINDS[path.extname(name)] ?? 'application/octet-stream',
      'content-security-policy': policy(this.node),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': cache,
    });
    reply.end(readFileSync(path.join(dist, name)));
  }

  #json(reply, value, status = 200) {
    reply.writeHead(status, { 'content-type': 'application/json' });
    reply.end(JSON.stringify(value));
  }

  #fault(reply, status, message, code = null, param = null) {
    this.#json(reply, { error: { message, type: 'invalid_request_error', param, code } }, status);
  }

  async #chat(request, reply) {
    let text = '';
    for await (const part of request.setEncoding('utf8')) text += part;
    const body = JSON.parse(text);
    const number = this.asked.push(body) - 1;
    const answer = this.script[Math.min(number, this.script.length - 1)];
    if (answer.error) return this.#fault(reply, answer.status ?? 503, answer.error);
    let isGone = false;
    reply.on('close', () => {
      isGone = true;
      if (!reply.writableFinished) this.ended += 1;
    });
    // Tokens are what comes at a time: a word with the space before it.
    const tokens = answer.text.match(/\s*\S+|\s+/g) ?? [];
    const about = { id: `chatcmpl-${number}`, object: 'chat.completion.chunk', created: 1, model: 'tiny', system_fingerprint: CHECKPOINT };
    const event = (choices, more = {}) => reply.write(`data: ${JSON.stringify({ ...about, choices, usage: null, ...more })}\n\n`);
    const choice = (delta, reason = null) => [{ index: 0, delta, logprobs: null, finish_reason: reason }];
    await sleep(answer.before ?? 0);
    reply.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
    event(choice({ content: '', role: 'assistant' }));
    for (const [place, token] of tokens.entries()) {
      if (isGone) return undefined;
      if (answer.holds === place) await answer.until;
      if (answer.breaks === place) {
        reply.write(`data: ${JSON.stringify({ error: { message: 'the worker sent false tokens, and none was paid; ask again', type: 'server_error', param: null, code: null } })}\n\n`);
        reply.end();
        return undefined;
      }
      event(choice({ content: token }));
      if (place % 4 === 3) reply.write(': alive\n\n');
      await sleep(answer.pause ?? 0);
    }
    const count = tokens.length + 1;
    const prompt = body.messages.reduce((sum, { content }) => sum + content.split(/\s+/).length, 3);
    const parts = answer.parts ?? 1;
    const receipts = Array.from({ length: parts }, (_, part) => {
      const hash = hashOf(`${number}/${part}`);
      const own = part === parts - 1 ? count - (parts - 1) * Math.floor(count / parts) : Math.floor(count / parts);
      const receipt = {
        session: 7, n: 12 + number + part, checkpoint: CHECKPOINT, prompt_tokens: prompt, cached_tokens: number > 0 ? prompt - 4 : 0,
        answer_tokens: own, price: (PRICE * BigInt(own)).toString(), hash, signed: `0x${'ab'.repeat(120)}`,
      };
      this.receipts.set(hash, { hash, session: receipt.session, n: receipt.n, state: 'paid', worker: '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty', claim: null, disputed: false, reason: null });
      return receipt;
    });
    event(choice({}, answer.end ?? 'stop'), { noema: { price: (PRICE * BigInt(count)).toString(), receipts, unsigned: answer.unsigned ?? [] } });
    if (body.stream_options?.include_usage) {
      const usage = {
        prompt_tokens: prompt, completion_tokens: count, total_tokens: prompt + count,
        prompt_tokens_details: { cached_tokens: receipts[0].cached_tokens }, completion_tokens_details: { reasoning_tokens: 0 },
      };
      event([], { usage });
    }
    reply.write('data: [DONE]\n\n');
    reply.end();
    return undefined;
  }

  #receipt(request, reply, hash, method) {
    const state = this.receipts.get(hash);
    if (!state) return this.#fault(reply, 404, 'the gateway does not have this receipt, or no longer', 'receipt_unknown');
    if (!method) return this.#json(reply, state);
    if (method === '/file') return this.#json(reply, { hash, form: 'a receipt file' });
    const { same, fault } = this.recomputes;
    if (fault) return this.#fault(reply, 409, fault, 'weights_missing');
    const looks = (this.runs.get(hash) ?? 0) + 1;
    this.runs.set(hash, looks);
    // It is looked at twice before it is done.
    if (looks % 3 !== 0) return this.#json(reply, { hash, state: 'running', tokens: 8, done: 4 * (looks % 3) - 4 });
    return this.#json(reply, { hash, state: 'done', tokens: 8, done: 8, same: same === true, first_difference: same === true ? null : same });
  }
}
