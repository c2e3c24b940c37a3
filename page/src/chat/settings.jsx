// How answers are made, and the key.

import { useEffect, useState } from 'preact/hooks';

import { info, key, models } from '../shared/gateway.js';
import { useWatched } from '../shared/store.js';
import { Dialog, Notice } from '../shared/ui.jsx';
import { DEFAULTS, set } from './conversation.js';

/** A number with a slider beside it: both change the same value. */
function Slider({ id, label, hint, value, max, step, onChange }) {
  const read = (event) => {
    const number = Number(event.currentTarget.value);
    if (event.currentTarget.value !== '' && number >= 0 && number <= max) onChange(number);
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="pair">
        <input type="range" min="0" max={max} step={step} value={value} onInput={read} aria-label={`${label}, slider`} aria-describedby={`${id}-hint`} />
        <input id={id} type="number" min="0" max={max} step={step} value={value} onChange={read} inputMode="decimal" aria-describedby={`${id}-hint`} />
      </div>
      <p id={`${id}-hint`} class="hint">{hint}</p>
    </div>
  );
}

function Count({ id, label, hint, value, onChange }) {
  const read = (event) => onChange(Math.max(0, Math.min(65_535, Math.round(Number(event.currentTarget.value)) || 0)));
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} type="number" min="0" max="65535" step="1" value={value || ''} placeholder="default" onChange={read} inputMode="numeric" aria-describedby={`${id}-hint`} />
      <p id={`${id}-hint`} class="hint">{hint}</p>
    </div>
  );
}

function Model({ value, onChange }) {
  const [list, setList] = useState(null);
  const [error, setError] = useState(null);
  const present = useWatched(key);
  useEffect(() => {
    setError(null);
    models().then(setList, (problem) => setError(problem.message));
  }, [present]);
  return (
    <div class="field">
      <label for="model">Model</label>
      <select id="model" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">the gateway’s choice</option>
        {(list ?? []).map((model) => (
          <option key={model.id} value={model.id}>{model.id.startsWith('0x') ? `checkpoint ${model.id.slice(0, 10)}…` : model.id}</option>
        ))}
        {value && !list?.some(({ id }) => id === value) && <option value={value}>{value}</option>}
      </select>
      {error
        ? <Notice kind="bad">{error}</Notice>
        : <p class="hint">{list?.[0]?.context_length ? `Prompt and answer have ${list[0].context_length} tokens at most.` : 'The checkpoint that answers.'}</p>}
    </div>
  );
}

/** The dialog of settings. */
export function Settings({ conversation, isOpen, onClose, onChange }) {
  const gateway = useWatched(info);
  const secret = useWatched(key);
  const { settings } = conversation;
  const change = (changed) => {
    set(conversation, changed);
    onChange(changed);
  };
  return (
    <Dialog title="Settings" isOpen={isOpen} onClose={onClose}>
      <p class="hint">They hold for the next answers of this conversation, and for new conversations.</p>
      <Model value={settings.model} onChange={(model) => change({ model })} />
      <div class="field">
        <label for="system">System message</label>
        <textarea id="system" rows={3} value={settings.system} onChange={(event) => change({ system: event.currentTarget.value })} aria-describedby="system-hint" />
        <p id="system-hint" class="hint">What the model is told before the conversation.</p>
      </div>
      <Slider id="temperature" label="Temperature" value={settings.temperature} max={2} step={0.05} onChange={(temperature) => change({ temperature })}
        hint="0: always the likeliest token. Higher: more variety." />
      <Slider id="top-p" label="Top p" value={settings.topP} max={1} step={0.01} onChange={(topP) => change({ topP })}
        hint="Only the likeliest tokens are drawn from that have this probability together." />
      <div class="row">
        <Count id="top-k" label="Top k" value={settings.topK} onChange={(topK) => change({ topK })} hint="Only this many of the likeliest tokens; empty: all." />
        <Count id="max-tokens" label="Most tokens" value={settings.maxTokens} onChange={(maxTokens) => change({ maxTokens })} hint="Of an answer; empty: the gateway’s default." />
      </div>
      {(gateway?.needs_key || secret) && (
        <div class="field">
          <label for="key">Bearer key</label>
          <input id="key" type="password" autocomplete="off" value={secret} onChange={(event) => (key.value = event.currentTarget.value.trim())} aria-describedby="key-hint" />
          <p id="key-hint" class="hint">Kept in this browser. <code>noema-worker gateway key make</code> makes one.</p>
        </div>
      )}
      <div class="actions">
        <button type="button" onClick={() => change(DEFAULTS)}>Use the defaults</button>
        <button type="button" class="primary" onClick={onClose}>Done</button>
      </div>
    </Dialog>
  );
}
