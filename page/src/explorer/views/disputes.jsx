// Disputes over leaves of claims, step by step: those that are open from the chain's state, all from its events.

import { count, whole, words } from '../../shared/format.js';
import { useWatched } from '../../shared/store.js';
import { useEvents, useRead } from '../hooks.js';
import { best, has } from '../node.js';
import {
  Absent, AccountLink, Amount, BlockLink, CheckpointLink, ClaimLink, DisputeLink, Earlier, Events, Facts, Head, Mark, Notice, Part, Step, Table, Until, pending,
} from '../parts.jsx';
import { plain, variant } from '../plain.js';

const VERDICT_KINDS = { True: 'good', False: 'bad', Undecided: 'plain' };
const Verdict = ({ verdict }) => { const [name] = variant(verdict); return <Mark kind={VERDICT_KINDS[name]}>the leaf is {words(name)}</Mark>; };

const isOf = (claim, leaf) => ({ pallet, data }) => ['jury', 'claims'].includes(pallet) && data.claim === claim && data.leaf === leaf;

/** The list of disputes. */
export function Disputes() {
  const isHere = has('jury');
  const read = useRead(async (api) => {
    const entries = await api.query.jury?.openDisputes.entries();
    return (entries ?? []).map(([key, value]) => {
      const [claim, leaf] = key.args.map(plain);
      return { claim, leaf, ...plain(value) };
    });
  }, []);
  const concluded = useEvents(({ pallet, name }) => pallet === 'jury' && ['Concluded', 'Dropped'].includes(name));
  if (!isHere) return <Absent title="Disputes" pallet="jury" />;
  return (
    <>
      <Head title="Disputes" />
      <p class="lead">Where an account challenges an answer as false, validators drawn for it execute it again and decide. Any account can appeal to a larger jury, once.</p>
      <Part title="Open">
        {pending(read) ?? (
          <Table
            label="Open disputes" rows={read.value} of={({ claim, leaf }) => `${claim}-${leaf}`} empty="No dispute is open."
            columns={[
              ['Dispute', ({ claim, leaf }) => <DisputeLink claim={claim} leaf={leaf} />],
              ['Jury', ({ dispute }) => words(variant(dispute.instance)[0])],
              ['Stage', ({ dispute }) => <Mark>{words(variant(dispute.stage)[0])}</Mark>],
              ['Checkpoint', ({ dispute }) => <CheckpointLink id={dispute.terms.checkpoint} />],
            ]}
          />
        )}
      </Part>
      <Part title="Over">
        <Table
          label="Disputes that are over" rows={concluded} of={({ block, index }) => `${block}-${index}`} empty="None in the blocks that were read."
          columns={[
            ['Dispute', ({ data }) => <DisputeLink claim={data.claim} leaf={data.leaf} />],
            ['Decision', ({ name, data }) => (name === 'Dropped' ? <Mark>dropped: the claim ended</Mark> : <Verdict verdict={data.decision} />)],
            ['Block', ({ block }) => <BlockLink number={block} />],
          ]}
        />
        <Earlier />
      </Part>
    </>
  );
}

const JUROR = { Seated: 'has not committed', Committed: 'committed', Revealed: 'revealed' };

/** The members of a jury, with the state of each. */
function Jury({ jury, drawn, revealed }) {
  // While it sits, its record is the chain's; afterwards what the events say.
  const jurors = jury?.jurors?.length ? jury.jurors : (drawn?.data.jurors ?? []).map(([account, seats]) => {
    const own = revealed.find(({ data }) => data.juror === account);
    return { account, seats, state: own ? { Revealed: own.data.verdict } : null };
  });
  if (!jurors.length) return null;
  return (
    <Table
      label="Jurors" rows={jurors} of={({ account }) => account}
      columns={[
        ['Juror', ({ account }) => <AccountLink address={account} />],
        ['Seats', ({ seats }) => whole(seats), 'number'],
        ['State', ({ state }) => {
          const [name, verdict] = variant(state);
          if (name === 'Revealed') return <Verdict verdict={verdict} />;
          return <Mark>{name ? JUROR[name] : 'no verdict'}</Mark>;
        }],
      ]}
    />
  );
}

const ORDER = ['Undrawn', 'Committing', 'Revealing', 'Appealable', 'Concluded'];

/** The steps of one jury. */
function Instance({ events, instance, dispute, now, isOver }) {
  const isFirst = instance === 'First';
  const isSitting = dispute && variant(dispute.instance)[0] === instance && !isOver;
  const [stage, inside] = isSitting ? variant(dispute.stage) : [null, null];
  const drawn = events.find(({ name, data }) => name === 'JuryDrawn' && variant(data.instance)[0] === instance);
  const since = drawn ? drawn.block : Infinity;
  const next = events.find(({ name, data }) => name === 'JuryDrawn' && variant(data.instance)[0] === 'Second');
  const before = isFirst && next ? next.block : Infinity;
  const within = ({ block }) => block >= since && block <= before;
  const committed = events.filter((event) => event.name === 'VerdictCommitted' && within(event));
  const revealed = events.filter((event) => event.name === 'VerdictRevealed' && within(event));
  const wasDrawn = Boolean(drawn) || (isSitting && stage !== 'Undrawn') || (dispute && (isFirst ? dispute.first : dispute.second).jurors?.length > 0);
  const place = stage ? ORDER.indexOf(stage) : wasDrawn ? ORDER.length : -1;
  const kind = (step) => (place > step ? 'done' : place === step ? 'now' : 'later');
  const until = inside?.until ? <> <Until block={inside.until} now={now} /></> : null;
  const jury = dispute && (isFirst ? dispute.first : dispute.second);
  return (
    <>
      <Step kind={kind(0)} title={`${isFirst ? 'First' : 'Second'} jury drawn`}>
        {stage === 'Undrawn' && 'It waits for randomness that was not known when the dispute was opened.'}
        {drawn && <>Block <BlockLink number={drawn.block} />: {count(drawn.data.jurors.reduce((sum, [, seats]) => sum + seats, 0), 'seat')} for {count(drawn.data.jurors.length, 'validator')}.</>}
      </Step>
      <Step kind={kind(1)} title="Jurors execute the leaf and commit">
        {committed.length > 0 && <>{count(committed.length, 'juror')} committed.</>}{stage === 'Committing' && until}
      </Step>
      <Step kind={kind(2)} title="Jurors reveal">
        {stage === 'Revealing' && until}
        <Jury jury={jury} drawn={drawn} revealed={revealed} />
      </Step>
    </>
  );
}

/** A dispute over a leaf of a claim. */
export function DisputeView({ claim, leaf }) {
  const head = useWatched(best);
  const title = `Dispute over leaf ${leaf} of claim ${claim}`;
  const read = useRead(async (api) => {
    const [open, challengers] = await Promise.all([api.query.jury?.openDisputes(claim, leaf), api.query.claims?.disputes(claim, leaf)]);
    return { open: plain(open), challengers: plain(challengers) ?? [] };
  }, [claim, leaf]);
  // Earliest first: they are a history here.
  const events = useEvents(isOf(claim, leaf)).toReversed();
  if (!has('jury')) return <Absent title={title} pallet="jury" />;
  const waiting = pending(read);
  if (waiting) return <><Head title={title} />{waiting}</>;
  const dispute = read.value.open?.dispute ?? null;
  const named = (name) => events.find((event) => event.name === name && event.pallet === 'jury');
  const opened = named('Opened');
  const challenged = events.filter(({ name }) => name === 'Challenged');
  const appealOpened = named('AppealOpened');
  const appealed = named('Appealed');
  const second = named('SecondJuryOpened') ?? appealed;
  const over = named('Concluded') ?? named('Dropped');
  if (!dispute && !events.length) {
    return <><Head title={title} /><Notice>The chain has no open dispute over this leaf, and the blocks that were read have none.</Notice><Earlier /></>;
  }
  const isSecond = Boolean(second) || (dispute && variant(dispute.instance)[0] === 'Second');
  const [stage, inside] = dispute ? variant(dispute.stage) : [null, null];
  const challengers = read.value.challengers.length ? read.value.challengers.map(({ account }) => account) : challenged.map(({ data }) => data.challenger);
  return (
    <>
      <Head title={title}>{over ? (over.name === 'Dropped' ? <Mark>dropped</Mark> : <Verdict verdict={over.data.decision} />) : <Mark kind="bad">open</Mark>}</Head>
      <Facts facts={[
        ['Claim', <ClaimLink id={claim} />],
        (dispute || opened) && ['Checkpoint', <CheckpointLink id={dispute?.terms.checkpoint ?? opened.data.checkpoint} />],
        dispute && ['Tokens of the leaf', whole(dispute.terms.leafTokens)],
        dispute && ['Stake of a juror’s seat', <Amount units={dispute.terms.jurorStake} />],
        (dispute || opened) && ['Bond of an appeal', <Amount units={dispute?.terms.appealBond ?? opened.data.appealBond} />],
      ]} />
      <Part title="Step by step">
        <ol class="life">
          <Step kind="done" title="Challenged">
            {challengers.length ? <>By {challengers.map((account, place) => <span key={account}>{place > 0 && ', '}<AccountLink address={account} /></span>)}</> : 'The leaf was challenged as false.'}
            {opened && <>, block <BlockLink number={opened.block} /></>}.
          </Step>
          <Instance instance="First" events={events} dispute={dispute} now={head.number} isOver={Boolean(over)} />
          <Step kind={stage === 'Appealable' ? 'now' : appealOpened || isSecond || over ? 'done' : 'later'} title="Verdict of the first jury">
            {appealOpened && <><Verdict verdict={appealOpened.data.verdict} /> </>}
            {stage === 'Appealable' && <>Any account can appeal <Until block={inside.until} now={head.number} />. </>}
            {appealed && <>Appealed by <AccountLink address={appealed.data.by} /> with <Amount units={appealed.data.bond} />, block <BlockLink number={appealed.block} />. </>}
            {second && !appealed && 'The first jury did not decide. '}
          </Step>
          {isSecond && <Instance instance="Second" events={events} dispute={dispute} now={head.number} isOver={Boolean(over)} />}
          <Step kind={over ? 'done' : 'later'} title="Decision">
            {over && <>{over.name === 'Dropped' ? 'Dropped: the claim ended for another reason' : <Verdict verdict={over.data.decision} />}, block <BlockLink number={over.block} />. {over.data.appeal && <>The appeal: {words(variant(over.data.appeal)[0])}.</>}</>}
          </Step>
        </ol>
      </Part>
      <Events title="Events" test={isOf(claim, leaf)} />
    </>
  );
}
