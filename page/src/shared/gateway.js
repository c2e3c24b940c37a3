// The gateway's methods, as docs/gateway.md describes them. All paths are the gateway's own.

import { kept, Watched } from './store.js';

/** The bearer key, in this browser only. */
export const key = kept('key', '');
/** What `GET /v1/noema` says; `null` until it is known. */
export const info = new Watched(null);

/** A refusal of the gateway, or the lack of one. */
class GatewayError extends Error {
  constructor(message, { status = 0, code = null } = {}) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function call(path, { method = 'GET', body, signal } = {}) {
  const headers = {};
  if (key.value) headers.authorization = `Bearer ${key.value}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const options = { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body), cache: 'no-store' };
  let reply;
  try {
    reply = await fetch(path, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new GatewayError('The gateway cannot be reached. Is it still running?');
  }
  if (reply.ok) return reply;
  const text = await reply.text().catch(() => '');
  let fault;
  try {
    fault = JSON.parse(text).error;
  } catch {
    // Not in OpenAI's form: of something between the page and the gateway.
  }
  throw new GatewayError(fault?.message ?? `The gateway refused this call with status ${reply.status}.`, {
    status: reply.status,
    code: fault?.code ?? null,
  });
}

let asked;
// A caller with a key is told more.
key.watch(() => (asked = undefined));
/** Reads what the gateway says about itself, once for each key. */
export function about() {
  asked ??= call('/v1/noema')
    .then((reply) => reply.json())
    .then((found) => (info.value = found))
    .catch((error) => {
      asked = undefined;
      throw error;
    });
  return asked;
}

/** The models that answer. */
export async function models() {
  return (await (await call('/v1/models')).json()).data;
}

/** The events of a `text/event-stream`, as the text of their data. */
export async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let data = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
      if (line !== '' || data.length === 0) continue;
      yield data.join('\n');
      data = [];
    }
  }
}

/**
 * Asks for an answer. `onText` gets each further text. Resolves with what the last events say: the reason for the end,
 * the usage, the checkpoint, the receipts with their price, and the tokens without one. Rejects with a `GatewayError`; with an `AbortError`
 * where `signal` ended it.
 */
export async function ask(body, { onText, signal }) {
  const reply = await call('/v1/chat/completions', {
    method: 'POST',
    signal,
    body: { ...body, stream: true, stream_options: { include_usage: true } },
  });
  const answer = { reason: null, usage: null, receipts: [], unsigned: [], price: '0', checkpoint: null, model: body.model };
  let isDone = false;
  for await (const data of events(reply.body)) {
    if (data === '[DONE]') {
      isDone = true;
      break;
    }
    const chunk = JSON.parse(data);
    if (chunk.error) throw new GatewayError(chunk.error.message, { code: chunk.error.code });
    answer.checkpoint = chunk.system_fingerprint ?? answer.checkpoint;
    answer.model = chunk.model ?? answer.model;
    answer.usage = chunk.usage ?? answer.usage;
    const [choice] = chunk.choices ?? [];
    if (choice?.delta?.content) onText(choice.delta.content);
    answer.reason = choice?.finish_reason ?? answer.reason;
    if (chunk.noema) {
      answer.price = chunk.noema.price;
      answer.receipts = chunk.noema.receipts.map(({ signed: _, ...receipt }) => receipt);
      answer.unsigned = chunk.noema.unsigned ?? [];
    }
  }
  if (!isDone && answer.reason === null) throw new GatewayError('The answer broke off; ask again.');
  return answer;
}

const receiptPath = (hash) => `/v1/noema/receipts/${encodeURIComponent(hash)}`;

/** The address of a receipt as a file. Only a gateway without keys gives it to a link. */
export const receiptFile = (hash) => `${receiptPath(hash)}/file`;

/** The receipt as a file. */
export const receiptBlob = async (hash) => (await call(receiptFile(hash))).blob();

/** Where a receipt stands. */
export const receiptState = async (hash) => (await call(receiptPath(hash))).json();

/** Has the gateway re-execute an answer, or joins a re-execution in progress; says how far it is. */
export const recompute = async (hash) => (await call(`${receiptPath(hash)}/recompute`, { method: 'POST' })).json();

/** How far a re-execution is. */
export const recomputation = async (hash) => (await call(`${receiptPath(hash)}/recompute`)).json();
