// Where the next message is written.

import { useEffect, useRef, useState } from 'preact/hooks';

/** Lines of the field at most; it grows up to these. */
const MOST_LINES = 10;

/** The field with its button: Enter sends, Shift and Enter begin a line, Escape stops the answer. */
export function Composer({ conversationId, isAnswering, onSend, onStop }) {
  const [text, setText] = useState('');
  const area = useRef(null);
  useEffect(() => {
    area.current.focus();
  }, [conversationId]);
  useEffect(() => {
    const { current } = area;
    current.style.height = 'auto';
    const line = Number.parseFloat(getComputedStyle(current).lineHeight);
    current.style.height = `${Math.min(current.scrollHeight, MOST_LINES * line)}px`;
  }, [text]);
  const send = () => {
    if (!text.trim() || isAnswering) return;
    onSend(text);
    setText('');
  };
  const onKeyDown = (event) => {
    if (event.key === 'Escape' && isAnswering) onStop();
    // While an input method composes a word, Enter belongs to it.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form class="composer" onSubmit={(event) => { event.preventDefault(); send(); }}>
      <label class="heard" for="message">Message</label>
      <textarea ref={area} id="message" rows={1} value={text} placeholder="Ask something" enterKeyHint="send" aria-describedby="message-hint"
        onInput={(event) => setText(event.currentTarget.value)} onKeyDown={onKeyDown} />
      {isAnswering
        ? <button type="button" class="primary" onClick={onStop}>Stop</button>
        : <button type="submit" class="primary" disabled={!text.trim()}>Send</button>}
      <p id="message-hint" class="hint"><span class="wide">Enter sends, Shift+Enter begins a line, Esc stops. </span>Workers and validators can read what you write.</p>
    </form>
  );
}
