// A development chain with one of everything: operators that the test simulates, a family with promoted checkpoints, a
// request whose answer was confirmed, and one whose answer is in dispute.

import { madeUp } from '../../../tests/e2e/lib/answer.js';
import { CHECK_ALL } from '../../../tests/e2e/lib/rules.js';
import { Training } from '../../../tests/e2e/lib/training.js';
import { UNIT, World } from '../../../tests/e2e/lib/world.js';

const BOND = 1_000n * UNIT;
/** What is put on hold for the session, and the most tokens of its answers. */
const HELD = 5n * UNIT;
const LEAF_TOKENS = 64;
/** Every answer is checked, and jurors have time until the test has them decide. */
const RULES = { claims: { ...CHECK_ALL.claims, windows: { commit: 600n, reveal: 100n } } };
const PROMPT = 'What is a ledger?';
const ANSWER = 'A ledger is a list of entries that all can read.';

/** The losses of the checkpoints, in bits for a token, and the tokens that they are measured on. */
const LOSSES = [4.21, 3.92, 3.74];
const EVALUATED = 3_000;
/** A loss as the chain has it. */
const loss = (bits) => BigInt(Math.round(bits * 65_536 * EVALUATED));

const named = (role, count) => Array.from({ length: count }, (_, place) => [role, `${role}${place + 1}`]);

/** Starts the chain; returns its world, and what the explorer has to show. */
export async function populate() {
  const world = await World.start('explorer', { blockTime: 500, publishes: false, rules: RULES });
  try {
    return await fill(world);
  } catch (error) {
    await world.stop();
    throw error;
  }
}

/** Opens a session with a worker; returns its number once it has its seed. */
async function opened(world, worker) {
  const payer = await world.account();
  const limit = { perPromptToken: UNIT, perCachedToken: UNIT, perAnswerToken: UNIT };
  const call = world.chain.call('sessions.openSession', world.checkpoint, worker.address, payer.address, LEAF_TOKENS, limit, HELD);
  const { session } = (await world.chain.send(call, payer)).event('sessions.Opened').data;
  await world.chain.event('sessions.Seeded', (data) => data.session === session);
  return session;
}

async function fill(world) {
  const trainers = await world.add(named('Trainer', 3), { fake: true, bond: BOND, checkpoints: [] });
  const training = await Training.start(world, 'Ledger 1M');
  world.checkpoint = training.genesis;
  const validators = await world.add(named('Validator', 4), { fake: true, bond: BOND, waits: false });
  const [worker] = await world.add([['Worker', 'Worker1']], { fake: true, bond: BOND, waits: false });
  await world.notice();

  /** A request with an answer of the worker, and the validators that were drawn for it. */
  async function answered() {
    const { id } = await world.ask(PROMPT);
    await world.event(id, 'Assigned');
    const answer = madeUp({ text: ANSWER, tokens: Array.from({ length: 8 }, (_, place) => 100 + place) });
    await worker.answer(id, answer);
    const claim = await world.claimOf(id);
    const { seats } = await world.claimEvent(claim, 'claims.CheckDrawn');
    return { id, answer, claim, drawn: seats.map(([address]) => world.operator(address)) };
  }

  // A chain of an older runtime has no sessions.
  const session = world.chain.api.tx.sessions ? await opened(world, worker) : null;

  const confirmed = await answered();
  const secrets = [];
  for (const validator of confirmed.drawn) secrets.push([validator, await validator.confirm(confirmed.claim, confirmed.answer)]);
  await world.claimEvent(confirmed.claim, 'claims.RevealOpened');
  for (const [validator, secret] of secrets) await validator.revealCheck(confirmed.claim, secret, confirmed.answer);

  const rounds = [];
  for (const [place, before] of LOSSES.slice(0, -1).entries()) {
    const round = await training.round(trainers, validators);
    await round.contribute(...trainers);
    const order = await round.contributors();
    const helps = { Scored: { assigned: { before: loss(before), after: loss(before - 0.4) }, evaluation: loss(before - 0.2) } };
    round.sheet = async () => ({ parent: loss(before), findings: order.map(() => helps) });
    round.child.loss = loss(LOSSES[place + 1]);
    await round.agree(validators, trainers.slice(0, 2));
    await round.promoted();
    rounds.push(round);
  }

  const disputed = await answered();
  for (const challenger of disputed.drawn) await challenger.challenge(disputed.claim);
  const jury = await world.jury(disputed.claim);

  /** Has the jury decide: all of its steps, up to the verdict. */
  async function decide() {
    const verdicts = [];
    for (const { juror } of jury) verdicts.push([juror, await juror.commitVerdict(disputed.claim, 'False')]);
    await world.claimEvent(disputed.claim, 'jury.RevealOpened');
    for (const [juror, verdict] of verdicts) await juror.revealVerdict(disputed.claim, verdict);
    await world.claimEvent(disputed.claim, 'jury.AppealOpened');
  }
  return { world, worker, session, confirmed, disputed, decide, jurors: jury.length, rounds, round: rounds.at(-1) };
}
