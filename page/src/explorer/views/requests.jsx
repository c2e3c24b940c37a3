// Public requests: prompt and answer on chain.

import { whole, words } from '../../shared/format.js';
import { useRead } from '../hooks.js';
import { has } from '../node.js';
import { Absent, AccountLink, Amount, BlockLink, CheckpointLink, ClaimLink, Events, Facts, Head, Mark, Notice, Part, RequestLink, Table, pending } from '../parts.jsx';
import { plain, text, variant } from '../plain.js';
import { latest } from './numbered.js';

const MOST = 50;
const KINDS = { Settled: 'good', Refunded: 'bad' };

function Phase({ phase }) {
  const [name, inside] = variant(phase);
  return <Mark kind={KINDS[name]}>{words(name)}{inside?.reason ? `: ${words(variant(inside.reason)[0])}` : ''}</Mark>;
}

/** The list of requests. */
export function Requests() {
  const read = useRead((api) => latest(api, 'inference', 'nextRequestId', 'requests', MOST), []);
  if (!has('inference')) return <Absent title="Requests" pallet="inference" />;
  return (
    <>
      <Head title="Requests" />
      <p class="lead">A public request puts prompt and answer on chain, where all can read them. Each answer is a claim of its own.</p>
      {pending(read) ?? (
        <Table
          label="Requests" rows={read.value} of={({ id }) => id} empty="No request was made yet, or all are over and removed."
          columns={[
            ['Request', ({ id }) => <RequestLink id={id} />],
            ['Phase', ({ value }) => <Phase phase={value.phase} />],
            ['Requester', ({ value }) => <AccountLink address={value.requester} />],
            ['Worker', ({ value }) => <AccountLink address={value.assignment?.worker} />],
            ['Price limit', ({ value }) => <Amount units={value.priceLimit} />, 'number'],
            ['Block', ({ value }) => <BlockLink number={value.requestedAt} />],
          ]}
        />
      )}
    </>
  );
}

/** A request. */
export function RequestView({ id }) {
  const read = useRead(async (api) => {
    const { inference } = api.query;
    const [request, prompt, answer] = await Promise.all([inference?.requests(id), inference?.prompts(id), inference?.answers(id)]);
    return { request: plain(request), prompt: plain(prompt), answer: plain(answer) };
  }, [id]);
  const title = `Request ${id}`;
  if (!has('inference')) return <Absent title={title} pallet="inference" />;
  const waiting = pending(read);
  if (waiting) return <><Head title={title} />{waiting}</>;
  const { request, prompt, answer } = read.value;
  const events = <Events title="What happened" test={({ data }) => data.request === id || data.job?.Request === id} />;
  if (!request) return <><Head title={title} /><Notice>The chain has no request with this number, or it is over and removed.</Notice>{events}</>;
  const { parameters, statement, assignment } = request;
  const [, inside] = variant(request.phase);
  const claim = inside?.claim ?? statement?.claim;
  return (
    <>
      <Head title={title}><Phase phase={request.phase} /></Head>
      <Facts facts={[
        ['Requester', <AccountLink address={request.requester} />],
        ['Checkpoint', <CheckpointLink id={request.checkpoint} />],
        ['Worker', <AccountLink address={assignment?.worker} />],
        claim !== undefined && claim !== null && ['Claim', <ClaimLink id={claim} />],
        ['Price limit', <Amount units={request.priceLimit} />],
        ['Made', <>block <BlockLink number={request.requestedAt} /></>],
        ['Sampling', `temperature ${parameters.temperatureMilli / 1000}, top p ${parameters.topPMilli / 1000}, ${parameters.topK ? `top k ${parameters.topK}, ` : ''}${whole(parameters.maxTokens)} tokens at most`],
        statement && ['Tokens', `${whole(statement.promptTokens)} of the prompt, ${whole(statement.answerTokens)} of the answer`],
      ]} />
      <Part title="Prompt"><pre class="text" tabIndex={0}>{text(prompt) ?? prompt}</pre></Part>
      <Part title="Answer">{answer ? <pre class="text" tabIndex={0}>{text(answer.text) ?? answer.text}</pre> : <p class="quiet">There is none yet.</p>}</Part>
      {events}
    </>
  );
}
