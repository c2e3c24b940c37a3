// Training: programmes, and their rounds with the loss, live.

import { count, whole, words } from '../../shared/format.js';
import { href } from '../../shared/router.js';
import { Lines } from '../../shared/plot.jsx';
import { useWatched } from '../../shared/store.js';
import { useRead } from '../hooks.js';
import { best, has } from '../node.js';
import { Absent, AccountLink, CheckpointLink, Events, Facts, Hash, Head, Mark, Notice, Part, RoundLink, Step, Table, Until, pending } from '../parts.jsx';
import { plain, text, variant } from '../plain.js';
import { bits, digits, evaluated, told } from './losses.js';

/** The phases of a round, and what is done in them. */
const PHASES = [
  ['Registering', 'Trainers and validators join'],
  ['Training', 'Trainers train on their shards and commit'],
  ['Revealing', 'Trainers reveal their contributions'],
  ['Scoring', 'Validators score the contributions and commit'],
  ['ScoreRevealing', 'Validators reveal their scores'],
  ['Claiming', 'Validators claim the next checkpoint'],
  ['Objectable', 'Other validators may object'],
  ['Holding', 'Operators fetch the next checkpoint'],
  ['Closed', 'The end'],
];

/** The phase of a round, as a mark. */
export function Phase({ phase }) {
  const [name, inside] = variant(phase);
  if (name !== 'Closed') return <Mark>{words(name)}</Mark>;
  const [outcome, why] = variant(inside);
  return outcome === 'Promoted' ? <Mark kind="good">promoted</Mark> : <Mark kind="bad">rejected: {words(variant(why)[0] ?? '')}</Mark>;
}

const isPromoted = ({ phase }) => variant(phase)[0] === 'Closed' && variant(variant(phase)[1])[0] === 'Promoted';
const before = (round) => (round.parentLoss === null ? null : bits(round.parentLoss, evaluated(round)));
const after = (round) => (round.claim === null ? null : bits(round.claim.loss, evaluated(round)));

/** A programme with its rounds that are still readable, earliest first. */
async function readProgramme(api, family, value) {
  const closed = plain(await api.query.training.closed(family)) ?? [];
  const ids = [...closed, ...(value.round === null ? [] : [value.round])];
  const rounds = ids.length ? (await api.query.training.rounds.multi(ids)).map(plain).filter(Boolean) : [];
  return { family, ...value, rounds, name: text(plain(await api.query.checkpoints.families(family))?.name ?? '') };
}

async function readProgrammes(api) {
  const entries = (await api.query.training?.programmes.entries()) ?? [];
  return Promise.all(entries.map(([key, value]) => readProgramme(api, plain(key.args[0]), plain(value))));
}

/** The loss over rounds. */
function Curve({ rounds }) {
  const scored = rounds.filter((round) => before(round) !== null);
  if (scored.length === 0) return <p class="quiet">The curve begins when validators have scored a round.</p>;
  const parents = scored.map((round) => [round.id, before(round)]);
  const promoted = scored.filter((round) => isPromoted(round) && after(round) !== null);
  const open = scored.filter((round) => variant(round.phase)[0] !== 'Closed' && after(round) !== null);
  const ownOf = (round) => [round.id, after(round)];
  const series = [
    { name: 'parent', colour: 2, points: parents, dots: true },
    promoted.length > 0 && { name: 'promoted checkpoint', colour: 1, points: promoted.map(ownOf), dots: true },
    open.length > 0 && { name: 'claimed in the open round', colour: 3, points: open.map(ownOf), dots: true, lines: false },
  ].filter(Boolean);
  return (
    <Lines
      title="Loss on the evaluation shards of each round" xLabel="round" yLabel="bits a token" series={series}
      table={{
        head: ['Round', 'Parent', 'Next checkpoint'],
        rows: scored.map((round) => [<RoundLink id={round.id} />, digits(before(round)), after(round) === null ? 'none' : digits(after(round))]),
      }}
    />
  );
}

function RoundTable({ rounds }) {
  return (
    <Table
      label="Rounds" rows={rounds.toReversed()} of={({ id }) => id} empty="No round was opened yet."
      columns={[
        ['Round', ({ id }) => <RoundLink id={id} />],
        ['Phase', ({ phase }) => <Phase phase={phase} />],
        ['From', ({ parent }) => <CheckpointLink id={parent} />],
        ['Trainers', ({ trainers }) => whole(trainers.length), 'number'],
        ['Validators', ({ validators }) => whole(validators.length), 'number'],
        ['Loss before', (round) => before(round) === null ? '' : digits(before(round)), 'number'],
        ['Loss after', (round) => after(round) === null ? '' : digits(after(round)), 'number'],
      ]}
    />
  );
}

function Programme({ programme }) {
  const { dataset, rounds, round } = programme;
  const open = rounds.find(({ id }) => id === round);
  const head = useWatched(best);
  return (
    <>
      <Facts facts={[
        ['Text', <>{text(programme.source) ?? 'unnamed'} ({text(programme.licence) ?? 'no licence'})</>],
        ['Dataset', <>{count(dataset.shards, 'shard')} of {whole(dataset.shardTokens)} tokens</>],
        ['Rounds', <>{count(programme.promoted, 'checkpoint')} promoted, {count(programme.rejected, 'round')} without one</>],
        open && ['Open', <><RoundLink id={open.id} /> <Phase phase={open.phase} /> <Until block={variant(open.phase)[1]?.until} now={head.number} /></>],
      ]} />
      <Curve rounds={rounds} />
      <RoundTable rounds={rounds} />
    </>
  );
}

/** The list of programmes. */
export function Rounds() {
  const read = useRead(readProgrammes, []);
  if (!has('training')) return <Absent title="Training" pallet="training" />;
  const waiting = pending(read);
  if (waiting) return <><Head title="Training" />{waiting}</>;
  return (
    <>
      <Head title="Training" />
      <p class="lead">In each round, trainers send updates, validators score them on text drawn afterwards, and all compute the same next checkpoint.</p>
      {read.value.length === 0 && <p class="quiet">No programme was started.</p>}
      {read.value.map((programme) => (
        <Part key={programme.family} title={programme.name || `Family ${programme.family}`} aside={<a href={href('training', programme.family)}>address</a>}>
          <Programme programme={programme} />
        </Part>
      ))}
    </>
  );
}

/** The training of one family. */
export function FamilyRounds({ family }) {
  const read = useRead(async (api) => {
    const value = plain(await api.query.training?.programmes(family));
    return value ? readProgramme(api, family, value) : null;
  }, [family]);
  if (!has('training')) return <Absent title="Training" pallet="training" />;
  const waiting = pending(read);
  if (waiting) return <><Head title="Training" />{waiting}</>;
  if (!read.value) return <><Head title={`Training of family ${family}`} /><p class="quiet">No programme trains this family.</p></>;
  return <><Head title={`Training of ${read.value.name || `family ${family}`}`} /><Programme programme={read.value} /></>;
}

function Ruling({ ruling }) {
  const [name, inside] = variant(ruling);
  if (name === 'Accepted') return <Mark kind="good">accepted, weight {whole(inside.weight)}</Mark>;
  if (name === 'Refused') return <Mark kind="bad">refused: {words(variant(inside)[0])}</Mark>;
  return <Mark>none yet</Mark>;
}

const HEARD = { Unheard: 'on nothing', Claim: 'on the next checkpoint', Scores: 'on scores and the next checkpoint' };

/** A round. */
export function RoundView({ id }) {
  const head = useWatched(best);
  const read = useRead(async (api) => plain(await api.query.training?.rounds(id)), [id]);
  const title = `Round ${id}`;
  if (!has('training')) return <Absent title={title} pallet="training" />;
  const waiting = pending(read);
  if (waiting) return <><Head title={title} />{waiting}</>;
  const round = read.value;
  const events = <Events title="What happened" test={({ pallet, data }) => (pallet === 'training' && data.round === id) || data.job?.Round === id} />;
  if (!round) return <><Head title={title} /><Notice>The chain has no round with this number, or no longer.</Notice>{events}</>;
  const [name, inside] = variant(round.phase);
  const place = PHASES.findIndex(([phase]) => phase === name);
  const isOver = name === 'Closed';
  const next = round.claim?.checkpoint;
  return (
    <>
      <Head title={title}><Phase phase={round.phase} /></Head>
      <Facts facts={[
        ['Family', <a href={href('training', round.family)}>{round.family}</a>],
        ['From checkpoint', <CheckpointLink id={round.parent} />],
        next && ['Next checkpoint', <CheckpointLink id={next} />],
        round.parentLoss !== null && ['Loss of the parent', told(before(round))],
        round.claim && ['Loss of the next', told(after(round))],
        ['Evaluation shards', round.evaluation.length ? round.evaluation.map(whole).join(', ') : 'not drawn yet'],
        ['Dataset', <Hash value={round.dataset.root} />],
        round.widened && ['Heard', 'all validators: those drawn did not agree, or another objected'],
      ]} />
      <Part title="Step by step">
        <ol class="life">
          {PHASES.map(([phase, what], step) => (
            <Step key={phase} kind={isOver ? 'done' : step < place ? 'done' : step === place ? 'now' : 'later'} title={what}>
              {step === place && !isOver && inside?.until ? <Until block={inside.until} now={head.number} /> : null}
              {phase === 'Closed' && isOver ? <Phase phase={round.phase} /> : null}
            </Step>
          ))}
        </ol>
      </Part>
      <Part title="Trainers">
        <Table
          label="Trainers" rows={round.trainers} of={({ account }) => account} empty="None joined yet."
          columns={[
            ['Trainer', ({ account }) => <AccountLink address={account} />],
            ['Shards', ({ shards }) => shards.map(whole).join(', ') || <span class="quiet">not drawn yet</span>],
            ['Contribution', ({ commitment, contribution }) => (contribution ? `revealed, ${count(contribution.bytes, 'byte')}` : commitment ? 'committed' : <span class="quiet">none yet</span>)],
            ['Ruling', ({ ruling }) => <Ruling ruling={ruling} />],
          ]}
        />
      </Part>
      <Part title="Validators">
        <Table
          label="Validators" rows={round.validators} of={({ account }) => account} empty="None joined yet."
          columns={[
            ['Validator', ({ account }) => <AccountLink address={account} />],
            ['Heard', ({ seat }) => HEARD[variant(seat)[0]] ?? ''],
            ['Scores', ({ commitment, sheet }) => (sheet ? 'revealed' : commitment ? 'committed' : <span class="quiet">none yet</span>)],
            ['Claim', ({ claim }) => (claim ? <CheckpointLink id={claim.checkpoint} /> : <span class="quiet">none yet</span>)],
          ]}
        />
      </Part>
      {events}
    </>
  );
}
