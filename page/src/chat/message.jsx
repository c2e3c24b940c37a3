// A turn: the text of the user, and the answer that is shown.

import { useEffect, useRef, useState } from 'preact/hooks';

import { whole } from '../shared/format.js';
import { Markdown } from '../shared/markdown.jsx';
import { Copy, Notice } from '../shared/ui.jsx';
import { again, choose, rewrite, shown } from './conversation.js';
import { Receipt } from './receipt.jsx';

/** The text of the user, which can be written again. */
function Said({ conversation, turn, isBusy }) {
  const [isEdited, setEdited] = useState(false);
  const area = useRef(null);
  useEffect(() => {
    if (isEdited) area.current.focus();
  }, [isEdited]);
  const submit = (event) => {
    event.preventDefault();
    const text = area.current.value;
    if (!text.trim()) return;
    setEdited(false);
    rewrite(conversation, turn.id, text);
  };
  if (isEdited) {
    return (
      <form class="said edited" onSubmit={submit}>
        <textarea ref={area} rows={3} defaultValue={turn.text} aria-label="Your message"
          onKeyDown={(event) => event.key === 'Escape' && setEdited(false)} />
        <div class="actions">
          <button type="button" class="small" onClick={() => setEdited(false)}>Cancel</button>
          <button type="submit" class="small primary">Send again</button>
        </div>
      </form>
    );
  }
  return (
    <div class="said">
      <p>{turn.text}</p>
      <div class="tools">
        <button type="button" class="small" disabled={isBusy} onClick={() => setEdited(true)}>Edit</button>
      </div>
    </div>
  );
}

/** Which of the answers of a turn is shown. */
function Choice({ conversation, turn, isBusy }) {
  const { length } = turn.answers;
  if (length < 2) return null;
  const to = (place) => choose(conversation, turn.id, place);
  return (
    <span class="choice" role="group" aria-label="Answers to this message">
      <button type="button" class="small" disabled={isBusy || turn.chosen === 0} onClick={() => to(turn.chosen - 1)} aria-label="The answer before"><span aria-hidden="true">‹</span></button>
      <span>{turn.chosen + 1} of {length}</span>
      <button type="button" class="small" disabled={isBusy || turn.chosen === length - 1} onClick={() => to(turn.chosen + 1)} aria-label="The answer after"><span aria-hidden="true">›</span></button>
    </span>
  );
}

/** How fast it came. */
function Speed({ answer }) {
  const tokens = answer.usage?.completion_tokens;
  if (!tokens || !answer.ms) return null;
  const rest = (answer.ms - (answer.firstMs ?? 0)) / 1000;
  const speed = tokens > 1 && rest > 0.05 ? ` · ${whole(Math.round((tokens - 1) / rest))} tokens/s` : '';
  return <span class="quiet">first word after {((answer.firstMs ?? answer.ms) / 1000).toFixed(1)} s{speed}</span>;
}

const END = { length: 'The answer has as many tokens as were asked for.' };

function Answer({ conversation, turn, isLast, isBusy }) {
  const answer = shown(turn);
  if (!answer) return null;
  const isRunning = answer.state === 'running';
  return (
    <div class="answer" aria-busy={isRunning}>
      {answer.text
        ? <Markdown text={answer.text} />
        : isRunning && <p class="waits">Waiting for the first word…</p>}
      {isRunning && answer.text && <span class="cursor" aria-hidden="true" />}
      {answer.state === 'failed' && <Notice kind="bad">{answer.error}</Notice>}
      {answer.state === 'done' && END[answer.reason] && <p class="quiet">{END[answer.reason]}</p>}
      {!isRunning && <Receipt conversationId={conversation.id} turn={turn} place={turn.chosen} />}
      {!isRunning && (
        <div class="tools">
          <Choice conversation={conversation} turn={turn} isBusy={isBusy} />
          {answer.text && <Copy text={answer.text} label="Copy the answer" />}
          {isLast && (
            <button type="button" class="small" disabled={isBusy} onClick={() => again(conversation)}>
              {answer.state === 'failed' ? 'Try again' : 'Regenerate'}
            </button>
          )}
          <Speed answer={answer} />
        </div>
      )}
    </div>
  );
}

/** A turn of a conversation. */
export function Turn({ conversation, turn, isLast, isBusy }) {
  return (
    <article class="turn" aria-label={`Message: ${turn.text.slice(0, 60)}`}>
      <h2 class="heard">You wrote</h2>
      <Said conversation={conversation} turn={turn} isBusy={isBusy} />
      <h2 class="heard">Answer</h2>
      <Answer conversation={conversation} turn={turn} isLast={isLast} isBusy={isBusy} />
    </article>
  );
}
