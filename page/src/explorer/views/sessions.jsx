// Sessions: what a payer put on hold, and what its worker claimed of it.

import { percent, whole, words } from '../../shared/format.js';
import { useWatched } from '../../shared/store.js';
import { useRead } from '../hooks.js';
import { best, has } from '../node.js';
import {
  Absent, AccountLink, Amount, BlockLink, CheckpointLink, ClaimLink, Events, Facts, Hash, Head, Mark, Notice, Part, SessionLink, Table, Until, pending,
} from '../parts.jsx';
import { plain, variant } from '../plain.js';
import { latest } from './numbered.js';

const MOST = 50;
const KINDS = { Open: 'good', Closing: 'plain', Ended: 'plain', Unseeded: 'plain' };

/** The stage of a session, as a mark. */
function Stage({ stage }) {
  const [name, inside] = variant(stage);
  return <Mark kind={KINDS[name]}>{name === 'Ended' ? `ended: ${words(variant(inside)[0])}` : words(name)}</Mark>;
}

/** The latest sessions. */
export function SessionTable({ most }) {
  const read = useRead((api) => latest(api, 'sessions', 'nextSession', 'sessions', most), [most]);
  return pending(read) ?? (
    <Table
      label="Sessions" rows={read.value} of={({ id }) => id} empty="No session was opened yet, or all are over and removed."
      columns={[
        ['Session', ({ id }) => <SessionLink id={id} />],
        ['Stage', ({ value }) => <Stage stage={value.account.stage} />],
        ['Payer', ({ value }) => <AccountLink address={value.payer} />],
        ['Worker', ({ value }) => <AccountLink address={value.worker} />],
        ['Answers claimed', ({ value }) => whole(value.account.count), 'number'],
        ['Spent', ({ value }) => <Amount units={value.account.spent} />, 'number'],
        ['On hold', ({ value }) => <Amount units={value.account.held} />, 'number'],
      ]}
    />
  );
}

/** The list of sessions. */
export function Sessions() {
  if (!has('sessions')) return <Absent title="Sessions" pallet="sessions" />;
  return (
    <>
      <Head title="Sessions" />
      <p class="lead">A payer puts an amount on hold for one worker and one checkpoint. Prompts and answers flow between the two; one claim pays for any number of answers.</p>
      <SessionTable most={MOST} />
    </>
  );
}

/** A session. */
export function SessionView({ id }) {
  const head = useWatched(best);
  const read = useRead(async (api) => {
    const [session, open] = await Promise.all([api.query.sessions?.sessions(id), api.query.sessions?.openClaims.entries(id)]);
    return {
      session: plain(session),
      open: (open ?? []).map(([key, value]) => ({ number: plain(key.args[1]), ...plain(value) })).sort((one, other) => one.number - other.number),
    };
  }, [id]);
  if (!has('sessions')) return <Absent title={`Session ${id}`} pallet="sessions" />;
  const waiting = pending(read);
  if (waiting) return <><Head title={`Session ${id}`} />{waiting}</>;
  const { session, open } = read.value;
  const events = <Events title="What happened" test={({ pallet, data }) => pallet === 'sessions' && data.session === id} />;
  if (!session) return <><Head title={`Session ${id}`} /><Notice>The chain has no session with this number, or it is over and removed.</Notice>{events}</>;
  const { account, prices } = session;
  const [, stage] = variant(account.stage);
  const left = account.held - account.spent;
  return (
    <>
      <Head title={`Session ${id}`}><Stage stage={account.stage} /></Head>
      <Facts facts={[
        ['Payer', <AccountLink address={session.payer} />],
        ['Worker', <AccountLink address={session.worker} />],
        ['Checkpoint', <CheckpointLink id={session.checkpoint} />],
        ['Lasts', stage?.until && <Until block={stage.until} now={head.number} />],
        ['Opened', <>block <BlockLink number={session.openedAt} /></>],
        session.endedAt !== null && ['Ended', <>block <BlockLink number={session.endedAt} /></>],
        ['Put on hold', <Amount units={account.held} />],
        ['Spent by claims', <><Amount units={account.spent} /> ({percent(account.spent, account.held)})</>],
        session.endedAt === null && ['Left', <Amount units={left > 0n ? left : 0n} />],
        ['Answers claimed', <>{whole(account.count)}, for <Amount units={account.amount} /> in {whole(account.claims)} claims</>],
        ['Price of a token', <>prompt <Amount units={prices.perPromptToken} />, cached <Amount units={prices.perCachedToken} />, answer <Amount units={prices.perAnswerToken} /></>],
        ['Most tokens of an answer', whole(session.leafTokens)],
        session.seed && ['Seed', <Hash value={session.seed} />],
      ]} />
      <Part title="Claims that have not ended">
        <Table
          label="Open claims" rows={open} empty="There is none."
          columns={[
            ['Claim', ({ claim }) => <ClaimLink id={claim} />],
            ['Number in the session', ({ number }) => whole(number), 'number'],
            ['Answers', ({ first, leaves }) => `${whole(first)} to ${whole(first + leaves - 1)}`],
          ]}
        />
      </Part>
      {events}
    </>
  );
}

