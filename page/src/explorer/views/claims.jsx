// Claims: work that an operator asserts, its checks, and its end.

import { count, percent, whole, words } from '../../shared/format.js';
import { useWatched } from '../../shared/store.js';
import { useEvents, useRead } from '../hooks.js';
import { best, has } from '../node.js';
import {
  Absent, AccountLink, Amount, BlockLink, CheckpointLink, ClaimLink, DisputeLink, Events, Facts, Hash, Head, JobLink, Mark, Notice, Part, Step, Table, Until, pending,
} from '../parts.jsx';
import { plain, variant } from '../plain.js';
import { latest } from './numbered.js';

const MOST = 50;

/** The stage of a claim, as a mark. */
function ClaimStage({ stage, disputes = 0 }) {
  const [name, inside] = variant(stage);
  if (disputes > 0) return <Mark kind="bad">in dispute</Mark>;
  if (name !== 'Ended') return <Mark>{words(name)}</Mark>;
  const [outcome, why] = variant(inside);
  if (outcome === 'Final') return <Mark kind="good">final, {words(variant(why)[0])}</Mark>;
  return <Mark kind="bad">{outcome === 'Fallen' ? `fallen: ${words(variant(why)[0])}` : words(outcome)}</Mark>;
}

/** The latest claims. */
export function ClaimTable({ most }) {
  const read = useRead((api) => latest(api, 'claims', 'nextClaim', 'claims', most), [most]);
  return pending(read) ?? (
    <Table
      label="Claims" rows={read.value} of={({ id }) => id} empty="No claim was made yet, or all are over and removed."
      columns={[
        ['Claim', ({ id }) => <ClaimLink id={id} />],
        ['Stage', ({ value: { claim } }) => <ClaimStage stage={claim.stage} disputes={claim.disputes} />],
        ['For', ({ value: { job } }) => <JobLink job={job} />],
        ['Claimant', ({ value: { claim } }) => <AccountLink address={claim.terms.claimant} />],
        ['Answers', ({ value: { claim } }) => whole(claim.terms.leaves), 'number'],
        ['Payment', ({ value: { claim } }) => <Amount units={claim.terms.payment} />, 'number'],
        ['Stake', ({ value: { claim } }) => <Amount units={claim.terms.stake} />, 'number'],
      ]}
    />
  );
}

/** The list of claims. */
export function Claims() {
  if (!has('claims')) return <Absent title="Claims" pallet="claims" />;
  return (
    <>
      <Head title="Claims" />
      <p class="lead">An operator asserts work, with a stake behind it. Validators that are drawn re-execute some of its answers; any account can challenge one until the claim is final.</p>
      <ClaimTable most={MOST} />
    </>
  );
}

const ORDER = ['Undrawn', 'Committing', 'Revealing', 'Challengeable', 'Ended'];

/** The life of a claim, step by step. */
function Life({ claim, now }) {
  const [name, inside] = variant(claim.stage);
  const place = ORDER.indexOf(name);
  const kind = (step) => (step < place || name === 'Ended' ? 'done' : step === place ? 'now' : 'later');
  const verification = name === 'Challengeable' ? inside.verification : variant(inside)[0] === 'Final' ? variant(inside)[1] : null;
  const wasDrawn = claim.drawn.length > 0;
  return (
    <ol class="life">
      <Step kind={kind(0)} title="Draw">
        {place === 0 ? 'It waits for randomness that was not known when it was made.' : wasDrawn ? `${count(claim.drawn.length, 'leaf', 'leaves')} of ${whole(claim.terms.leaves)} drawn: ${claim.drawn.map(whole).join(', ')}.` : 'No leaf was drawn for a check.'}
      </Step>
      <Step kind={kind(1)} title="Commitments">{name === 'Committing' ? <>Validators re-execute and commit, <Until block={inside.until} now={now} />.</> : null}</Step>
      <Step kind={kind(2)} title="Reveals">{name === 'Revealing' ? <>Validators show the hidden states that they committed to, <Until block={inside.until} now={now} />.</> : null}</Step>
      <Step kind={kind(3)} title="Challenges">
        {name === 'Challengeable' && <>Any account can challenge a leaf, <Until block={inside.until} now={now} />. </>}
        {verification && <>The checks: {words(variant(verification)[0])}.</>}
      </Step>
      <Step kind={kind(4)} title="End">{name === 'Ended' ? <ClaimStage stage={claim.stage} /> : null}</Step>
    </ol>
  );
}

const STATES = { Seated: 'has not committed', Committed: 'committed', Confirmed: 'confirmed the leaf', Challenged: 'challenged the leaf', Refuted: 'challenged a true leaf', Silent: 'was silent' };
const STATE_KINDS = { Confirmed: 'good', Challenged: 'bad', Refuted: 'bad', Silent: 'bad' };

/** What the events tell of a claim that is removed. */
function Removed({ id }) {
  const [made] = useEvents(({ pallet, name, data }) => pallet === 'claims' && name === 'ClaimMade' && data.claim === id, 1);
  const [ended] = useEvents(({ pallet, name, data }) => pallet === 'claims' && name === 'Ended' && data.claim === id, 1);
  if (!made && !ended) return <Notice>The chain has no claim with this number, or it is over and removed.</Notice>;
  return (
    <>
      <Notice>The claim is over and removed from the chain’s state. Its events remain.</Notice>
      <Facts facts={[
        made && ['Made', <>block <BlockLink number={made.block} /></>],
        made && ['For', <JobLink job={made.data.job} />],
        made && ['Claimant', <AccountLink address={made.data.claimant} />],
        ended && ['End', <ClaimStage stage={{ Ended: ended.data.outcome }} />],
        ended && ['Paid to the claimant', <Amount units={ended.data.paid} />],
        ended && ['Refunded', <Amount units={ended.data.refunded} />],
        ended && ['Burned', <Amount units={ended.data.burned} />],
      ]} />
    </>
  );
}

/** A claim. */
export function ClaimView({ id }) {
  const head = useWatched(best);
  const read = useRead(async (api) => {
    const [kept, disputes] = await Promise.all([api.query.claims?.claims(id), api.query.claims?.disputes.entries(id)]);
    return { kept: plain(kept), disputes: (disputes ?? []).map(([key, value]) => ({ leaf: plain(key.args[1]), challengers: plain(value) })) };
  }, [id]);
  if (!has('claims')) return <Absent title={`Claim ${id}`} pallet="claims" />;
  const waiting = pending(read);
  if (waiting) return <><Head title={`Claim ${id}`} />{waiting}</>;
  const { kept, disputes } = read.value;
  const events = <Events title="What happened" test={({ pallet, data }) => ['claims', 'jury', 'sessions'].includes(pallet) && data.claim === id} />;
  if (!kept) return <><Head title={`Claim ${id}`} /><Removed id={id} />{events}</>;
  const { claim, job } = kept;
  const { terms } = claim;
  return (
    <>
      <Head title={`Claim ${id}`}><ClaimStage stage={claim.stage} disputes={claim.disputes} /></Head>
      <Facts facts={[
        ['For', <JobLink job={job} />],
        ['Claimant', <AccountLink address={terms.claimant} />],
        ['Payer', <AccountLink address={terms.payer} />],
        ['Checkpoint', <CheckpointLink id={terms.checkpoint} />],
        ['Made', <>block <BlockLink number={claim.madeAt} /></>],
        ['Answers', <>{whole(terms.leaves)}, each of {whole(terms.leafTokens)} tokens at most, {variant(terms.availability)[0] === 'OnChain' ? 'on chain' : 'with the claimant'}</>],
        ['Payment', <Amount units={terms.payment} />],
        ['For checks', <Amount units={terms.checkFee} />],
        ['Stake', <><Amount units={terms.stake} /> ({percent(terms.stake, terms.payment)} of the payment)</>],
        ['Root over the receipts', <Hash value={terms.root} />],
      ]} />
      <Part title="Its life"><Life claim={claim} now={head.number} /></Part>
      {claim.seats.length > 0 && (
        <Part title="Validators">
          <Table
            label="Validators" rows={claim.seats}
            columns={[
              ['Validator', ({ validator }) => <AccountLink address={validator} />],
              ['Leaf', ({ leaf }) => whole(leaf), 'number'],
              ['State', ({ state }) => { const [name] = variant(state); return <Mark kind={STATE_KINDS[name]}>{STATES[name] ?? words(name)}</Mark>; }],
            ]}
          />
        </Part>
      )}
      {claim.demands.length > 0 && (
        <Part title="Leaves that were demanded">
          <Table
            label="Demands" rows={claim.demands}
            columns={[
              ['Leaf', ({ leaf }) => whole(leaf), 'number'],
              ['By', ({ by }) => <AccountLink address={by} />],
              ['State', ({ isPosted, until }) => (isPosted ? <Mark kind="good">posted</Mark> : <Until block={until} now={head.number} />)],
            ]}
          />
        </Part>
      )}
      {disputes.length > 0 && (
        <Part title="Disputes">
          <Table
            label="Disputes" rows={disputes}
            columns={[
              ['Dispute', ({ leaf }) => <DisputeLink claim={id} leaf={leaf} />],
              ['Challengers', ({ challengers }) => challengers.map(({ account }) => <div key={account}><AccountLink address={account} /></div>)],
            ]}
          />
        </Part>
      )}
      {events}
    </>
  );
}
