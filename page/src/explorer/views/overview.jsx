// What the chain does now.

import { count, percent, whole } from '../../shared/format.js';
import { href } from '../../shared/router.js';
import { useWatched } from '../../shared/store.js';
import { useRead } from '../hooks.js';
import { chain, has } from '../node.js';
import { Amount, Head, Part, pending } from '../parts.jsx';
import { plain } from '../plain.js';
import { BlockTable } from './blocks.jsx';
import { ClaimTable } from './claims.jsx';
import { SessionTable } from './sessions.jsx';
import { Phase } from './training.jsx';

const FEW = 6;
const EVERY = 3;

/** The keys of a map, without its values. */
const size = async (items) => (items ? (await items.keys()).length : null);

async function readAll(api) {
  const { operators, claims, jury, checkpoints, training, issuance, sessions, inference } = api.query;
  const [registered, disputes, known, total, nextClaim, nextSession, nextRequest, families] = await Promise.all([
    operators?.operators.entries(), size(jury?.openDisputes), size(checkpoints?.checkpoints), api.query.balances.totalIssuance(),
    claims?.nextClaim(), sessions?.nextSession(), inference?.nextRequestId(), training?.programmes.entries(),
  ]);
  const bonds = (registered ?? []).map(([, value]) => plain(value).bond);
  const rounds = (families ?? []).map(([, value]) => plain(value).round).filter((round) => round !== null);
  const open = rounds.length ? (await training.rounds.multi(rounds)).map(plain).filter(Boolean) : [];
  const terms = issuance ? plain(await issuance.terms()) : null;
  return {
    operators: registered ? bonds.length : null, bonded: bonds.reduce((sum, bond) => sum + bond, 0n), disputes, checkpoints: known,
    total: plain(total), cap: terms ? terms.genesisSupply + terms.pool : null,
    claims: plain(nextClaim), sessions: plain(nextSession), requests: plain(nextRequest), open,
  };
}

/** A number with its name, which leads to the objects. */
const Tile = ({ to, name, children, detail }) => (
  <a class="tile" href={to}><span class="quiet">{name}</span><strong>{children}</strong>{detail && <span class="quiet">{detail}</span>}</a>
);

/** The first page of the explorer. */
export function Overview() {
  const { name } = useWatched(chain);
  const read = useRead(readAll, [], { every: EVERY });
  const waiting = pending(read);
  const found = read.value;
  return (
    <>
      <Head title={name || 'The chain'} />
      {waiting ?? (
        <div class="tiles">
          {found.sessions !== null && <Tile to={href('sessions')} name="Sessions so far">{whole(found.sessions)}</Tile>}
          {found.claims !== null && <Tile to={href('claims')} name="Claims so far" detail={found.disputes === null ? null : `${count(found.disputes, 'open dispute')}`}>{whole(found.claims)}</Tile>}
          {found.requests !== null && <Tile to={href('requests')} name="Public requests so far">{whole(found.requests)}</Tile>}
          {found.operators !== null && <Tile to={href('operators')} name="Operators" detail={<><Amount units={found.bonded} /> bonded</>}>{whole(found.operators)}</Tile>}
          {found.checkpoints !== null && <Tile to={href('checkpoints')} name="Checkpoints">{whole(found.checkpoints)}</Tile>}
          {found.open.map((round) => <Tile key={round.id} to={href('round', round.id)} name={`Round ${round.id}`} detail={count(round.trainers.length, 'trainer')}><Phase phase={round.phase} /></Tile>)}
          <Tile to={href('supply')} name="Total issuance" detail={found.cap === null ? null : `${percent(found.total, found.cap)} of the cap`}><Amount units={found.total} /></Tile>
        </div>
      )}
      <Part title="Blocks" aside={<a href={href('blocks')}>all</a>}><BlockTable most={FEW} /></Part>
      {has('sessions') && <Part title="Sessions" aside={<a href={href('sessions')}>all</a>}><SessionTable most={FEW} /></Part>}
      {has('claims') && <Part title="Claims" aside={<a href={href('claims')}>all</a>}><ClaimTable most={FEW} /></Part>}
    </>
  );
}

