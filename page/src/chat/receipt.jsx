// The receipt of an answer in words: which checkpoint answered, what it cost, where its check stands; and whether the
// gateway's machine computes the same.

import { useEffect, useState } from 'preact/hooks';

import { amount, count, exactAmount, short, whole, words } from '../shared/format.js';
import { info, key, recomputation, recompute, receiptBlob, receiptFile, receiptState } from '../shared/gateway.js';
import { href } from '../shared/router.js';
import { useWatched } from '../shared/store.js';
import { note } from './conversation.js';

/** The time between two questions where a receipt stands: this at first, and up to that. */
const ASK = { first: 2_000, last: 30_000 };
/** The time between two questions how far a re-execution is. */
const PROGRESS = 700;
/** How often a re-execution is asked about after it cannot be. */
const PATIENCE = 5;

const STEPS = ['signed', 'checked', 'final'];
/** The steps that each state has reached. */
const REACHED = { signed: 1, paid: 1, claimed: 1, checked: 2, final: 3, refunded: 0 };
const OVER = ['final', 'refunded'];

/** The state that the answer is in as a whole: that of the receipt which is least far. */
function least(states) {
  if (states.length === 0 || states.some((state) => !state)) return null;
  return states.reduce((one, other) => (REACHED[other.state] < REACHED[one.state] ? other : one));
}

const others = (claim) => (claim.leaves > 1 ? ` together with ${count(claim.leaves - 1, 'other answer')}` : '');

function drawn({ claim }) {
  if (!claim.drawn?.length) return claim.leaves > 1 ? 'none of its answers was drawn for a check' : 'it was not drawn for a check';
  const isThis = claim.drawn.includes(claim.leaf);
  const answers = claim.leaves > 1 ? `${whole(claim.drawn.length)} of its ${count(claim.leaves, 'answer')}` : 'it';
  const here = claim.leaves > 1 ? (isThis ? ', this one among them' : ', not this one') : '';
  return `${answers} ${claim.drawn.length === 1 ? 'was' : 'were'} drawn and re-executed by validators${here}`;
}

/** Where a check stands, as a sentence. */
export function sentence(state) {
  if (!state) return 'Signed by the worker. The gateway verified signature, counts and price.';
  const { claim } = state;
  const disputed = state.disputed ? ' Its claim is in dispute.' : '';
  switch (state.state) {
    case 'signed':
      return 'Signed by the worker. The gateway verified signature, counts and price, and has not paid it yet.';
    case 'paid':
      return 'Signed by the worker, and paid. The worker has not claimed it on chain yet.';
    case 'claimed':
      return `Claimed on chain${others(claim)}. ${claim.drawn?.length ? 'Validators re-execute what was drawn.' : 'Its draw for a check is due.'}${disputed}`;
    case 'checked':
      return `Checked: ${drawn(state)}. Any account can challenge it until block ${whole(claim.final_at)}.${disputed}`;
    case 'final':
      return `Final: no challenge is possible any longer; ${drawn(state)}.`;
    case 'refunded':
      if (state.reason === 'unconfirmed') return 'Refunded: no validator confirmed some of what was drawn, and its price is back with the payer.';
      return `Refunded: the claim fell${state.reason ? ` (${words(state.reason)})` : ''}, and the payer has everything back.`;
    default:
      return `State: ${words(state.state)}.`;
  }
}

/** Asks the gateway where the receipts stand, until that no longer changes. */
function useStates(conversationId, turnId, place, answer, isAsked) {
  const known = answer.states ?? {};
  const waiting = answer.receipts.filter(({ hash }) => !OVER.includes(known[hash]?.state)).map(({ hash }) => hash);
  useEffect(() => {
    if (!isAsked || waiting.length === 0) return undefined;
    let isOver = false;
    let delay = ASK.first;
    let timer;
    const look = async () => {
      const found = await Promise.all(waiting.map((hash) => receiptState(hash).catch(() => null)));
      if (isOver) return;
      const changed = found.filter((state) => state && JSON.stringify(state) !== JSON.stringify(known[state.hash]));
      if (changed.length) note(conversationId, turnId, place, { states: { ...known, ...Object.fromEntries(changed.map((state) => [state.hash, state])) } });
      else {
        delay = Math.min(delay * 1.5, ASK.last);
        timer = setTimeout(look, delay);
      }
    };
    timer = setTimeout(look, Object.keys(known).length ? ASK.first : 0);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [isAsked, waiting.join(), JSON.stringify(known)]);
  return least(answer.receipts.map(({ hash }) => known[hash]));
}

/** Re-executes the receipts of an answer one after the other; returns what to say, and how to start it. */
function useRecompute(conversationId, turnId, place, answer) {
  const [progress, setProgress] = useState(null);
  const [error, setError] = useState(null);
  const tokens = answer.receipts.reduce((sum, receipt) => sum + receipt.answer_tokens, 0);

  const run = async () => {
    setError(null);
    setProgress({ done: 0, tokens });
    let before = 0;
    try {
      for (const receipt of answer.receipts) {
        let state = await recompute(receipt.hash);
        let failures = 0;
        while (state.state === 'running') {
          setProgress({ done: before + state.done, tokens });
          await new Promise((resolve) => setTimeout(resolve, PROGRESS));
          try {
            state = await recomputation(receipt.hash);
            failures = 0;
          } catch (problem) {
            failures += 1;
            if (failures > PATIENCE) throw problem;
          }
        }
        if (!state.same) {
          await note(conversationId, turnId, place, { recomputed: { same: false, tokens, first: before + (state.first_difference ?? 0) } });
          return;
        }
        before += receipt.answer_tokens;
      }
      await note(conversationId, turnId, place, { recomputed: { same: true, tokens } });
    } catch (problem) {
      setError(problem.message);
    } finally {
      setProgress(null);
    }
  };
  return { run, progress, error, tokens };
}

function Verdict({ recomputed, progress, error }) {
  if (progress) {
    return (
      <span class="progress">
        <progress max={progress.tokens} value={progress.done} aria-label="Re-execution" />
        {whole(progress.done)} of {count(progress.tokens, 'token')}
      </span>
    );
  }
  if (error) return <span class="bad">Not re-executed: {error}</span>;
  if (!recomputed) return null;
  return recomputed.same
    ? <span class="good">This machine computed the same {count(recomputed.tokens, 'token')}, bit for bit.</span>
    : <span class="bad">This machine computed something else from token {whole(recomputed.first + 1)} on: the receipt is false.</span>;
}

/** Saves a file as a browser does at a link. */
function save(blob, name) {
  const url = URL.createObjectURL(blob);
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Links to the receipts of an answer as files. */
function Files({ receipts }) {
  const [error, setError] = useState(null);
  const name = ({ session, n }) => `receipt-${session}-${n}.json`;
  // A link sends no key.
  const withKey = (receipt) => async (event) => {
    if (!key.value) return;
    event.preventDefault();
    setError(null);
    await receiptBlob(receipt.hash)
      .then((blob) => save(blob, name(receipt)))
      .catch((problem) => setError(problem.message));
  };
  return (
    <p class="quiet">
      {receipts.map((receipt, index) => (
        <span key={receipt.hash}>
          {index > 0 && ' · '}
          <a href={receiptFile(receipt.hash)} download={name(receipt)} onClick={withKey(receipt)}>
            {receipts.length === 1 ? 'Receipt file' : `Receipt file ${index + 1}`}
          </a>
        </span>
      ))}
      <span aria-live="polite">{error && <span class="bad"> Not saved: {error}</span>}</span>
    </p>
  );
}

/** The tokens that no receipt states, as a sentence. */
function Unsigned({ parts }) {
  const tokens = parts.reduce((sum, part) => sum + part.tokens, 0);
  if (tokens === 0) return null;
  const where = parts.map(({ first, tokens: length }) => (length === 1 ? whole(first + 1) : `${whole(first + 1)} to ${whole(first + length)}`));
  return (
    <p class="bad">
      Unsigned: {tokens === 1 ? 'token' : 'tokens'} {where.join(', ')} of this answer. A worker broke off after them, so no receipt here
      states them, the price does not include them, and they may be false.
    </p>
  );
}

/** The receipt below an answer. */
export function Receipt({ conversationId, turn, place }) {
  const answer = turn.answers[place];
  const gateway = useWatched(info);
  const can = gateway?.can ?? [];
  const state = useStates(conversationId, turn.id, place, answer, can.includes('receipts'));
  const again = useRecompute(conversationId, turn.id, place, answer);
  // Answers that the browser kept from before have none.
  const unsigned = <Unsigned parts={answer.unsigned ?? []} />;
  if (answer.receipts.length === 0) {
    if (answer.unsigned?.length) return <section class="receipt" aria-label="Receipt">{unsigned}</section>;
    return answer.state === 'stopped' && answer.text
      ? <p class="receipt quiet">Stopped. The worker is paid for the tokens up to here; their receipt is with the gateway.</p>
      : null;
  }
  const [first] = answer.receipts;
  const reached = state ? REACHED[state.state] ?? 1 : 1;
  const sessions = [...new Set(answer.receipts.map(({ session }) => session))];
  const cached = answer.usage?.prompt_tokens_details?.cached_tokens ?? first.cached_tokens;
  return (
    <section class="receipt" aria-label="Receipt">
      <ol class="steps" aria-label="Where its check stands">
        {STEPS.map((step, number) => (
          <li key={step} class={number < reached ? 'reached' : ''} aria-current={number === reached - 1 ? 'step' : undefined}>
            {step}<span class="heard">{number < reached ? ', reached' : ', not reached'}</span>
          </li>
        ))}
        {state?.state === 'refunded' && <li class="failed">refunded</li>}
      </ol>
      <p aria-live="polite">{sentence(state)}</p>
      {unsigned}
      <p class="quiet">
        Checkpoint <a href={href('checkpoint', first.checkpoint)} title={first.checkpoint}>{short(first.checkpoint)}</a>
        {' · '}<span title={exactAmount(answer.price, gateway?.token)}>{amount(answer.price, gateway?.token)}</span>
        {' for '}{count(again.tokens, 'token')}
        {cached > 0 && <> · {whole(cached)} of the prompt’s {whole(answer.usage?.prompt_tokens ?? first.prompt_tokens)} tokens were cached</>}
        {' · '}{sessions.map((session, index) => (
          <span key={session}>{index > 0 && ', '}<a href={href('session', session)}>session {session}</a></span>
        ))}, {answer.receipts.length === 1 ? `answer ${first.n}` : count(answer.receipts.length, 'receipt')}
        {state?.claim && <> · <a href={href('claim', state.claim.id)}>claim {state.claim.id}</a></>}
        {state?.worker && <> · worker <a href={href('operator', state.worker)} title={state.worker}>{short(state.worker)}</a></>}
      </p>
      {can.includes('receipts') && <Files receipts={answer.receipts} />}
      {can.includes('recompute') && (
        <p class="verdict">
          <button type="button" class="small" disabled={Boolean(again.progress)} onClick={again.run}>
            {answer.recomputed ? 'Re-execute it again' : 'Re-execute it on this machine'}
          </button>
          <span aria-live="polite"><Verdict recomputed={answer.recomputed} progress={again.progress} error={again.error} /></span>
        </p>
      )}
    </section>
  );
}
