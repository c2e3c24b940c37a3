// Small parts that chat and explorer share.

import { useEffect, useRef, useState } from 'preact/hooks';

/** A message about what happened; `kind` is `bad`, `good` or `plain`. */
export function Notice({ kind = 'plain', children, action }) {
  return (
    <div class={`notice ${kind}`} role={kind === 'bad' ? 'alert' : 'status'}>
      <div>{children}</div>
      {action}
    </div>
  );
}

/** A short text about the state of something; the colour repeats what the word says. */
export const Mark = ({ kind = 'plain', children }) => <span class={`mark ${kind}`}>{children}</span>;

/** Copies a text. */
export function Copy({ text, label }) {
  const [state, setState] = useState('');
  useEffect(() => {
    if (!state) return undefined;
    const timer = setTimeout(() => setState(''), 1500);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => navigator.clipboard.writeText(text).then(() => setState('Copied'), () => setState('Not copied'));
  return (
    <button type="button" class="small" onClick={copy} aria-label={state || label}>{state || 'Copy'}</button>
  );
}

/** A dialog that keeps the focus, ends with Escape, and gives the focus back. */
export function Dialog({ title, isOpen, onClose, children, class: name = '' }) {
  const dialog = useRef(null);
  useEffect(() => {
    const { current } = dialog;
    if (isOpen && !current.open) current.showModal();
    if (!isOpen && current.open) current.close();
  }, [isOpen]);
  const onBackdrop = (event) => event.target === dialog.current && onClose();
  return (
    <dialog ref={dialog} class={name} onClose={onClose} onClick={onBackdrop} aria-label={title}>
      {isOpen && (
        <div class="inside">
          <div class="title">
            <h2>{title}</h2>
            <button type="button" class="icon" onClick={onClose} aria-label={`Close ${title}`}><span aria-hidden="true">✕</span></button>
          </div>
          {children}
        </div>
      )}
    </dialog>
  );
}
