// Parts of the explorer's views: links to objects, amounts, lists of facts, tables, events.

import { useState } from 'preact/hooks';

import { amount, count, exactAmount, sentence, short, time, whole, words } from '../shared/format.js';
import { href } from '../shared/router.js';
import { useWatched } from '../shared/store.js';
import { Copy, Mark, Notice } from '../shared/ui.jsx';
import { STEP, earliest, readEarlier } from './blocks.js';
import { useEvents } from './hooks.js';
import { chain } from './node.js';
import { text, variant } from './plain.js';

export { Mark, Notice };

// --- links -------------------------------------------------------------------------------------------

/** A link to an object. */
const To = ({ kind, id, children, title }) => <a href={href(kind, id)} title={title}>{children}</a>;

export const BlockLink = ({ number }) => <To kind="block" id={number}>{whole(number)}</To>;
export const AccountLink = ({ address }) =>
  address ? <To kind="operator" id={address} title={address}><span class="mono">{short(address)}</span></To> : <>none</>;
export const CheckpointLink = ({ id }) =>
  id ? <To kind="checkpoint" id={id} title={id}><span class="mono">{short(id, 8)}</span></To> : <>none</>;
export const SessionLink = ({ id }) => <To kind="session" id={id}>session {id}</To>;
export const ClaimLink = ({ id }) => <To kind="claim" id={id}>claim {id}</To>;
export const RoundLink = ({ id }) => <To kind="round" id={id}>round {id}</To>;
export const RequestLink = ({ id }) => <To kind="request" id={id}>request {id}</To>;
export const DisputeLink = ({ claim, leaf }) => <a href={href('dispute', claim, leaf)}>dispute over leaf {leaf} of claim {claim}</a>;

/** What a part of a bond is locked behind, or what a claim is for. */
export function JobLink({ job }) {
  const [kind, inside] = variant(job);
  const ids = Array.isArray(inside) ? inside : [inside];
  switch (kind) {
    case 'Request':
      return <RequestLink id={ids[0]} />;
    case 'Round':
      return <RoundLink id={ids[0]} />;
    case 'Session':
      return <SessionLink id={ids[0]} />;
    case 'Check':
      return <>check of leaf {ids[1]} of <ClaimLink id={ids[0]} /></>;
    case 'Dispute':
      return <DisputeLink claim={ids[0]} leaf={ids[1]} />;
    default:
      return <>{words(kind ?? 'none')}</>;
  }
}

// --- values ------------------------------------------------------------------------------------------

/** An amount in tokens; its exact value is its title. */
export function Amount({ units }) {
  const { token } = useWatched(chain);
  if (units === null || units === undefined) return <>none</>;
  return <span class="amount" title={exactAmount(units, token)}>{amount(units, token)}</span>;
}

/** A hash with a button that copies it. */
export const Hash = ({ value }) => <span class="hash"><span class="mono">{value}</span> <Copy text={value} label="Copy the hash" /></span>;

/** What the names of fields say about their values. */
const LINKS = {
  block: (id) => <BlockLink number={id} />,
  claim: (id) => <ClaimLink id={id} />,
  session: (id) => <SessionLink id={id} />,
  round: (id) => <RoundLink id={id} />,
  request: (id) => <RequestLink id={id} />,
  job: (id) => <JobLink job={id} />,
  until: (id) => <>block <BlockLink number={id} /></>,
};
const ADDRESS = /^5[1-9A-HJ-NP-Za-km-z]{46,47}$/;
const HASH = /^0x[\da-f]{64}$/;
/** Digits of bytes that are shown. */
const MOST_DIGITS = 200;

/** A decoded value of any kind. */
export function Value({ name, value }) {
  const [kind] = variant(value);
  if (value === null || value === undefined) return <span class="quiet">none</span>;
  const isBare = ['number', 'string'].includes(typeof value);
  if (name in LINKS && (isBare || name === 'job')) return LINKS[name](value);
  if (typeof value === 'bigint') return <Amount units={value} />;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return whole(value);
  if (typeof value === 'string') {
    if (ADDRESS.test(value)) return <AccountLink address={value} />;
    if (HASH.test(value)) {
      if (['checkpoint', 'parent', 'canonical'].includes(name)) return <CheckpointLink id={value} />;
      return <span class="mono" title={value}>{short(value, 10)}</span>;
    }
    const written = value.length > 2 ? text(value) : null;
    if (written !== null) return <q>{written}</q>;
    if (value.startsWith('0x')) return <span class="mono">{value.length > MOST_DIGITS ? `${value.slice(0, MOST_DIGITS)}… (${count((value.length - 2) / 2, 'byte')})` : value}</span>;
    return words(value);
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return <span class="quiet">none</span>;
    if (value.every((item) => typeof item === 'number')) return value.map(whole).join(', ');
    return <ul class="values">{value.map((item, place) => <li key={place}><Value value={item} /></li>)}</ul>;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return <span class="quiet">nothing</span>;
  if (entries.length === 1 && /^[A-Z]/.test(kind)) {
    return <>{words(kind)}: <Value name={kind.toLowerCase()} value={entries[0][1]} /></>;
  }
  return (
    <dl class="inner">
      {entries.map(([field, inner]) => <div key={field}><dt>{words(field)}</dt><dd><Value name={field} value={inner} /></dd></div>)}
    </dl>
  );
}

// --- pages -------------------------------------------------------------------------------------------

/** The head of a view. */
export const Head = ({ title, children }) => (
  <div class="head"><h1 tabIndex={-1}>{title}</h1>{children}</div>
);

/** A part of a view with a heading. */
export const Part = ({ title, children, aside }) => (
  <section class="part"><div class="parthead"><h2>{title}</h2>{aside}</div>{children}</section>
);

/** Facts, each `[label, value]`; those without value are left out. */
export const Facts = ({ facts }) => (
  <dl class="facts">
    {facts.filter((fact) => fact && fact[1] !== undefined && fact[1] !== null).map(([label, value]) => (
      <div key={label}><dt>{label}</dt><dd>{value}</dd></div>
    ))}
  </dl>
);

/** A table: `columns` are `[heading, row => cell, class]`. */
export function Table({ label, columns, rows, of, empty = 'There are none.' }) {
  if (!rows.length) return <p class="quiet">{empty}</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead><tr>{columns.map(([heading, , kind]) => <th key={heading} scope="col" class={kind}>{heading}</th>)}</tr></thead>
        <tbody>
          {rows.map((row, place) => (
            <tr key={of ? of(row) : place}>{columns.map(([heading, cell, kind]) => <td key={heading} class={kind}>{cell(row)}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What a read has to say instead of its value: `null` once there is one. */
export function pending({ value, error, isLoading }) {
  if (value !== undefined) return null;
  if (error) return <Notice kind="bad">The chain could not be read: {error.message}</Notice>;
  return isLoading ? <p class="quiet" role="status">Reading the chain…</p> : null;
}

/** Instead of a view of a pallet that the chain does not have. */
export const Absent = ({ title, pallet }) => (
  <>
    <Head title={title} />
    <Notice>This chain has no pallet <code>{pallet}</code>: its runtime is older than this page, or another one.</Notice>
  </>
);

// --- events ------------------------------------------------------------------------------------------

/** Events that every block has, and that say nothing about it. */
const ROUTINE = ['ExtrinsicSuccess'];

/** A step back in the chain. */
export function Earlier() {
  const first = useWatched(earliest);
  const [state, setState] = useState(null);
  if (first === null || first === 0) return null;
  const read = () => {
    setState('reading');
    readEarlier(STEP).then(() => setState(null), (error) => setState(error.message));
  };
  return (
    <p class="quiet earlier">
      Events are read from block <BlockLink number={first} /> on.{' '}
      <button type="button" class="small" disabled={state === 'reading'} onClick={read}>{state === 'reading' ? 'Reading…' : `Read ${STEP} earlier blocks`}</button>
      {state && state !== 'reading' && <span class="bad"> The node no longer has their state: {state}</span>}
    </p>
  );
}

/** A line that opens: what is inside is made when it does. */
export function Fold({ line, inside }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="event" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{line}</summary>
      {isOpen && inside()}
    </details>
  );
}

/** An event in words. */
export const Event = ({ event }) => (
  <Fold
    line={<><span class="where">{whole(event.block)}</span><span>{sentence(words(event.pallet))}: {words(event.name)}</span></>}
    inside={() => <><p class="quiet">In <a href={href('block', event.block)}>block {whole(event.block)}</a></p><Value value={event.data} /></>}
  />
);

/** The events that `test` accepts, latest first. */
export function Events({ test, most = 100, title = 'Events', empty = 'There are none in the blocks that were read.' }) {
  const events = useEvents((event) => !ROUTINE.includes(event.name) && test(event), most);
  return (
    <Part title={title}>
      {events.length ? <div class="events">{events.map((event) => <Event key={`${event.block}-${event.index}`} event={event} />)}</div> : <p class="quiet">{empty}</p>}
      <Earlier />
    </Part>
  );
}

/** A step of something that goes on: `kind` is `done`, `now` or `later`. */
export const Step = ({ kind, title, children }) => (
  <li class={`step ${kind}`} aria-current={kind === 'now' ? 'step' : undefined}>
    <span class="steptitle">{title}<span class="heard">{{ done: ', done', now: ', now', later: ', later' }[kind]}</span></span>
    {children && <div class="stepbody">{children}</div>}
  </li>
);

/** Until when something lasts, and how long that is. */
export function Until({ block, now }) {
  if (!block) return null;
  const left = block - now;
  return <>until block <BlockLink number={block} />{left >= 0 ? ` (${count(left, 'block')} left)` : ''}</>;
}

/** A time of day. */
export const Time = ({ ms }) => (ms ? <time dateTime={new Date(ms).toISOString()}>{time(ms)}</time> : <>unknown</>);
