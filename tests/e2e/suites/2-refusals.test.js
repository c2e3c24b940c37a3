// What the chain refuses, by name, and that a refusal leaves nothing behind but its fee.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { key } from '../lib/chain.js';
import { UNIT, World, possession } from '../lib/world.js';

describe('a refused request', () => {
  let world;
  let fake;
  let requester;
  /** Requests that nothing answers. */
  const open = [];

  before(async () => {
    world = await World.start('refusals');
    [fake] = await world.add([['Worker', 'Worker1']], { fake: true });
    requester = await world.account();
  }, { timeout: 300_000 });
  after(() => world?.stop());

  const valid = () => ({
    checkpoint: world.checkpoint,
    prompt: '0x48656c6c6f',
    parameters: world.parameters(),
    limit: 100n * UNIT,
  });

  async function refuses(name, changes, signer = requester) {
    const { checkpoint, prompt, parameters, limit } = { ...valid(), ...changes };
    const before = await world.chain.balance(signer.address);
    const live = await world.chain.api.query.inference.liveRequests();
    await assert.rejects(
      world.chain.send(world.chain.call('inference.requestInference', checkpoint, prompt, parameters, limit), signer),
      { name },
    );
    const now = await world.chain.balance(signer.address);
    assert.equal(now.held, before.held, 'nothing more is on hold');
    assert.ok(before.free - now.free < UNIT, 'only the fee is gone');
    assert.deepEqual((await world.chain.api.query.inference.liveRequests()).toNumber(), live.toNumber());
  }

  const bytes = (count) => `0x${'61'.repeat(count)}`;

  it('has an empty prompt', () => refuses('inference.PromptEmpty', { prompt: '0x' }));

  it('has a prompt that is too long', () =>
    refuses('inference.PromptTooLong', { prompt: bytes(world.chain.api.consts.inference.maxPromptBytes.toNumber() + 1) }));

  it('has a prompt that is not UTF-8', async () => {
    await refuses('inference.PromptNotUtf8', { prompt: '0xff' });
    await refuses('inference.PromptNotUtf8', { prompt: '0xc3' }); // the first half of an é
    await refuses('inference.PromptNotUtf8', { prompt: '0xeda080' }); // half of a surrogate pair
  });

  it('asks for no token, or for too many', async () => {
    await refuses('inference.NoTokensRequested', { parameters: world.parameters({ maxTokens: 0 }) });
    const most = world.chain.api.consts.inference.maxOutputTokens.toNumber();
    await refuses('inference.TooManyTokensRequested', { parameters: world.parameters({ maxTokens: most + 1 }) });
  });

  it('has sampling parameters that mean nothing', async () => {
    await refuses('inference.TemperatureTooHigh', { parameters: world.parameters({ temperature: 10.001 }) });
    await refuses('inference.TopPOutOfRange', { parameters: world.parameters({ topP: 0 }) });
    await refuses('inference.TopPOutOfRange', { parameters: world.parameters({ topP: 1.001 }) });
  });

  it('names a checkpoint that nobody registered', () =>
    refuses('inference.CheckpointUnknown', { checkpoint: `0x${'11'.repeat(32)}` }));

  it('comes from an account that cannot pay for it', async () => {
    const poor = await world.account(2n * UNIT);
    await refuses('inference.FundsTooLow', {}, poor);
  });

  it('comes from an account that does not even have the fee', async () => {
    const nobody = key('//Nobody');
    await assert.rejects(
      world.chain.send(
        world.chain.call('inference.requestInference', ...Object.values(valid())),
        nobody,
      ),
      { name: 'invalid.Payment' },
    );
  });

  it('is taken back by someone else, or was never made', async () => {
    await assert.rejects(
      world.chain.send(world.chain.call('inference.cancelRequest', 10_000), requester),
      { name: 'inference.RequestUnknown' },
    );
    const { id } = await world.ask('Hello', { signer: requester });
    open.push(id);
    const other = await world.account(UNIT);
    await assert.rejects(
      world.chain.send(world.chain.call('inference.cancelRequest', id), other),
      { name: 'inference.NotRequester' },
    );
    await world.event(id, 'Assigned');
    await assert.rejects(
      world.chain.send(world.chain.call('inference.cancelRequest', id), requester),
      { name: 'inference.AlreadyAssigned' },
    );
  });

  it('is answered by someone who was not drawn', async () => {
    const { id } = await world.ask('Hello', { signer: requester });
    open.push(id);
    await world.event(id, 'Assigned');
    const stranger = await world.account(UNIT);
    const receipt = await world.receipt(id, { tokens: [1], text: 'x' });
    const submit = world.chain.call('inference.submitResult', id, [1], '0x78', receipt);
    await assert.rejects(world.chain.send(submit, stranger), { name: 'inference.NotAnOperator' });
    const [idle] = await world.add([['Worker', 'Idle']], { fake: true, checkpoints: [] });
    await assert.rejects(world.chain.perform(submit, idle.hot), { name: 'inference.NotAssigned' });
    await assert.rejects(world.chain.perform(submit, stranger), { name: 'invalid.BadSigner' });
    await assert.rejects(idle.submit('inference.commitVerdict', id, `0x${'00'.repeat(32)}`), { name: 'inference.NotAssigned' });
  });

  it('is an operator whose bond, key or checkpoint will not do', async () => {
    const { chain } = world;
    const account = await world.account();
    const least = chain.api.consts.operators.minBond.toBigInt();
    await world.fund([[account.address, least]]);
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

  it('names a checkpoint that was withdrawn', async () => {
    // What they put on hold comes back when they end, at any time.
    for (const id of open) await world.end(id);
    await world.withdraw(world.checkpoint);
    await refuses('inference.CheckpointInactive', {});
  });

  it('leaves the books in order', async () => world.audit());
});
