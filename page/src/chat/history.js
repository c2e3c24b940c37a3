// Conversations, kept in this browser's IndexedDB: each is one record.

import { Watched } from '../shared/store.js';

const NAME = 'noema';
const CONVERSATIONS = 'conversations';

/** The conversations, latest first. */
export const conversations = new Watched([]);
/** Why they are not kept, where they are not. */
export const trouble = new Watched(null);

const finished = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

let opened;
function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(CONVERSATIONS, { keyPath: 'id' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function store(mode) {
  return (await database()).transaction(CONVERSATIONS, mode).objectStore(CONVERSATIONS);
}

/** Runs `act` on the store; without one, conversations last as long as the page. */
async function attempt(act) {
  try {
    return await act();
  } catch (error) {
    trouble.value = `This browser does not keep the conversations: ${error?.message ?? error}`;
    return undefined;
  }
}

/** What other pages of this browser change. */
const channel = typeof BroadcastChannel === 'function' ? new BroadcastChannel('noema/conversations') : null;
if (channel) channel.onmessage = () => load();

const byTime = (list) => list.sort((one, other) => other.updated - one.updated);

/** A conversation that this page writes is newer here than in the store. */
const writing = new Set();

/** Reads the conversations. */
export async function load() {
  const read = await attempt(async () => finished((await store('readonly')).getAll()));
  if (!read) return;
  const own = conversations.value.filter(({ id }) => writing.has(id));
  const others = read.filter(({ id }) => !writing.has(id));
  conversations.value = byTime([...own, ...others]);
}

/** Shows a conversation as it is now, and writes it unless it `isPassing`. */
export async function put(conversation, { isPassing = false } = {}) {
  writing.add(conversation.id);
  const others = conversations.value.filter(({ id }) => id !== conversation.id);
  conversations.value = byTime([conversation, ...others]);
  if (isPassing) return;
  await attempt(async () => finished((await store('readwrite')).put(conversation)));
  writing.delete(conversation.id);
  channel?.postMessage('changed');
}

/** Removes a conversation. */
export async function remove(id) {
  conversations.value = conversations.value.filter((other) => other.id !== id);
  writing.delete(id);
  await attempt(async () => finished((await store('readwrite')).delete(id)));
  channel?.postMessage('changed');
}

/** The conversation with this id. */
export const find = (id) => conversations.value.find((conversation) => conversation.id === id) ?? null;
