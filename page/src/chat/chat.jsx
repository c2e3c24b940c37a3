// The chat: conversations at the side, the present one in the middle.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

import { amount, count, exactAmount } from '../shared/format.js';
import { about, info, key } from '../shared/gateway.js';
import { go, href } from '../shared/router.js';
import { useWatched } from '../shared/store.js';
import { Dialog, Notice } from '../shared/ui.jsx';
import { Announcer } from './announcer.jsx';
import { Composer } from './composer.jsx';
import { isAnswering, price, recover, send, shown, start, stop } from './conversation.js';
import { conversations, load, remove, trouble } from './history.js';
import { Turn } from './message.jsx';
import { Settings } from './settings.jsx';

const EXAMPLES = ['What is a ledger?', 'Write a haiku about trust.', 'Explain how a hash function works, with an example.'];

/** The list of conversations. */
function Conversations({ list, present, onDone }) {
  const gateway = useWatched(info);
  const total = list.reduce((sum, conversation) => sum + price(conversation), 0n);
  const forget = (conversation) => {
    if (!window.confirm(`Delete “${conversation.title}” from this browser? Its receipts stay on chain.`)) return;
    stop(conversation.id);
    remove(conversation.id);
    if (conversation.id === present) go(['chat'], { replaces: true });
  };
  return (
    <>
      <a class="button primary" href={href('chat', 'new')} onClick={onDone}>New conversation</a>
      {list.length === 0 && <p class="quiet">Conversations are kept in this browser.</p>}
      <ul class="conversations" aria-label="Conversations">
        {list.map((conversation) => (
          <li key={conversation.id}>
            <a href={href('chat', conversation.id)} aria-current={conversation.id === present ? 'page' : undefined} onClick={onDone}>
              <span class="name">{conversation.title}</span>
              <span class="quiet">{amount(price(conversation), gateway?.token)}</span>
            </a>
            <button type="button" class="icon" aria-label={`Delete ${conversation.title}`} onClick={() => forget(conversation)}><span aria-hidden="true">✕</span></button>
          </li>
        ))}
      </ul>
      {list.length > 0 && (
        <p class="quiet" title={exactAmount(total, gateway?.token)}>All conversations: {amount(total, gateway?.token)}</p>
      )}
    </>
  );
}

/** Keeps the end in view while the reader is there. */
function useEnd(conversation) {
  const scrolled = useRef(null);
  const isAtEnd = useRef(true);
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = scrolled.current;
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < 48;
  };
  useEffect(() => {
    isAtEnd.current = true;
  }, [conversation.id, conversation.turns.length]);
  useEffect(() => {
    if (isAtEnd.current && scrolled.current) scrolled.current.scrollTop = scrolled.current.scrollHeight;
  });
  return [scrolled, onScroll];
}

/** What is heard at the end of an answer. */
function ending(answer, token) {
  if (!answer || answer.state === 'running') return '';
  if (answer.state === 'failed') return '';
  if (answer.state === 'stopped') return 'The answer was stopped.';
  return `The answer is complete: ${count(answer.usage?.completion_tokens ?? 0, 'token')}, ${amount(answer.price, token)}.`;
}

/** The chat; `id` names the conversation. */
export function Chat({ id }) {
  const list = useWatched(conversations);
  const problem = useWatched(trouble);
  const gateway = useWatched(info);
  const secret = useWatched(key);
  const [fault, setFault] = useState(null);
  const [isListOpen, setListOpen] = useState(false);
  const [areSettingsOpen, setSettingsOpen] = useState(false);
  const [changed, setChanged] = useState({});
  const [isLoaded, setLoaded] = useState(false);
  useEffect(() => {
    load().then(() => setLoaded(true));
  }, []);
  useEffect(() => {
    about().then(() => setFault(null), (error) => setFault(error.message));
  }, [secret]);

  // A conversation is listed with its first message; until then it is only here.
  const fresh = useMemo(start, [id]);
  const found = list.find((conversation) => conversation.id === id);
  const conversation = found ?? { ...fresh, settings: { ...fresh.settings, ...changed } };
  useEffect(() => {
    if (found) recover(found);
  }, [id, isLoaded]);

  const isBusy = isAnswering(conversation.id);
  const last = conversation.turns.at(-1);
  const answer = last && shown(last);
  const [scrolled, onScroll] = useEnd(conversation);
  const total = price(conversation);
  const ask = (text) => {
    send(conversation, text);
    if (conversation.id !== id) go(['chat', conversation.id], { replaces: true });
  };
  return (
    <div class="chat">
      <aside class="side" aria-label="Conversations"><Conversations list={list} present={conversation.id} /></aside>
      <Dialog title="Conversations" class="drawer" isOpen={isListOpen} onClose={() => setListOpen(false)}>
        <Conversations list={list} present={conversation.id} onDone={() => setListOpen(false)} />
      </Dialog>
      <main id="main" class="talk" tabIndex={-1}>
        <div class="bar">
          <button type="button" class="icon narrow" onClick={() => setListOpen(true)} aria-label="Conversations" aria-haspopup="dialog"><span aria-hidden="true">☰</span></button>
          <h1>{conversation.title}</h1>
          <span class="sofar" title={exactAmount(total, gateway?.token)}><span class="wide">Price so far: </span>{amount(total, gateway?.token)}</span>
          <button type="button" class="small" onClick={() => setSettingsOpen(true)} aria-haspopup="dialog">Settings</button>
        </div>
        <Settings conversation={conversation} isOpen={areSettingsOpen} onClose={() => setSettingsOpen(false)}
          onChange={(more) => setChanged((before) => ({ ...before, ...more }))} />
        <div class="turns" ref={scrolled} onScroll={onScroll}>
          {fault && <Notice kind="bad">{fault}</Notice>}
          {problem && <Notice kind="bad">{problem}</Notice>}
          {gateway?.needs_key && !secret && (
            <Notice action={<button type="button" class="small" onClick={() => setSettingsOpen(true)}>Enter a key</button>}>
              This gateway needs a bearer key.
            </Notice>
          )}
          {conversation.turns.length === 0 && (
            <div class="empty">
              <h2>Ask a model that strangers serve</h2>
              <p>Words come as they are made. Below each answer is its receipt: which checkpoint gave it, what it cost, and where its check stands. This machine can compute it again, and compare it bit for bit.</p>
              <ul>{EXAMPLES.map((text) => <li key={text}><button type="button" onClick={() => ask(text)}>{text}</button></li>)}</ul>
            </div>
          )}
          {conversation.turns.map((turn) => (
            <Turn key={turn.id} conversation={conversation} turn={turn} isLast={turn === last} isBusy={isBusy} />
          ))}
        </div>
        <Announcer key={conversation.id} text={answer?.text ?? ''} isRunning={answer?.state === 'running'} last={ending(answer, gateway?.token)} />
        <Composer conversationId={conversation.id} isAnswering={isBusy} onSend={ask} onStop={() => stop(conversation.id)} />
      </main>
    </div>
  );
}
