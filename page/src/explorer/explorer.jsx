// The explorer: what the chain knows, live over the node's RPC. Each object has an address of its own.

import { useEffect, useRef } from 'preact/hooks';

import { whole } from '../shared/format.js';
import { go, href } from '../shared/router.js';
import { useWatched } from '../shared/store.js';
import { followBlocks } from './blocks.js';
import { best, chain, connect, connection, finalized } from './node.js';
import { Notice } from './parts.jsx';
import { BlockView, Blocks } from './views/blocks.jsx';
import { CheckpointView, Checkpoints } from './views/checkpoints.jsx';
import { ClaimView, Claims } from './views/claims.jsx';
import { DisputeView, Disputes } from './views/disputes.jsx';
import { OperatorView, Operators } from './views/operators.jsx';
import { Overview } from './views/overview.jsx';
import { RequestView, Requests } from './views/requests.jsx';
import { SessionView, Sessions } from './views/sessions.jsx';
import { Supply } from './views/supply.jsx';
import { FamilyRounds, RoundView, Rounds } from './views/training.jsx';

/** The parts of the explorer: the address of the list, its name, and the addresses of its objects. */
const PARTS = [
  ['overview', 'Overview', []],
  ['blocks', 'Blocks', ['block']],
  ['sessions', 'Sessions', ['session']],
  ['claims', 'Claims', ['claim']],
  ['disputes', 'Disputes', ['dispute']],
  ['requests', 'Requests', ['request']],
  ['operators', 'Operators', ['operator']],
  ['checkpoints', 'Checkpoints', ['checkpoint']],
  ['rounds', 'Training', ['round', 'training']],
  ['supply', 'Supply', []],
];

const isNumber = (text) => /^\d+$/.test(text ?? '');
const number = (text) => (isNumber(text) ? Number(text) : undefined);

function View({ route: [kind, id, second] }) {
  switch (kind) {
    case 'overview': return <Overview />;
    case 'blocks': return <Blocks />;
    case 'block': return <BlockView id={isNumber(id) ? Number(id) : id} />;
    case 'sessions': return <Sessions />;
    case 'session': return <SessionView id={number(id)} />;
    case 'claims': return <Claims />;
    case 'claim': return <ClaimView id={number(id)} />;
    case 'disputes': return <Disputes />;
    case 'dispute': return <DisputeView claim={number(id)} leaf={number(second)} />;
    case 'requests': return <Requests />;
    case 'request': return <RequestView id={number(id)} />;
    case 'operators': return <Operators />;
    case 'operator': return <OperatorView address={id} />;
    case 'checkpoints': return <Checkpoints />;
    case 'checkpoint': return <CheckpointView id={id} />;
    case 'rounds': return <Rounds />;
    case 'training': return <FamilyRounds family={number(id)} />;
    case 'round': return <RoundView id={number(id)} />;
    case 'supply': return <Supply />;
    default: return <Notice kind="bad">There is nothing at this address.</Notice>;
  }
}

/** The address of what a reader looks for: a number is a block, 32 bytes a block or a checkpoint, else an account. */
function Search() {
  const field = useRef(null);
  const find = (event) => {
    event.preventDefault();
    const wanted = field.current.value.trim().replaceAll(/[\s,\u202f]/g, '');
    if (!wanted) return;
    if (isNumber(wanted)) go(['block', wanted]);
    else if (/^0x[\da-f]{64}$/i.test(wanted)) go(['checkpoint', wanted.toLowerCase()]);
    else go(['operator', wanted]);
    field.current.value = '';
  };
  return (
    <form class="search" role="search" onSubmit={find}>
      <label class="heard" for="search">Block number, checkpoint or account</label>
      <input id="search" ref={field} type="search" placeholder="Block, checkpoint, account" spellcheck={false} autocomplete="off" />
      <button type="submit" class="small">Find</button>
    </form>
  );
}

/** The chain, and how far it is. */
function Status() {
  const { state } = useWatched(connection);
  const { name } = useWatched(chain);
  const head = useWatched(best);
  const final = useWatched(finalized);
  const isLive = state === 'connected';
  return (
    <p class="status">
      <span class={`dot ${isLive ? 'good' : 'bad'}`} aria-hidden="true" />
      {isLive ? name : 'not connected'}
      {head && <> · block <a href={href('block', head.number)}>{whole(head.number)}</a></>}
      {final !== null && <> · final {whole(final)}</>}
    </p>
  );
}

function Connection({ state, url, error }) {
  if (state === 'failed') {
    return (
      <Notice kind="bad" action={<button type="button" class="small" onClick={connect}>Try again</button>}>
        The explorer has no node: {error}
      </Notice>
    );
  }
  if (state === 'lost') return <Notice kind="bad">The connection to {url} is lost. What is shown is of the last block that was read.</Notice>;
  return <p class="quiet pad" role="status">Connecting to {url ?? 'the node'}…</p>;
}

/** The explorer at an address. */
export function Explorer({ route }) {
  const connected = useWatched(connection);
  const main = useRef(null);
  const parts = useRef(null);
  const isReady = ['connected', 'lost'].includes(connected.state);
  const address = route.join('/');
  const shown = useRef(address);
  useEffect(() => {
    connect();
  }, []);
  useEffect(() => {
    if (isReady) followBlocks();
  }, [isReady]);
  useEffect(() => {
    // In a narrow window the parts are wider than it.
    const present = parts.current?.querySelector('[aria-current]');
    if (present) parts.current.scrollLeft = present.offsetLeft - parts.current.clientWidth / 2 + present.clientWidth / 2;
  }, [route[0]]);
  useEffect(() => {
    // A reader who follows a link reads on at its target.
    if (shown.current !== address) {
      main.current?.querySelector('h1')?.focus({ preventScroll: true });
      main.current?.scrollTo?.(0, 0);
      window.scrollTo(0, 0);
    }
    shown.current = address;
  }, [address]);
  return (
    <div class="explorer">
      <div class="tools-of-explorer">
        <nav class="parts" aria-label="Explorer" ref={parts}>
          {PARTS.map(([id, name, objects]) => (
            <a key={id} href={href(id)} aria-current={route[0] === id || objects.includes(route[0]) ? 'page' : undefined}>{name}</a>
          ))}
        </nav>
        <div class="line"><Status /><Search /></div>
      </div>
      <main id="main" tabIndex={-1} ref={main}>
        {connected.state !== 'connected' && <Connection {...connected} />}
        {isReady && <View key={address} route={route} />}
      </main>
    </div>
  );
}
