// Blocks, their calls and their events.

import { useEffect, useState } from 'preact/hooks';

import { count, sentence, short, whole, words } from '../../shared/format.js';
import { href } from '../../shared/router.js';
import { useWatched } from '../../shared/store.js';
import { fetchBlock, latestBlocks, revision } from '../blocks.js';
import { best, finalized } from '../node.js';
import { AccountLink, BlockLink, Earlier, Event, Facts, Fold, Hash, Head, Mark, Notice, Part, Table, Time, Value } from '../parts.jsx';

/** Calls that every block has. */
const ROUTINE = ['timestamp.set', 'parachainSystem.setValidationData'];
const pathOf = ({ pallet, name }) => `${pallet}.${name}`;
const isRoutine = (call) => ROUTINE.includes(pathOf(call));

/** The latest blocks, as a table. */
export function BlockTable({ most }) {
  useWatched(revision);
  const final = useWatched(finalized) ?? 0;
  return (
    <Table
      label="Blocks" rows={latestBlocks(most)} of={({ number }) => number} empty="No block was read yet."
      columns={[
        ['Block', ({ number }) => <BlockLink number={number} />],
        ['Time', ({ time }) => <Time ms={time} />],
        ['Calls', ({ extrinsics }) => {
          const calls = extrinsics.filter((call) => !isRoutine(call));
          return calls.length ? calls.map((call) => words(call.name)).join(', ') : <span class="quiet">none</span>;
        }],
        ['Events', ({ events }) => whole(events.length), 'number'],
        ['State', ({ number }) => (number <= final ? <Mark kind="good">final</Mark> : <Mark>best</Mark>)],
      ]}
    />
  );
}

/** The list of blocks. */
export const Blocks = () => (
  <>
    <Head title="Blocks" />
    <BlockTable most={50} />
    <Earlier />
  </>
);

const Call = ({ call }) => (
  <Fold
    line={<>
      <span class="where">{call.index}</span>
      <span>{sentence(words(call.pallet))}: {words(call.name)}</span>
      {call.key && <Mark>duty</Mark>}
    </>}
    inside={() => <>
      <Facts facts={[
        ['Hash', <Hash value={call.hash} />],
        call.signer && ['Signed by', <AccountLink address={call.signer} />],
        call.key && ['Hot key', <span class="mono">{call.key}</span>],
      ]} />
      <Value value={call.data} />
    </>}
  />
);

/** A block; `id` is its number or its hash. */
export function BlockView({ id }) {
  const head = useWatched(best);
  const final = useWatched(finalized);
  const [state, setState] = useState({});
  // A block that does not exist yet is shown once it does.
  const isFuture = typeof id === 'number' && head && id > head.number;
  useEffect(() => {
    if (isFuture) return;
    fetchBlock(id).then((block) => setState({ block, isMissing: !block }), (error) => setState({ error }));
  }, [id, isFuture]);
  const { block, isMissing, error } = state;
  const title = `Block ${block ? whole(block.number) : typeof id === 'number' ? whole(id) : short(id, 10)}`;
  if (isFuture) return <><Head title={title} /><Notice>This block is not made yet. The best one is {whole(head.number)}.</Notice></>;
  if (error || isMissing) return <><Head title={title} /><Notice kind="bad">The node does not have this block, or no longer its state{error ? `: ${error.message}` : ''}.</Notice></>;
  if (!block) return <><Head title={title} /><p class="quiet" role="status">Reading the block…</p></>;
  const calls = block.extrinsics;
  return (
    <>
      <Head title={title}>
        <nav class="around" aria-label="Blocks beside it">
          {block.number > 0 && <a href={href('block', block.number - 1)}>‹ {whole(block.number - 1)}</a>}
          <a href={href('block', block.number + 1)}>{whole(block.number + 1)} ›</a>
        </nav>
      </Head>
      <Facts facts={[
        ['Hash', <Hash value={block.hash} />],
        ['Parent', <span class="mono">{short(block.parent, 10)}</span>],
        ['Time', <Time ms={block.time} />],
        ['State', final !== null && block.number <= final ? <Mark kind="good">final</Mark> : <Mark>not final yet</Mark>],
      ]} />
      <Part title={count(calls.length, 'call')}>
        <div class="events">{calls.map((call) => <Call key={call.index} call={call} />)}</div>
      </Part>
      <Part title={count(block.events.length, 'event')}>
        <div class="events">{block.events.map((event) => <Event key={event.index} event={event} />)}</div>
      </Part>
    </>
  );
}
