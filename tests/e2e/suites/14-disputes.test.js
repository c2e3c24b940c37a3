// Disputes over answers of sessions, which the chain decides by executing one step: real workers, real validators and the
// command; a worker with false weights, one that falls silent, and an account that accuses falsely.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';

import { withFalseWeights } from '../lib/dishonest.js';
import { Gateway } from '../lib/gateway.js';
import { worker as run } from '../lib/programs.js';
import { CHECK_ALL } from '../lib/rules.js';
import { Books } from '../lib/sessions.js';
import { UNIT, World } from '../lib/world.js';

const QUESTION = 'What is the capital of France?';
const LONG = 'Write a long story about a sailor and the sea.';
const PRICES = { perPromptByte: UNIT / 100_000n, perAnswerToken: UNIT / 1_000n };
const HALF = { perPromptByte: PRICES.perPromptByte / 2n, perAnswerToken: PRICES.perAnswerToken / 2n };
const BOND = 1_000n * UNIT;
const BLOCK_TIME = 250;
/** Every claim is checked. A move has the window of a post: 40 seconds, in which a worker that was killed starts again. */
const RULES = { claims: { ...CHECK_ALL.claims, windows: { post: 160n } } };
/** Evidence of nothing. */
const NOTHING = { kind: 'Embedding', inputs: { outputs: '0x', nodes: [], tokens: [], tokenNodes: [], tiles: '0x', tileNodes: [] } };

describe('disputes', () => {
  let world;
  let worker;
  let validators;
  const gateways = [];

  before(async () => {
    world = await World.start('disputes', { blockTime: BLOCK_TIME, rules: RULES });
    [worker] = await world.add([['Worker', 'Worker1']], {
      bond: BOND, prices: PRICES, runs: () => ({ home: world.home, args: ['--trust-weights'] }),
    });
    validators = await world.add([1, 2, 3].map((n) => ['Validator', `Validator${n}`]), { together: true });
  }, { timeout: 400_000 });
  after(() => world?.stop());
  afterEach(async () => {
    for (const gateway of gateways.splice(0)) await gateway.stop();
  });

  /** Asks through a gateway of its own, and closes its session; returns the receipt, and the claim of the answer. */
  async function answered(question, maxTokens) {
    const gateway = await Gateway.start(world, { options: ['--hold', '1', '--sessions', '1', '--budget', '2'] });
    gateways.push(gateway);
    const { choices: [{ noema }] } = await gateway.ask(question, { max_tokens: maxTokens });
    const hash = noema.receipts[0].hash;
    const [session] = await gateway.close();
    const { data: { claim } } = await world.chain.event('sessions.Claimed', (data) => data.session === session);
    return { gateway, hash, session, claim };
  }

  const ofClaim = (claim) => (data) => data.claim === claim;
  const concluded = async (claim) => (await world.chain.event('disputes.Concluded', ofClaim(claim), 240_000)).data;

  it('an answer from other weights falls by one step, which a validator or the command proves', { timeout: 300_000 }, async () => {
    const home = withFalseWeights(world);
    const [cheat] = await world.add([['Worker', 'Cheat']], { bond: BOND, prices: HALF, runs: () => ({ home, args: ['--trust-weights'] }) });
    cheat.mayLose = true;
    const { gateway, hash, session, claim } = await answered(LONG, 24);
    assert.equal(world.operator((await gateway.standing(hash)).worker), cheat, 'the cheapest is asked');

    const file = path.join(world.folder, 'false.json');
    writeFileSync(file, await (await fetch(`${gateway.url}/v1/noema/receipts/${hash}/file`)).text());
    const challenger = await world.account();
    const account = `//Account${world.accounts}`;
    const { status, stdout, stderr } = await run(
      world.home, ['dispute', 'challenge', file, '--account', account, '--url', world.url], { timeout: 240_000 },
    );
    assert.equal(status, 0, `${stdout}${stderr}`);
    assert.match(stdout, /the answer is false/);

    const { end, by, leaf } = await concluded(claim);
    assert.ok('WrongStep' in end.Fallen, JSON.stringify(end, (_, value) => String(value)));
    assert.ok([challenger, ...validators].some(({ address }) => address === by));
    const told = await run(world.home, ['dispute', 'show', String(claim), String(leaf), '--url', world.url]);
    assert.equal(told.status, 0, told.stderr);
    assert.match(told.stdout, /step +linear in linear \w+ of layer \d+, at position \d+/);
    assert.match(told.stdout, /the step is wrong: the claim falls/);

    const books = new Books(world, gateway.payer);
    await books.settled([session]);
    const { paid } = books.ended(claim);
    assert.equal(paid, 0n);
    await books.balance();
    await cheat.retire();
    await cheat.stop();
  });

  it('a worker that is killed in the middle of a game wins it against a false accusation', { timeout: 300_000 }, async () => {
    const { gateway, hash, claim } = await answered(QUESTION, 12);
    const challenger = await world.account();
    const { chain } = world;
    const restarts = async () => {
      await worker.kill();
      worker.start();
    };
    await chain.send(chain.call('claims.challenge', claim, 0), challenger);
    await chain.event('disputes.Began', ofClaim(claim));
    await restarts();
    const opened = await chain.event('disputes.Opened', ofClaim(claim));
    const { root, steps } = opened.data.trace;
    const row = (steps - 1n).toString(2).length;
    await chain.send(chain.call('disputes.point', claim, 0, { row, index: 0 }, root, []), challenger);
    await restarts();
    const shown = await chain.event('disputes.Shown', ofClaim(claim));
    assert.deepEqual(shown.data.challengers, [challenger.address]);

    const block = await chain.api.rpc.chain.getBlockHash(opened.block);
    const [, , statement] = chain.callOf((await chain.extrinsics(block.toHex()))[opened.extrinsic]).args;
    const proof = { step: 3, node: root, siblings: [], evidence: NOTHING };
    await chain.send(chain.call('disputes.prove', claim, 0, statement, proof), challenger);
    const { data: { end } } = await chain.event('disputes.LineEnded', ofClaim(claim));
    assert.ok('WrongProof' in end);
    assert.equal((await concluded(claim)).end, 'Upheld');
    await gateway.reaches(hash, 'final');
    const { held } = await chain.balance(challenger.address);
    assert.equal(held, 0n, 'its bond is lost');
  });

  it('a worker that is silent in the middle of a game loses', { timeout: 300_000 }, async () => {
    const [absent] = await world.add([['Worker', 'Absent']], {
      bond: BOND, prices: HALF, runs: () => ({ home: world.home, args: ['--trust-weights'] }),
    });
    absent.mayLose = true;
    const { claim } = await answered(QUESTION, 12);
    const challenger = await world.account();
    const { chain } = world;
    await chain.send(chain.call('claims.challenge', claim, 0), challenger);
    const { data: { trace } } = await chain.event('disputes.Opened', ofClaim(claim));
    absent.program.pause();
    const row = (trace.steps - 1n).toString(2).length;
    await chain.send(chain.call('disputes.point', claim, 0, { row, index: 0 }, trace.root, []), challenger);
    const { end } = await concluded(claim);
    assert.ok('NotShown' in end.Fallen);
    await absent.kill();
  });
});
