// Operators: their bonds, prices and records; and accounts that are none.

import { count, percent, whole, words } from '../../shared/format.js';
import { useRead } from '../hooks.js';
import { best, has } from '../node.js';
import {
  Absent, AccountLink, Amount, BlockLink, CheckpointLink, Events, Facts, Hash, Head, JobLink, Mark, Notice, Part, Table, pending,
} from '../parts.jsx';
import { plain, text, variant } from '../plain.js';

/** Operators change seldom: the list is read again after this many blocks. */
const EVERY = 5;
/** The terms after which a change of prices holds. */
const NOTICE = 2;

const rolesOf = (roles) => Object.entries(roles).filter(([, has]) => has).map(([role]) => role).join(', ');

/** The prices in the present term. */
const pricesIn = ({ changed, then, next, latest }, term) => [then, next, latest][Math.max(0, Math.min(NOTICE, term - changed))];

/** Whether an operator is drawn, in words. */
function presence({ presence: present, withdrawableAt, bond }, term, least) {
  if (withdrawableAt !== null) return ['leaving', 'plain'];
  if (bond < least) return ['suspended', 'bad'];
  const [name, from] = variant(present);
  if (name === 'AbsentSince') return ['absent', 'bad'];
  return from <= term ? ['present', 'good'] : ['returning', 'plain'];
}

function Presence({ operator, term, least }) {
  const [word, kind] = presence(operator, term, least);
  return <Mark kind={kind}>{word}</Mark>;
}

const earned = ({ answers, checks, disputes }) => answers + checks + disputes;

/** The operators, largest bond first, with the present term and the least bond. */
async function readOperators(api) {
  const entries = (await api.query.operators?.operators.entries()) ?? [];
  const operators = entries.map(([key, value]) => ({ address: key.args[0].toString(), ...plain(value) }));
  operators.sort((one, other) => Number(other.bond - one.bond));
  return { operators, ...(await readTerm(api)) };
}

async function readTerm(api) {
  const length = plain(await api.query.operators?.termLength());
  return { term: length ? Math.floor(best.value.number / length) : 0, least: plain(api.consts.operators?.minBond) ?? 0n };
}

/** The list of operators. */
export function Operators() {
  const read = useRead(readOperators, [], { every: EVERY });
  if (!has('operators')) return <Absent title="Operators" pallet="operators" />;
  const waiting = pending(read);
  if (waiting) return <><Head title="Operators" />{waiting}</>;
  const { operators, term, least } = read.value;
  const isWorker = ({ roles }) => roles.worker;
  return (
    <>
      <Head title="Operators" />
      <p class="lead">
        {count(operators.length, 'operator')} with <Amount units={operators.reduce((sum, { bond }) => sum + bond, 0n)} /> bonded,
        in term {whole(term)}. A bond is what an operator can lose, and the weight with which it is drawn.
      </p>
      <Table
        label="Operators" rows={operators} of={({ address }) => address}
        columns={[
          ['Operator', ({ address }) => <AccountLink address={address} />],
          ['Roles', ({ roles }) => rolesOf(roles)],
          ['State', (operator) => <Presence operator={operator} term={term} least={least} />],
          ['Bond', ({ bond }) => <Amount units={bond} />, 'number'],
          ['Locked', ({ bond, locked }) => percent(locked, bond), 'number'],
          ['Answer token', (operator) => (isWorker(operator) ? <Amount units={pricesIn(operator.prices, term).perAnswerToken} /> : ''), 'number'],
          ['Prompt byte', (operator) => (isWorker(operator) ? <Amount units={pricesIn(operator.prices, term).perPromptByte} /> : ''), 'number'],
          ['Earned', ({ ledger }) => <Amount units={earned(ledger)} />, 'number'],
          ['Slashed', ({ ledger }) => (ledger.slashed > 0n ? <span class="bad"><Amount units={ledger.slashed} /></span> : <Amount units={0n} />), 'number'],
        ]}
      />
    </>
  );
}

const addressText = ([kind, { address, port }]) => {
  const digits = typeof address === 'string' ? address.slice(2).match(/../g).map((pair) => Number.parseInt(pair, 16)) : address;
  if (kind === 'Ipv4') return `${digits.join('.')}:${port}`;
  const groups = Array.from({ length: 8 }, (_, place) => (digits[2 * place] * 256 + digits[2 * place + 1]).toString(16));
  return `[${groups.join(':')}]:${port}`;
};

function Account({ address, account }) {
  return (
    <Facts facts={[
      ['Address', <Hash value={address} />],
      ['Free', <Amount units={account.data.free} />],
      ['On hold', <Amount units={account.data.reserved} />],
      ['Transactions', whole(account.nonce)],
    ]} />
  );
}

/** Whether a text is the address of an account. */
function isAddress({ registry }, address) {
  try {
    return registry.createType('AccountId', address).toString() === address;
  } catch {
    return false;
  }
}

/** Whether a decoded value names an account. */
const names = (value, address) => {
  if (typeof value === 'string') return value === address;
  if (value === null || typeof value !== 'object') return false;
  return Object.values(value).some((inner) => names(inner, address));
};

/** An operator, or another account. */
export function OperatorView({ address }) {
  const read = useRead(async (api) => {
    const { operators } = api.query;
    if (!isAddress(api, address)) return { isNone: true };
    const account = plain(await api.query.system.account(address));
    if (!operators) return { account, operator: null };
    const controller = (await operators.keys(address)).toString() || null;
    const [operator, served, device, endpoint, locks, term] = await Promise.all([
      operators.operators(address), operators.served(address), operators.devices(address), operators.endpoints(address),
      operators.locks.entries().then((entries) => entries.filter(([key]) => key.args[0].toString() === address)), readTerm(api),
    ]);
    return {
      account, controller, operator: plain(operator), served: plain(served) ?? [], device: plain(device), endpoint: plain(endpoint),
      locks: locks.map(([key, value]) => ({ job: plain(key.args[1]), amount: plain(value) })), ...term,
    };
  }, [address]);
  const waiting = pending(read);
  if (waiting) return <><Head title="Account" />{waiting}</>;
  if (read.value.isNone) {
    return <><Head title="Account" /><Notice kind="bad">This is no address, and no other object that the explorer knows: {address}</Notice></>;
  }
  const { account, controller, operator, served, device, endpoint, locks, term, least } = read.value;
  const events = <Events test={({ data }) => names(data, address)} />;
  if (!operator) {
    return (
      <>
        <Head title="Account" />
        <Account address={address} account={account} />
        {controller ? <Notice>It is the hot key of <AccountLink address={controller} />.</Notice> : <p class="quiet">It is not an operator.</p>}
        {events}
      </>
    );
  }
  const prices = pricesIn(operator.prices, term);
  const { ledger } = operator;
  return (
    <>
      <Head title="Operator"><Presence operator={operator} term={term} least={least} /></Head>
      <Account address={address} account={account} />
      <Part title="Bond and prices">
        <Facts facts={[
          ['Roles', rolesOf(operator.roles)],
          ['Bond', <Amount units={operator.bond} />],
          ['Locked', <><Amount units={operator.locked} /> ({percent(operator.locked, operator.bond)}) behind {count(operator.locks, 'job')}</>],
          operator.roles.worker && ['Price of an answer token', <Amount units={prices.perAnswerToken} />],
          operator.roles.worker && ['Price of a prompt byte', <Amount units={prices.perPromptByte} />],
          ['Hot key', <Hash value={operator.key} />],
          operator.withdrawableAt !== null && ['Can withdraw from', <>block <BlockLink number={operator.withdrawableAt} /></>],
          ['Requests to answer', whole(operator.load.open)],
          ['Tokens to check', whole(operator.checkBacklog)],
          device && ['Device', <>{text(device.device.name) ?? 'unnamed'} ({words(variant(device.device.class)[0])}), reported in block <BlockLink number={device.at} /></>],
          endpoint?.endpoint && ['Endpoint', <>{endpoint.endpoint.addresses.map((address_) => addressText(variant(address_))).join(', ') || 'no address'}</>],
        ]} />
      </Part>
      <Part title="Record">
        <Facts facts={[
          ['Earned with answers', <Amount units={ledger.answers} />],
          ['Earned with checks', <Amount units={ledger.checks} />],
          ['Earned in disputes', <Amount units={ledger.disputes} />],
          ['Not withdrawn yet', <Amount units={ledger.payable} />],
          ['Slashed', <span class={ledger.slashed > 0n ? 'bad' : ''}><Amount units={ledger.slashed} /></span>],
        ]} />
      </Part>
      <Part title="Serves">
        <Table
          label="Checkpoints that it serves" rows={served} empty="It serves no checkpoint."
          columns={[
            ['Checkpoint', ({ checkpoint }) => <CheckpointLink id={checkpoint} />],
            ['As', (serving) => ['worker', 'validator'].filter((role) => serving[role] !== null).join(', ')],
          ]}
        />
      </Part>
      {locks.length > 0 && (
        <Part title="Locks">
          <Table
            label="Locks" rows={locks}
            columns={[['Behind', ({ job }) => <JobLink job={job} />], ['Amount', ({ amount }) => <Amount units={amount} />, 'number']]}
          />
        </Part>
      )}
      {events}
    </>
  );
}

