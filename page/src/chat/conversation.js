// What a conversation is, and how it goes on.
//
// A turn is a text of the user with its answers: asking again adds one, and `chosen` is the one that is shown and goes
// on. All of them were paid for.

import { ask } from '../shared/gateway.js';
import { kept } from '../shared/store.js';
import { find, put } from './history.js';

/** How answers are sampled, and what the model is told first; for new conversations those of the last one. */
export const DEFAULTS = { model: '', system: '', temperature: 1, topP: 1, topK: 0, maxTokens: 0 };
export const settings = kept('settings', DEFAULTS);

/** The longest title, in characters. */
const TITLE = 48;

/** The answers in progress, by conversation. */
const running = new Map();

/** A conversation without turns. */
export const start = () => ({
  id: crypto.randomUUID(),
  title: 'New conversation',
  created: Date.now(),
  updated: Date.now(),
  settings: { ...DEFAULTS, ...settings.value },
  turns: [],
});

/** The answer of a turn that is shown. */
export const shown = (turn) => turn.answers[turn.chosen];

/** The sum of the prices in a conversation; those of answers that were stopped are not known. */
export function price(conversation) {
  const answers = conversation.turns.flatMap((turn) => turn.answers);
  return answers.reduce((sum, answer) => sum + BigInt(answer.price ?? 0), 0n);
}

/** Whether an answer of this conversation is in progress. */
export const isAnswering = (id) => running.has(id);

/** Ends the answer in progress: the gateway stops its worker. */
export const stop = (id) => running.get(id)?.abort();

function messages(conversation) {
  const { system } = conversation.settings;
  const list = system.trim() ? [{ role: 'system', content: system }] : [];
  for (const turn of conversation.turns) {
    list.push({ role: 'user', content: turn.text });
    const answer = shown(turn);
    // An answer that failed before its first word was none.
    if (answer?.text && turn !== conversation.turns.at(-1)) list.push({ role: 'assistant', content: answer.text });
  }
  return list;
}

function parameters({ model, temperature, topP, topK, maxTokens }) {
  return {
    ...(model && { model }),
    temperature,
    top_p: topP,
    ...(topK > 0 && { top_k: topK }),
    ...(maxTokens > 0 && { max_tokens: maxTokens }),
  };
}

const title = (text) => {
  const line = text.trim().split('\n')[0];
  return line.length > TITLE ? `${line.slice(0, TITLE - 1)}…` : line;
};

/** Applies `change` to the conversation with this id, as it is now. */
function update(id, change, options) {
  const conversation = find(id);
  return conversation ? put(change(conversation), options) : undefined;
}

/** Applies `change` to the answer in progress: the last one of the last turn. */
const change = (id, changed, options) =>
  update(
    id,
    (conversation) => {
      const turns = [...conversation.turns];
      const turn = turns.at(-1);
      const answers = turn.answers.with(-1, { ...turn.answers.at(-1), ...changed(turn.answers.at(-1)) });
      turns[turns.length - 1] = { ...turn, answers };
      return { ...conversation, turns };
    },
    options,
  );

/** Asks for an answer to the last turn, after the others that it has. */
async function answer(conversation) {
  const { id } = conversation;
  const controller = new AbortController();
  running.set(id, controller);
  const turn = conversation.turns.at(-1);
  const begun = performance.now();
  const empty = { text: '', state: 'running', at: Date.now(), receipts: [], price: null };
  const last = { ...turn, answers: [...turn.answers, empty], chosen: turn.answers.length };
  const asked = { ...conversation, updated: Date.now(), turns: [...conversation.turns.slice(0, -1), last] };
  await put(asked);

  let pending = '';
  let timer = 0;
  let first = null;
  // Many tokens can come between two pictures.
  const show = () => {
    timer = 0;
    const text = pending;
    pending = '';
    if (text) change(id, (before) => ({ text: before.text + text }), { isPassing: true });
  };
  const onText = (text) => {
    first ??= performance.now() - begun;
    pending += text;
    timer ||= setTimeout(show, 30);
  };
  let end;
  try {
    const body = { messages: messages(asked), ...parameters(conversation.settings) };
    const done = await ask(body, { onText, signal: controller.signal });
    end = { ...done, state: 'done', price: done.price };
  } catch (error) {
    end = error.name === 'AbortError' ? { state: 'stopped' } : { state: 'failed', error: error.message, code: error.code ?? null };
  }
  clearTimeout(timer);
  show();
  running.delete(id);
  await change(id, () => ({ ...end, firstMs: first, ms: performance.now() - begun }));
  return find(id);
}

/** Adds a turn, and asks for its answer. */
export function send(conversation, text) {
  const turns = [...conversation.turns, { id: crypto.randomUUID(), text, answers: [], chosen: 0 }];
  const named = conversation.turns.length ? conversation.title : title(text);
  return answer({ ...conversation, title: named, turns });
}

/** Asks for another answer to the last turn. */
export const again = (conversation) => answer(conversation);

/** Shows another answer of a turn. */
export const choose = (conversation, turnId, chosen) =>
  put({
    ...conversation,
    turns: conversation.turns.map((turn) => (turn.id === turnId ? { ...turn, chosen } : turn)),
  });

/** Replaces the text of a turn, and drops what follows on it. */
export function rewrite(conversation, turnId, text) {
  const place = conversation.turns.findIndex(({ id }) => id === turnId);
  return send({ ...conversation, turns: conversation.turns.slice(0, place) }, text);
}

/** Changes how the next answers are made, in this conversation and in new ones. */
export function set(conversation, changed) {
  const next = { ...conversation.settings, ...changed };
  settings.value = next;
  return conversation.turns.length ? put({ ...conversation, settings: next }) : undefined;
}

/** An answer that was in progress when the page was closed is not any longer. */
export function recover(conversation) {
  const turn = conversation.turns.at(-1);
  if (!turn || isAnswering(conversation.id) || turn.answers.at(-1)?.state !== 'running') return;
  change(conversation.id, () => ({ state: 'stopped' }));
}

/** Keeps what is known of the check of an answer. */
export function note(conversationId, turnId, place, changed) {
  return update(conversationId, (conversation) => ({
    ...conversation,
    turns: conversation.turns.map((turn) =>
      turn.id === turnId ? { ...turn, answers: turn.answers.with(place, { ...turn.answers[place], ...changed }) } : turn),
  }));
}
