// Tells a screen reader what is written, a sentence at a time: word by word it would never end one.

import { useEffect, useRef, useState } from 'preact/hooks';

/** The last end of a sentence or a line. */
const END = /^[\s\S]*(?:[.!?:;]["')\]]?\s|\n)/;
/** Sentences that are kept, so that the region stays short. */
const KEPT = 3;

/** A region that is only heard. `text` grows while `isRunning`; `last` is said at the end. */
export function Announcer({ text, isRunning, last }) {
  const [lines, setLines] = useState([]);
  const said = useRef(null);
  const number = useRef(0);
  const say = (line) => {
    if (!line.trim()) return;
    number.current += 1;
    setLines((before) => [...before.slice(1 - KEPT), { id: number.current, text: line.trim() }]);
  };
  useEffect(() => {
    if (isRunning && said.current === null) {
      said.current = 0;
      say('The answer begins.');
    }
    if (said.current === null) return;
    const rest = text.slice(said.current);
    const part = isRunning ? (rest.match(END)?.[0] ?? '') : rest;
    said.current += part.length;
    say(part);
    if (isRunning) return;
    said.current = null;
    say(last);
  }, [text, isRunning]);
  return (
    <div class="heard" aria-live="polite" aria-relevant="additions" data-testid="announcer">
      {lines.map((line) => <p key={line.id}>{line.text}</p>)}
    </div>
  );
}
