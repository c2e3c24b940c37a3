// The runtime is replaced while a request is under way.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { World } from '../lib/world.js';

describe('a runtime upgrade', () => {
  let world;

  before(async () => {
    world = await World.start('upgrade');
    await world.add([['Worker', 'Worker1']]);
    await world.add([1, 2].map((n) => ['Validator', `Validator${n}`]));
  }, { timeout: 400_000 });
  after(() => world?.stop());

  it('changes nothing for a request that is under way', { timeout: 240_000 }, async () => {
    const before = (await world.chain.api.rpc.state.getRuntimeVersion()).specVersion.toNumber();
    const { id } = await world.ask('What is a river?', { maxTokens: 8 });
    await world.event(id, 'Assigned');
    await world.upgrade();
    const now = (await world.chain.api.rpc.state.getRuntimeVersion()).specVersion.toNumber();
    assert.ok(now > before, `version ${now} after ${before}`);
    const end = await world.end(id);
    assert.equal(end.name, 'Settled');
    const again = await world.ask('What is a lake?', { maxTokens: 8 });
    assert.equal((await world.end(again.id)).name, 'Settled');
    await world.audit();
  });
});
