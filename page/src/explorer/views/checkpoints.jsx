// Families of checkpoints, with their lineage and loss.

import { count, whole, words } from '../../shared/format.js';
import { href } from '../../shared/router.js';
import { Lines } from '../../shared/plot.jsx';
import { useRead } from '../hooks.js';
import { has } from '../node.js';
import { AccountLink, Absent, Amount, BlockLink, CheckpointLink, Events, Facts, Hash, Head, Mark, Notice, Part, RoundLink, Table, pending } from '../parts.jsx';
import { plain, text, variant } from '../plain.js';
import { BlockView } from './blocks.jsx';
import { Lineage } from './lineage.jsx';
import { bits, digits, told } from './losses.js';

const EVERY = 5;
const MIB = 1024 * 1024;

/** How a round of training made a checkpoint; `null` for another one. */
const trained = ({ provenance }) => (variant(provenance)[0] === 'Trained' ? variant(provenance)[1] : null);

/** The loss of a checkpoint in words; `null` where the chain does not state one. */
function lossOf(checkpoint) {
  const how = trained(checkpoint);
  return how ? told(bits(how.loss, how.tokens)) : null;
}

/** All families, with their checkpoints. */
async function readFamilies(api) {
  const { checkpoints } = api.query;
  const [families, records, canonical] = await Promise.all([
    checkpoints.families.entries(), checkpoints.checkpoints.entries(), checkpoints.canonical.entries(),
  ]);
  const all = records.map(([key, value]) => ({ id: key.args[0].toHex(), ...plain(value) }));
  all.sort((one, other) => one.generation - other.generation || one.registeredAt - other.registeredAt);
  const chosen = new Map(canonical.map(([key, value]) => [plain(key.args[0]), plain(value)]));
  return families
    .map(([key, value]) => {
      const id = plain(key.args[0]);
      return { id, ...plain(value), canonical: chosen.get(id) ?? null, list: all.filter(({ family }) => family === id) };
    })
    .sort((one, other) => one.id - other.id);
}

/** The loss of a family's trained checkpoints, as a plot: each beside that of its parent on the same text. */
function LossPlot({ checkpoints }) {
  const list = checkpoints.filter(trained);
  if (list.length === 0) return null;
  const own = list.map((checkpoint) => [checkpoint.generation, bits(trained(checkpoint).loss, trained(checkpoint).tokens)]);
  const parents = list.map((checkpoint) => [checkpoint.generation, bits(trained(checkpoint).parentLoss, trained(checkpoint).tokens)]);
  return (
    <Lines
      title="Loss on the evaluation text of the round that made each checkpoint"
      xLabel="generation" yLabel="bits a token"
      series={[
        { name: 'its parent, on the same text', colour: 2, points: parents, dots: true, lines: false },
        { name: 'the checkpoint', colour: 1, points: own, dots: true },
      ]}
      table={{
        head: ['Generation', 'Checkpoint', 'Parent', 'Own loss'],
        rows: list.map((checkpoint, place) => [checkpoint.generation, <CheckpointLink id={checkpoint.id} />, digits(parents[place][1]), digits(own[place][1])]),
      }}
    />
  );
}

function shape({ layers, hidden, heads, kvHeads, vocabulary, contextLength }) {
  return `${layers} layers of ${whole(hidden)}, ${heads} heads (${kvHeads} for keys and values), ${whole(vocabulary)} tokens in the vocabulary, context ${whole(contextLength)}`;
}

/** The list of families. */
export function Checkpoints() {
  const read = useRead(readFamilies, [], { every: EVERY });
  if (!has('checkpoints')) return <Absent title="Checkpoints" pallet="checkpoints" />;
  const waiting = pending(read);
  if (waiting) return <><Head title="Checkpoints" />{waiting}</>;
  return (
    <>
      <Head title="Checkpoints" />
      <p class="lead">A checkpoint is one exact set of weights. Those of one family have the same architecture and tokenizer; the canonical one is the one that requests for the family get.</p>
      {read.value.length === 0 && <p class="quiet">No family is registered.</p>}
      {read.value.map((family) => (
        <Part key={family.id} title={text(family.name) || `Family ${family.id}`} aside={<a href={href('training', family.id)}>its training</a>}>
          <Facts facts={[
            ['Architecture', shape(family.architecture)],
            ['Numerics version', whole(family.numericsVersion)],
            ['Text layer', whole(family.textLayer)],
            ['Canonical', family.canonical ? <CheckpointLink id={family.canonical} /> : 'none'],
            ['Checkpoints', whole(family.list.length)],
          ]} />
          <Lineage checkpoints={family.list} canonical={family.canonical} loss={lossOf} />
          <LossPlot checkpoints={family.list} />
        </Part>
      ))}
    </>
  );
}

function Provenance({ checkpoint }) {
  const how = trained(checkpoint);
  if (!how) return <Facts facts={[['Imported from a file with the hash', <Hash value={variant(checkpoint.provenance)[1]?.sourceHash} />]]} />;
  return (
    <Facts facts={[
      ['Made by', <RoundLink id={how.round} />],
      ['Contributions', whole(how.contributions)],
      ['Loss', told(bits(how.loss, how.tokens))],
      ['Loss of its parent', told(bits(how.parentLoss, how.tokens))],
      ['Measured over', count(how.tokens, 'token')],
      ['Dataset', <Hash value={how.dataset} />],
      ['Masters root', <Hash value={how.mastersRoot} />],
    ]} />
  );
}

/** A checkpoint. Its address may be the hash of a block: a search cannot tell the two. */
export function CheckpointView({ id }) {
  const read = useRead(async (api) => {
    const checkpoint = plain(await api.query.checkpoints?.checkpoints(id));
    if (!checkpoint) {
      const header = await api.rpc.chain.getHeader(id).catch(() => null);
      return { checkpoint: null, isBlock: Boolean(header && !header.isEmpty) };
    }
    const [families, holders] = await Promise.all([readFamilies(api), api.query.checkpoints.holders(id)]);
    return { checkpoint, family: families.find((family) => family.id === checkpoint.family), holders: plain(holders) ?? [] };
  }, [id], { every: EVERY });
  const waiting = pending(read);
  if (waiting) return <><Head title="Checkpoint" />{waiting}</>;
  const { checkpoint, isBlock, family, holders } = read.value;
  if (isBlock) return <BlockView id={id} />;
  if (!checkpoint) return <><Head title="Checkpoint" /><Notice>The chain has no checkpoint and no block with this hash: <span class="mono">{id}</span></Notice></>;
  const isCanonical = family?.canonical === id;
  return (
    <>
      <Head title="Checkpoint">{isCanonical ? <Mark kind="good">canonical</Mark> : <Mark>{words(variant(checkpoint.status)[0])}</Mark>}</Head>
      <Facts facts={[
        ['Id', <Hash value={id} />],
        ['Family', family && <a href={href('checkpoints')}>{text(family.name) || checkpoint.family}</a>],
        ['Generation', whole(checkpoint.generation)],
        ['Parent', checkpoint.parent ? <CheckpointLink id={checkpoint.parent} /> : 'none'],
        ['Weights', <>{whole((checkpoint.weights.bytes / MIB).toFixed(1))} MiB</>],
        ['Weights root', <Hash value={checkpoint.weights.root} />],
        ['Licence', text(checkpoint.licence) ?? 'unknown'],
        checkpoint.publisher && ['Publisher', <AccountLink address={checkpoint.publisher} />],
        checkpoint.publisher && ['Deposit', <Amount units={checkpoint.deposit} />],
        ['Registered', <>block <BlockLink number={checkpoint.registeredAt} /></>],
      ]} />
      <Part title="Origin"><Provenance checkpoint={checkpoint} /></Part>
      {family && <Part title="Lineage"><Lineage checkpoints={family.list} canonical={family.canonical} loss={lossOf} present={id} /></Part>}
      <Part title="Holders">
        <Table
          label="Holders" rows={holders} empty="No operator announced to have its files."
          columns={[['Operator', ({ holder }) => <AccountLink address={holder} />], ['Files', ({ blob }) => <span class="mono">{blob}</span>]]}
        />
      </Part>
      <Events test={({ data }) => Object.values(data).includes(id)} />
    </>
  );
}
