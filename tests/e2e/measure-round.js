// The cost of one round of training for the chain, as JSON:
//
//   node tests/e2e/measure-round.js
//
// Runs a round of four trainers, two validators and two holders on a chain of its own, from its opening to
// the new checkpoint; NOEMA_BIN_DIR is the folder of `noema-node` (default: target/debug).
//
// bytes_per_round        its transactions, from the first that joins to the last that holds the checkpoint
// ref_time_ms_per_round, proof_kib_per_round
//                        their weights as charged after execution
// ref_time_ms_per_block, proof_kib_per_block
//                        the weight that each block reserves for a step of the round: that of a full
//                        round, whatever its size

import assert from 'node:assert/strict';

import { plain } from './lib/chain.js';
import { cost, idleBlock } from './lib/cost.js';
import { Training } from './lib/training.js';
import { UNIT, World } from './lib/world.js';

const world = await World.start('measure-round', { blockTime: 200, publishes: false });
try {
  const named = (role, count) => Array.from({ length: count }, (_, i) => [role, `${role}${i + 1}`]);
  const operators = await world.add(
    [...named('Trainer', 4), ...named('Validator', 2)],
    { fake: true, bond: 1_000n * UNIT, checkpoints: [] },
  );
  const [trainers, validators] = [operators.slice(0, 4), operators.slice(4)];
  // Before there is a programme.
  const idle = await idleBlock(world.chain);
  const training = await Training.start(world, 'measured');
  const round = await training.round(trainers, validators);
  await round.contribute(...trainers);
  await round.agree(validators, trainers.slice(0, 2));
  await round.promoted();

  const { block } = await world.chain.event('training.RoundOpened', ({ round: opened }) => opened === round.id);
  const isOfRound = (section, [first]) =>
    (section === 'training' && plain(first) === round.id) ||
    (section === 'checkpoints' && plain(first) === round.child.checkpoint);
  const { bytes, transactions, hooks } = await cost(
    world.chain,
    idle,
    block,
    ({ section, args }) => isOfRound(section, args),
    (event) => event.section === 'training' && event.method === 'RoundClosed' && plain(event.data[0]) === round.id,
  );
  assert.ok(hooks.blocks > 0, 'a round weighs more than nothing');
  console.log(JSON.stringify({
    bytes_per_round: bytes,
    ref_time_ms_per_round: transactions.refTimeMs,
    proof_kib_per_round: transactions.proofKib,
    ref_time_ms_per_block: hooks.refTimeMs / hooks.blocks,
    proof_kib_per_block: hooks.proofKib / hooks.blocks,
  }));
} finally {
  await world.stop();
}
