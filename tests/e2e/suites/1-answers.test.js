// A question is asked through polkadot.js, answered by a real model, checked, and paid for.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { plain } from '../lib/chain.js';
import { until } from '../lib/process.js';
import { outputHash, promptHash } from '../lib/protocol.js';
import { UNIT, World, worker } from '../lib/world.js';

describe('a paid, checked answer', () => {
  let world;
  let workers;
  let validators;

  before(async () => {
    world = await World.start('answers');
    workers = await world.add([['Worker', 'Worker1'], ['Worker', 'Worker2']]);
    validators = await world.add([['Validator', 'Validator1'], ['Validator', 'Validator2'], ['Validator', 'Validator3']]);
  }, { timeout: 300_000 });
  after(() => world?.stop());

  it('is answered, checked and settled, and every balance adds up', { timeout: 180_000 }, async () => {
    const prompt = 'What is the capital of France?';
    const everybody = [...workers, ...validators];
    const earlier = new Map();
    const requester = await world.account();
    for (const operator of everybody) earlier.set(operator.address, await operator.wealth());
    const funds = (await world.chain.balance(requester.address)).total;

    const { id, limit, fee } = await world.ask(prompt, { signer: requester, maxTokens: 16 });
    const held = await world.chain.balance(requester.address);
    assert.equal(held.held, limit, 'the price limit is on hold');
    assert.equal(held.total, funds - fee);

    const end = await world.end(id);
    assert.equal(end.name, 'Settled');
    assert.deepEqual(
      world.story(id).filter((name, i, all) => all.indexOf(name) === i),
      ['Requested', 'Assigned', 'Answered', 'CheckDrawn', 'VerdictCommitted', 'RevealOpened', 'VerdictRevealed', 'CheckPassed', 'Settled'],
    );

    const { text, tokens, receipt } = await world.answer(id);
    assert.match(text, /Paris/);
    assert.equal(receipt.promptHash, promptHash(prompt));
    assert.equal(receipt.outputHash, outputHash(tokens, text));
    assert.equal(receipt.checkpoint, world.checkpoint);
    assert.equal(Number(receipt.outputTokens), tokens.length);
    const assigned = await world.event(id, 'Assigned');
    assert.equal(receipt.seed, assigned.data.seed);

    const paid = new Map([[end.worker, end.workerPaid]]);
    for (const { to, amount } of end.checksPaid) paid.set(to, (paid.get(to) ?? 0n) + amount);
    const total = [...paid.values()].reduce((sum, amount) => sum + amount, 0n);
    assert.ok(end.burned > 0n, 'a part of each payment is burned');
    assert.equal(total + end.burned + end.refunded, limit, 'payments, what burned and refund are the escrow');
    for (const operator of everybody) {
      const { address } = operator;
      assert.equal(await operator.wealth(), earlier.get(address) + (paid.get(address) ?? 0n), `what ${address} has`);
    }
    const left = await world.chain.balance(requester.address);
    assert.equal(left.held, 0n);
    assert.equal(left.free, funds - fee - total - end.burned);

    const paidWorker = workers.find(({ address }) => address === end.worker);
    const { answers, payable } = await paidWorker.ledger();
    assert.deepEqual([answers, payable], [end.workerPaid, end.workerPaid]);
    const before = (await world.chain.balance(paidWorker.address)).total;
    const withdrawal = await world.chain.send(world.chain.call('operators.withdraw'), paidWorker.controller);
    assert.equal((await world.chain.balance(paidWorker.address)).total, before + payable - withdrawal.fee);
    assert.equal((await paidWorker.ledger()).payable, 0n);
    const state = await world.state(id);
    assert.equal(state.phase, 'Settled');
    assert.equal(state.workerPaid, end.workerPaid);
    await world.audit();
  });

  it('is withdrawn through the command, which only the controller may sign', { timeout: 120_000 }, async () => {
    const run = (...args) => worker(world.folder, [...args, '--url', world.url]);
    const { id } = await world.ask('Hello', { maxTokens: 4 });
    const end = await world.end(id);
    const operator = workers.find(({ address }) => address === end.worker);
    const { name, address } = operator;
    const { payable } = await operator.ledger();
    assert.ok(payable >= end.workerPaid);
    const shown = await run('operator', 'show', address);
    assert.equal(shown.status, 0, shown.stderr);
    assert.match(shown.stdout, /^credited +[\d.]+ NOEMA: noema-worker withdraw/m);

    const refused = await run('withdraw', '--account', `//${name}//hot`);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, new RegExp(`is a hot key, which moves no funds; its controller ${address} withdraws`));
    assert.equal((await operator.ledger()).payable, payable);

    const before = (await world.chain.balance(address)).total;
    const withdrawn = await run('withdraw', '--account', `//${name}`, '--json');
    assert.equal(withdrawn.status, 0, withdrawn.stderr);
    const report = JSON.parse(withdrawn.stdout);
    assert.equal(report.account, address);
    assert.equal(BigInt(report.received), payable);
    const fee = await until('the fee is known', () => world.chain.events.find(({ name: event, block, data }) =>
      event === 'transactionPayment.TransactionFeePaid' && Number(block) === report.block && data.who === address));
    assert.equal((await world.chain.balance(address)).total, before + payable - fee.data.actualFee);
    assert.equal((await operator.ledger()).payable, 0n);

    const again = await run('withdraw', '--account', `//${name}`);
    assert.equal(again.status, 0, again.stderr);
    assert.match(again.stdout, /^nothing to withdraw/);
    await world.audit();
  });

  /** What a worker can claim, once the epoch of its last answer is over. */
  const rewarded = (address) =>
    until('the end of the epoch', async () => {
      const pending = plain(await world.chain.view('Issuance', 'pending_reward', address));
      return pending.total > 0n && pending.running.inference === 0n ? pending : undefined;
    }, { timeout: 120_000, every: 500 });

  it('is rewarded with what was burned of its price, once', { timeout: 180_000 }, async () => {
    const { id } = await world.ask('Hello', { maxTokens: 4 });
    const { worker: address } = await world.end(id);
    const { total, epochs } = await rewarded(address);
    for (const { reward, work } of epochs) assert.equal(reward, work.inference, 'the subsidy covers all that was burned');

    const before = await world.chain.balance(address);
    const call = (epoch) => world.chain.call('issuance.claim', address, epoch);
    const { hot } = workers.find((operator) => operator.address !== address);
    // A hot key claims for any account, free of charge; another account pays the fee.
    for (const { epoch } of epochs) await world.chain.perform(call(epoch), hot);
    assert.equal((await world.chain.balance(address)).total, before.total + total);
    assert.equal((await world.chain.balance(hot.address)).total, 0n, 'it needs no funds');

    await assert.rejects(world.chain.perform(call(epochs[0].epoch), hot), { name: 'issuance.NothingToClaim' });
    await assert.rejects(world.chain.send(call(epochs[0].epoch), await world.account()), { name: 'issuance.NothingToClaim' });
    await world.audit();
  });

  it('is rewarded through the command, which the hot key may sign', { timeout: 180_000 }, async () => {
    const run = (...args) => worker(world.folder, [...args, '--url', world.url]);
    const { id } = await world.ask('Hello', { maxTokens: 4 });
    const { worker: address } = await world.end(id);
    const { name } = workers.find((operator) => operator.address === address);
    const { total, epochs } = await rewarded(address);

    const shown = await run('operator', 'show', address, '--json');
    assert.equal(shown.status, 0, shown.stderr);
    const { rewards, endpoint } = JSON.parse(shown.stdout);
    assert.equal(BigInt(rewards.pending), total);
    assert.match(endpoint.addresses[0], /^127\.0\.0\.1:\d+$/);

    const before = await world.chain.balance(address);
    const claimed = await run('claim', '--key', `//${name}//hot`, '--json');
    assert.equal(claimed.status, 0, claimed.stderr);
    const report = JSON.parse(claimed.stdout);
    assert.equal(report.account, address, 'the controller is paid');
    assert.equal(BigInt(report.received), total);
    assert.deepEqual(
      report.claimed.map(({ epoch, amount }) => [BigInt(epoch), BigInt(amount)]),
      epochs.map(({ epoch, reward }) => [epoch, reward]),
    );
    assert.equal((await world.chain.balance(address)).total, before.total + total);

    const again = await run('claim', '--key', `//${name}//hot`);
    assert.equal(again.status, 0, again.stderr);
    assert.match(again.stdout, /^nothing to claim/);
    assert.equal((await world.chain.balance(address)).total, before.total + total, 'it was paid once');
    const { number } = plain(await world.chain.view('Issuance', 'epoch'));
    const early = await run('claim', '--key', `//${name}//hot`, '--epoch', String(number + 1n));
    assert.equal(early.status, 1);
    assert.match(early.stderr, /has not ended: its last block is \d+/);
    await world.audit();
  });

  it('is rewarded without a command where the worker runs on', { timeout: 240_000 }, async () => {
    const since = world.chain.block;
    const before = new Map();
    for (const { address } of workers) before.set(address, (await world.chain.balance(address)).total);
    for (const operator of workers) {
      await operator.stop();
      operator.start({ claims: true });
    }
    const { number } = plain(await world.chain.view('Issuance', 'epoch'));
    const { id } = await world.ask('Hello', { maxTokens: 4 });
    const { worker: address } = await world.end(id);
    await world.chain.event('issuance.Claimed', ({ account, epoch }) => account === address && epoch >= number, 120_000);

    const claims = world.chain.events
      .filter(({ name, block, data }) => name === 'issuance.Claimed' && block > since && data.account === address)
      .map(({ data }) => data);
    assert.equal(new Set(claims.map(({ epoch }) => epoch)).size, claims.length, 'each epoch is paid once');
    const received = claims.reduce((sum, { amount }) => sum + amount, 0n);
    assert.equal((await world.chain.balance(address)).total, before.get(address) + received, 'the price waits to be withdrawn');
    assert.equal(plain(await world.chain.view('Issuance', 'pending_reward', address)).total, 0n);
    for (const operator of workers) {
      await operator.stop();
      operator.start();
    }
    await world.audit();
  });

  it('costs what the quote says, and cheating on it would cost more', { timeout: 120_000 }, async () => {
    const { lowest, offers } = await world.quote('Hello', { maxTokens: 4 });
    assert.equal(offers.length, 2);
    assert.equal(lowest, offers[0].total);
    const [offer] = offers;
    assert.equal(offer.answerMax, 5n * workers[0].prices.perPromptByte + 4n * workers[0].prices.perOutputToken);
    assert.equal(offer.total, offer.answerMax + offer.checkFee);

    const { id } = await world.ask('Hello', { maxTokens: 4, limit: lowest });
    await world.event(id, 'Answered');
    const { gain, cost } = plain(await world.chain.view('Inference', 'cost_to_cheat', id));
    assert.ok(gain > 0n && cost >= 0n, `a cheat wins ${gain} and costs ${cost}`);
    assert.equal((await world.end(id)).name, 'Settled');
  });

  it('is the same for the same question, whoever answers', { timeout: 180_000 }, async () => {
    const ids = [];
    for (let i = 0; i < 3; i += 1) {
      const { id } = await world.ask('Count from one to ten.', { maxTokens: 12 });
      assert.equal((await world.end(id)).name, 'Settled');
      ids.push(id);
    }
    const answers = await Promise.all(ids.map((id) => world.answer(id)));
    for (const { text, tokens } of answers) {
      assert.equal(text, answers[0].text);
      assert.deepEqual(tokens, answers[0].tokens);
    }
  });

  it('is drawn with the seed of the chain where a temperature is given', { timeout: 180_000 }, async () => {
    const { id } = await world.ask('Tell me a story.', { maxTokens: 12, temperature: 0.8, topK: 40, topP: 0.95 });
    const end = await world.end(id);
    assert.equal(end.name, 'Settled', 'validators drew the same tokens');
    assert.equal((await world.answer(id)).tokens.length, 12);
  });

  it('comes for several questions at once', { timeout: 240_000 }, async () => {
    const requesters = [];
    for (let i = 0; i < 4; i += 1) requesters.push(await world.account());
    const asked = await Promise.all(
      requesters.map((signer, i) => world.ask(`What is ${i} plus ${i}?`, { signer, maxTokens: 8 })),
    );
    const ends = await Promise.all(asked.map(({ id }) => world.end(id)));
    assert.deepEqual(ends.map(({ name }) => name), Array(4).fill('Settled'));
    await world.audit();
  });

  it('can be asked for from the command line', { timeout: 180_000 }, async () => {
    const { status, stdout, stderr } = await worker(
      world.home,
      ['ask', '--url', world.url, '--account', '//Bob', '--max-tokens', '16', 'What is the capital of Italy?'],
      { timeout: 150_000 },
    );
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /Rome/);
  });

  it('comes from a device that passed the self-test, as the chain records', { timeout: 120_000 }, async () => {
    for (const operator of [...workers, ...validators]) {
      const { device } = await operator.recorded();
      assert.equal(device.device.class, 'Cpu');
      assert.match(device.device.selfTest, /^0x[0-9a-f]{64}$/);
    }
  });

  it('comes from a set-up that doctor finds in order', { timeout: 120_000 }, async () => {
    const look = (...args) =>
      worker(world.home, ['doctor', '--url', world.url, '--json', ...args], { timeout: 100_000 });
    const { status, stdout, stderr } = await look('--key', '//Worker1//hot', '--device', 'cpu');
    assert.equal(status, 0, stdout + stderr);
    const { findings } = JSON.parse(stdout);
    const areas = new Set(findings.map(({ area }) => area));
    assert.deepEqual([...areas].sort(), ['chain', 'checkpoint', 'device', 'host', 'operator']);

    const stranger = await look('--key', '//Nobody//hot', '--device', 'cpu');
    assert.equal(stranger.status, 1);
    const failed = JSON.parse(stranger.stdout).findings.filter(({ health }) => health === 'failed');
    assert.equal(failed.length, 1);
    assert.match(failed[0].remedy, /noema-worker register operator/);
  });

  it('is worth nothing once it is taken back before a worker has it', { timeout: 120_000 }, async () => {
    const { offers } = await world.quote('Hello', { maxTokens: 4 });
    const requester = await world.account();
    const ask = world.chain.call(
      'inference.requestInference', world.checkpoint, '0x48656c6c6f', world.parameters({ maxTokens: 4 }), offers[0].total,
    );
    const next = await world.chain.api.query.inference.nextRequestId();
    const { event } = await world.chain.send(
      world.chain.call('utility.batchAll', [ask, world.chain.call('inference.cancelRequest', next)]),
      requester,
    );
    assert.equal(event('inference.Refunded').data.reason, 'Cancelled');
    assert.equal(event('inference.Refunded').data.amount, offers[0].total);
    assert.equal((await world.chain.balance(requester.address)).held, 0n);
    assert.ok((await world.chain.balance(requester.address)).free > 999n * UNIT);
    await world.audit();
  });

  it('is in blocks that the relay chain would find valid', { timeout: 300_000 }, () => world.proveBlocks());
});
