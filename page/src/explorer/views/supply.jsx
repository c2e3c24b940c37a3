// Supply and issuance: the schedule as a plot, and how much of it was minted.

import { amount, percent, whole } from '../../shared/format.js';
import { Bars, Lines } from '../../shared/plot.jsx';
import { useWatched } from '../../shared/store.js';
import { useRead } from '../hooks.js';
import { best, chain, has } from '../node.js';
import { Absent, Amount, Events, Facts, Head, Part, Until, pending } from '../parts.jsx';
import { plain } from '../plain.js';

/** Eras that are plotted: afterwards little is left. */
const ERAS = 8;
/** Epochs that are plotted. */
const EPOCHS = 30;

/** The kinds of work, in the order in which the chain has them. */
const KINDS = [['inference', 'answers', 1], ['check', 'checks', 3], ['training', 'training', 2]];

/** The subsidy of an epoch. */
const subsidy = ({ initialSubsidy, epochsPerEra }, epoch) => initialSubsidy >> BigInt(Math.floor(epoch / epochsPerEra));

/** The sum of the subsidies of the first `epochs` epochs. */
function scheduled(terms, epochs) {
  let sum = 0n;
  for (let era = 0; era * terms.epochsPerEra < epochs; era += 1) {
    const within = Math.min(terms.epochsPerEra, epochs - era * terms.epochsPerEra);
    sum += (terms.initialSubsidy >> BigInt(era)) * BigInt(within);
  }
  return sum;
}

async function readSupply(api) {
  const { issuance, balances } = api.query;
  const [total, terms, books, epoch, running, epochs] = await Promise.all([
    balances.totalIssuance(), issuance.terms(), issuance.books(), issuance.currentEpoch(), issuance.runningWork(), issuance.epochs.entries(),
  ]);
  return {
    total: plain(total), terms: plain(terms), books: plain(books), epoch: plain(epoch), running: plain(running),
    epochs: epochs.map(([key, value]) => ({ number: plain(key.args[0]), ...plain(value) })).sort((one, other) => one.number - other.number).slice(-EPOCHS),
  };
}

/** The page about supply. */
export function Supply() {
  const { token } = useWatched(chain);
  const head = useWatched(best);
  const read = useRead(readSupply, []);
  if (!has('issuance')) return <Absent title="Supply" pallet="issuance" />;
  const waiting = pending(read);
  if (waiting) return <><Head title="Supply" />{waiting}</>;
  const { total, terms, books, epoch, running, epochs } = read.value;
  const cap = terms.genesisSupply + terms.pool;
  const tokens = (units) => Number(units) / 10 ** token.decimals;
  const most = [];
  for (let era = 0; era <= ERAS; era += 1) most.push([era, tokens(terms.genesisSupply + scheduled(terms, era * terms.epochsPerEra))]);
  const now = epoch / terms.epochsPerEra;
  return (
    <>
      <Head title="Supply" />
      <Facts facts={[
        ['Total issuance', <Amount units={total} />],
        ['Cap', <><Amount units={cap} /> ({percent(total, cap)} exist)</>],
        ['At genesis', <Amount units={terms.genesisSupply} />],
        ['Minted since', <><Amount units={books.minted} />, of which <Amount units={terms.genesisSupply + books.minted - total} /> burned</>],
        ['Rewards not claimed yet', <Amount units={books.pending} />],
        ['Never minted', <Amount units={books.unminted} />],
        ['Epoch', <>{whole(epoch)}, <Until block={(epoch + 1) * terms.epochLength - 1} now={head.number} />, era {whole(Math.floor(now))}</>],
        ['Its subsidy', <><Amount units={subsidy(terms, epoch)} /> at most</>],
      ]} />
      <Part title="Schedule">
        <Lines
          title={`The most ${token.symbol} that may exist, by era: the subsidy halves with each era of ${whole(terms.epochsPerEra)} epochs`}
          xLabel="era" yLabel={token.symbol} fromZero
          series={[
            { name: 'most that may exist', colour: 1, points: most, dots: true },
            { name: 'cap', colour: 2, points: [[0, tokens(cap)], [ERAS, tokens(cap)]] },
            { name: 'total issuance now', colour: 3, points: [[now, tokens(total)]], dots: true, lines: false },
          ]}
          marks={[{ x: now, name: 'now' }]}
          table={{
            head: ['Era', 'Subsidy of an epoch', 'Most that may exist at its end'],
            rows: Array.from({ length: ERAS }, (_, era) => [
              era, amount(terms.initialSubsidy >> BigInt(era), token),
              amount(terms.genesisSupply + scheduled(terms, (era + 1) * terms.epochsPerEra), token),
            ]),
          }}
        />
      </Part>
      <Part title="Epochs">
        {epochs.length === 0 ? <p class="quiet">No epoch has ended yet.</p> : (
          <Bars
            title="What each epoch pays for verified work" xLabel="epoch" yLabel={token.symbol}
            kinds={KINDS.map(([, name, colour]) => ({ name, colour }))}
            bars={epochs.map(({ number, pools }) => ({ x: number, parts: KINDS.map(([kind]) => tokens(pools[kind])) }))}
            table={{
              head: ['Epoch', ...KINDS.map(([, name]) => name), 'Claimed'],
              rows: epochs.map(({ number, pools, claimed }) => [number, ...KINDS.map(([kind]) => amount(pools[kind], token)), amount(claimed, token)]),
            }}
          />
        )}
        <Facts facts={[['Work in the running epoch', <>answers <Amount units={running.inference} />, checks <Amount units={running.check} /> (burned for them), training {whole(running.training)}</>]]} />
      </Part>
      <Events title="What happened" test={({ pallet }) => pallet === 'issuance'} />
    </>
  );
}
