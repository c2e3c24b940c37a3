// Refusals of the chain, by name; a refusal changes nothing but the fee.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { stringToU8a, u8aToHex } from '@polkadot/util';

import { madeUp, receiptOf } from '../lib/answer.js';
import { key, plain } from '../lib/chain.js';
import { possession } from '../lib/operator.js';
import { worker } from '../lib/programs.js';
import { checkCommitment, randomHash, utf8 } from '../lib/protocol.js';
import { CHECK_ALL } from '../lib/rules.js';
import { UNIT, World } from '../lib/world.js';

describe('the chain refuses', () => {
  let world;
  let fake;
  let requester;
  /** The bounds of the checkpoint: its context, and the tokens that a prompt can become. */
  let limits;

  before(async () => {
    // A long window, so that the simulated worker misses none.
    world = await World.start('refusals', { rules: { requests: { answer: 1_000n } } });
    [fake] = await world.add([['Worker', 'Worker1']], { fake: true });
    requester = await world.account(5_000n * UNIT);
    const record = plain(await world.chain.view('Checkpoints', 'checkpoint', world.checkpoint));
    limits = {
      context: Number(record.limits.contextLength),
      perByte: Number(record.limits.tokensPerByte),
      template: Number(record.limits.templateTokens),
    };
  }, { timeout: 400_000 });
  after(() => world?.stop());

  const valid = () => ({
    checkpoint: world.checkpoint,
    prompt: '0x48656c6c6f',
    parameters: world.parameters(),
    limit: 100n * UNIT,
  });

  const bytes = (count) => u8aToHex(new Uint8Array(count).fill(0x61));
  const maxPrompt = () => world.chain.api.consts.inference.maxPromptBytes.toNumber();
  const maxTokens = () => world.chain.api.consts.inference.maxAnswerTokens.toNumber();
  /** The most bytes of a prompt that leave room for this many tokens. */
  const fitting = (tokens) => Math.floor((limits.context - limits.template - tokens) / limits.perByte);

  const call = (changes) => {
    const { checkpoint, prompt, parameters, limit } = { ...valid(), ...changes };
    return world.chain.call('inference.requestInference', checkpoint, prompt, parameters, limit);
  };

  async function refuses(name, changes, signer = requester) {
    const before = await world.chain.balance(signer.address);
    const next = await world.chain.api.query.inference.nextRequestId();
    await assert.rejects(world.chain.send(call(changes), signer), { name });
    const now = await world.chain.balance(signer.address);
    assert.equal(now.held, before.held, 'the holds are unchanged');
    assert.ok(before.free - now.free < UNIT, 'only the fee was paid');
    assert.deepEqual(plain(await world.chain.api.query.inference.nextRequestId()), plain(next), 'nothing is recorded');
  }

  /** Checks that a request is accepted, and takes it back. */
  async function accepts(changes) {
    const next = await world.chain.api.query.inference.nextRequestId();
    const cancel = world.chain.call('inference.cancelRequest', next);
    const { event } = await world.chain.send(world.chain.call('utility.batchAll', [call(changes), cancel]), requester);
    assert.equal(event('inference.Refunded').data.reason, 'Cancelled');
  }

  it('an empty prompt', () => refuses('inference.PromptEmpty', { prompt: '0x' }));

  it('a prompt that is too long', () => refuses('inference.PromptTooLong', { prompt: bytes(maxPrompt() + 1) }));

  it('a prompt that is not UTF-8', async () => {
    await refuses('inference.PromptNotUtf8', { prompt: '0xff' });
    await refuses('inference.PromptNotUtf8', { prompt: '0xc3' }); // the first half of an é
    await refuses('inference.PromptNotUtf8', { prompt: '0xeda080' }); // half of a surrogate pair
  });

  it('a text that polkadot.js takes for hex digits, and not the same text written as hex', async () => {
    await refuses('inference.PromptNotUtf8', { prompt: '0xdeadbeef' });
    await accepts({ prompt: u8aToHex(stringToU8a('0xdeadbeef')) });
    await accepts({ prompt: u8aToHex(stringToU8a('0xdeadbeef in café')) });
  });

  it('a request for no token, or for too many', async () => {
    await refuses('inference.NoTokensRequested', { parameters: world.parameters({ maxTokens: 0 }) });
    await refuses('inference.TooManyTokensRequested', { parameters: world.parameters({ maxTokens: maxTokens() + 1 }) });
  });

  it('invalid sampling parameters', async () => {
    await refuses('inference.TemperatureTooHigh', { parameters: world.parameters({ temperature: 10.001 }) });
    await accepts({ parameters: world.parameters({ temperature: 10 }) });
    await refuses('inference.TopPOutOfRange', { parameters: world.parameters({ topP: 0 }) });
    await refuses('inference.TopPOutOfRange', { parameters: world.parameters({ topP: 1.001 }) });
    await accepts({ parameters: world.parameters({ topP: 0.001 }) });
  });

  it('a request that might exceed the context, by one byte or one token', async () => {
    for (const tokens of [1, 8, 256]) {
      const most = fitting(tokens);
      assert.ok(most > 0 && most < maxPrompt(), `${most} bytes`);
      const parameters = (more = 0) => world.parameters({ maxTokens: tokens + more });
      const exact = most * limits.perByte + limits.template + tokens;
      await accepts({ prompt: bytes(most), parameters: parameters(limits.context - exact) });
      await refuses('inference.ContextTooShort', { prompt: bytes(most), parameters: parameters(limits.context - exact + 1) });
      await refuses('inference.ContextTooShort', { prompt: bytes(most + 1), parameters: parameters() });
      const { fits } = await world.quote('a'.repeat(most + 1), { maxTokens: tokens });
      assert.equal(fits, false, 'the quote says so');
    }
  });

  it('a checkpoint that is not registered', () =>
    refuses('inference.CheckpointUnknown', { checkpoint: `0x${'11'.repeat(32)}` }));

  it('a checkpoint that no worker serves', async () => {
    const other = randomHash();
    const { family, limits: { tokensPerByte, templateTokens } } = plain(await world.chain.view('Checkpoints', 'checkpoint', world.checkpoint));
    await world.chain.send(
      world.chain.call(
        'checkpoints.registerCheckpoint', other, family, null, { root: randomHash(), bytes: 1_000_000 }, { tokensPerByte, templateTokens }, u8aToHex(utf8('CC0-1.0')), randomHash(),
      ),
      world.funder,
    );
    await refuses('inference.NoWorker', { checkpoint: other });
  });

  it('a price limit below the price of every worker', async () => {
    const { lowest } = await world.quote('Hello');
    await refuses('inference.PriceLimitTooLow', { limit: lowest - 1n });
    await refuses('inference.PriceLimitTooLow', { limit: 0n });
    await accepts({ limit: lowest });
  });

  it('a request whose stake is higher than any bond', async () => {
    const tokens = maxTokens();
    const { offers } = await world.quote('Hello', { maxTokens: tokens });
    assert.deepEqual(offers, [], 'the quote leaves the worker out');
    await refuses('inference.BondsTooLow', { parameters: world.parameters({ maxTokens: tokens }) });
  });

  it('a request under invalid rules', async () => {
    for (const changes of [{ requests: { room: 0n } }, { claims: { minCheckRate: 0n } }]) {
      await world.setRules(changes);
      await refuses('inference.RulesUnworkable', {});
    }
    await world.setRules();
    await accepts({});
  });

  it('an account that cannot pay the price limit', async () => {
    const poor = await world.account(2n * UNIT);
    await refuses('inference.FundsTooLow', {}, poor);
  });

  it('an account that has the price limit and not the price of storage', async () => {
    const parameters = world.parameters({ maxTokens: 256 });
    const { storage } = await world.quote('Hello', { maxTokens: 256 });
    // Enough for exactly the limit and the fee.
    const { partialFee } = await call({ parameters }).paymentInfo(requester.address);
    const account = await world.account(100n * UNIT + partialFee.toBigInt() + storage / 2n);
    await refuses('inference.FundsTooLow', { parameters }, account);
  });

  it('an account that does not have the fee', async () => {
    await assert.rejects(world.chain.send(call({}), key('//Penniless')), { name: 'invalid.Payment' });
  });

  it('to take back the request of another account, one that is assigned or over, or one that was never made', async () => {
    const cancel = (id, signer) => world.chain.send(world.chain.call('inference.cancelRequest', id), signer);
    await assert.rejects(cancel(10_000, requester), { name: 'inference.RequestUnknown' });
    const { id } = await world.ask('Hello', { signer: requester });
    const other = await world.account(UNIT);
    await assert.rejects(cancel(id, other), { name: 'inference.NotRequester' });
    await world.event(id, 'Assigned');
    await assert.rejects(cancel(id, requester), { name: 'inference.AlreadyAssigned' });
    await fake.answer(id, madeUp());
    await world.end(id);
    await assert.rejects(cancel(id, requester), { name: 'inference.TooLate' });
  });

  it('an answer, a check or a verdict of an account that was not drawn', async () => {
    const { chain } = world;
    const { id } = await world.ask('Hello', { signer: requester });
    await world.event(id, 'Assigned');
    const stranger = await world.account(UNIT);
    const answer = madeUp();
    const receipt = receiptOf(id, await world.state(id), answer);
    const submit = chain.call('inference.submitAnswer', id, answer.tokens, u8aToHex(utf8(answer.text)), receipt);
    await assert.rejects(chain.send(submit, stranger), { name: 'inference.NotAnOperator' });
    const [idle] = await world.add([['Worker', 'Idle']], { fake: true, checkpoints: [] });
    await assert.rejects(chain.perform(submit, idle.hot), { name: 'inference.NotAssigned' });
    await assert.rejects(chain.perform(submit, stranger), { name: 'invalid.BadSigner' });
    await assert.rejects(idle.commitCheck(10_000n), { name: 'claims.UnknownClaim' });
    await assert.rejects(idle.challenge(10_000n), { name: 'claims.UnknownClaim' });

    await fake.answer(id, answer);
    await assert.rejects(chain.perform(submit, fake.hot), { name: 'inference.AlreadyAnswered' });
    const claim = await world.claimOf(id);
    // The account was not drawn, whatever the stage of the claim; before a draw, it is too early to commit.
    await assert.rejects(idle.challenge(claim), { name: 'claims.NotDrawn' });
    await assert.rejects(idle.commitVerdict(claim, 'True'), { name: 'jury.NotDisputed' });
    await assert.rejects(idle.revealVerdict(claim, { verdict: 'True', salt: randomHash() }), { name: 'jury.NotDisputed' });
    await assert.rejects(
      chain.send(chain.call('claims.commitCheck', claim, 0, checkCommitment(claim, 0, stranger.publicKey, randomHash(), randomHash())), stranger),
      { name: 'claims.NotAnOperator' },
    );
    await assert.rejects(chain.send(chain.call('jury.appeal', claim, 0), stranger), { name: 'jury.NotDisputed' });
    await world.end(id);
    await assert.rejects(idle.commitCheck(claim), { name: 'claims.Ended' });
    await assert.rejects(chain.send(chain.call('claims.challenge', claim, 0), stranger), { name: 'claims.Ended' });
  });

  it('a challenge by the claimant, of a leaf that is not there, or without the bond', async () => {
    const { chain } = world;
    const { id } = await world.ask('Hello', { signer: requester });
    await world.event(id, 'Assigned');
    await fake.answer(id, madeUp());
    const claim = await world.claimOf(id);
    const poor = await world.account(UNIT / 10n);
    const challenge = (leaf, signer) => chain.send(chain.call('claims.challenge', claim, leaf), signer);
    await Promise.all([
      assert.rejects(challenge(0, fake.controller), { name: 'claims.OwnClaim' }),
      assert.rejects(challenge(1, requester), { name: 'claims.UnknownLeaf' }),
      assert.rejects(challenge(0, poor), { name: 'claims.FundsTooLow' }),
    ]);
    await world.end(id);
  });

  it('an operator with an invalid bond, key or checkpoint', async () => {
    const { chain } = world;
    const account = await world.account();
    const least = world.leastBond;
    const roles = { worker: true, validator: false };
    const register = (changes = {}) => {
      const { hot, signer, bond, as } = { hot: key('//Unused'), bond: least, as: roles, ...changes };
      const proof = possession(chain, account, signer ?? hot);
      return chain.send(chain.call('operators.register', as, hot.address, proof, fake.prices, bond), account);
    };
    await assert.rejects(register({ bond: least - 1n }), { name: 'operators.BondTooSmall' });
    await assert.rejects(register({ hot: fake.hot }), { name: 'operators.KeyTaken' });
    await assert.rejects(register({ hot: account }), { name: 'operators.KeyIsController' });
    await assert.rejects(register({ signer: fake.hot }), { name: 'operators.NotPossessed' });
    await assert.rejects(register({ as: { worker: false, validator: false } }), { name: 'operators.NoRole' });
    await register();
    await assert.rejects(register(), { name: 'operators.AlreadyRegistered' });
    await assert.rejects(
      chain.send(chain.call('operators.serve', `0x${'11'.repeat(32)}`), account),
      { name: 'operators.CheckpointNotActive' },
    );
    await assert.rejects(chain.send(chain.call('operators.withdrawBond'), account), { name: 'operators.NotLeaving' });
  });

  it('a rule that is not set by governance', async () => {
    const { rules } = world;
    const set = world.chain.call('parameters.setParameter', { Protocol: { ProtocolClaimRules: [null, rules.claims] } });
    await assert.rejects(world.chain.send(set, requester), { name: 'badOrigin' });
  });

  it('to leave a requester without a reason and a next step', { timeout: 300_000 }, async () => {
    await world.setRules({ requests: { answer: 2n, maxAttempts: 1n } });
    const options = ['--url', world.url, '--account', '//Bob', '--checkpoint', world.checkpoint, '--max-tokens', '4'];
    const { status, stdout, stderr } = await worker(world.home, ['ask', '--public', ...options, 'Hello'], { timeout: 240_000 });
    assert.equal(status, 3, stdout + stderr);
    assert.match(stdout, /missed its deadline/);
    const id = stdout.match(/noema-worker request show (\d+)/)?.[1];
    assert.ok(id, stdout);
    const shown = await worker(world.home, ['request', 'show', id, '--url', world.url]);
    assert.match(shown.stdout, /^missed by +1 workers/m);
    assert.match(shown.stdout, /^refunded .*as many workers as may try let their deadlines pass$/m);
    await world.setRules();
  });

  it('a checkpoint that was withdrawn', async () => {
    await world.withdraw(world.checkpoint);
    await refuses('inference.CheckpointInactive', {});
  });

  it('and leaves records that agree', async () => world.close());
});

describe('the longest prompt that is not refused', () => {
  let world;

  before(async () => {
    // The windows of the chain, with the block time that they are for.
    world = await World.start('longest', { blockTime: 2_000, windows: {}, rules: CHECK_ALL, publishes: false });
    // An eighth of the model's context: the whole would be minutes of work for each operator.
    world.checkpoint = await world.importVariant({ contextLength: 1_024 });
    await world.publish(world.checkpoint);
    await world.add([['Worker', 'Worker1']]);
    await world.add([['Validator', 'Validator1']]);
  }, { timeout: 400_000 });
  after(() => world?.stop());

  it('is answered and checked in time, though each of its bytes is a token', { timeout: 600_000 }, async () => {
    const { limits } = plain(await world.chain.view('Checkpoints', 'checkpoint', world.checkpoint));
    const maxTokens = 4;
    const room = Number(limits.contextLength - limits.templateTokens) - maxTokens;
    // The tokenizer makes one token of each digit.
    const prompt = '0123456789'.repeat(room).slice(0, Math.floor(room / Number(limits.tokensPerByte)));
    const { id } = await world.ask(prompt, { maxTokens });
    const { verification } = await world.settled(id, 560_000);
    assert.equal(verification, 'Confirmed');
    const { promptTokens } = await world.answer(id);
    assert.ok(promptTokens > prompt.length, `${promptTokens} tokens of ${prompt.length} bytes`);
    await world.close();
  });
});
