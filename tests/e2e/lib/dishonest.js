// Peers that break the rules of a session on purpose, tests/dishonest-session, and workers with false weights.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, openSync, closeSync, fstatSync, readdirSync, symlinkSync, writeSync } from 'node:fs';
import path from 'node:path';

import { Program, runProgram } from './process.js';
import { binary } from './programs.js';

const PROGRAM = 'noema-dishonest-session';

/**
 * Has a simulated worker serve its sessions, and break their rules in this way: its endpoint is published, and its program
 * runs.
 */
export async function servesDishonestly(worker, behaviour) {
  const { world, name } = worker;
  const program = new Program(
    name,
    binary(PROGRAM),
    ['worker', '--url', world.url, '--key', `//${name}//hot`, '--behaviour', behaviour],
    { log: path.join(world.folder, `${name}.log`) },
  );
  world.programs.add(program);
  const [, peer, port] = await program.says(/endpoint (0x[\da-f]{64}) (\d+)/);
  const addresses = [{ Ipv4: { address: [127, 0, 0, 1], port: Number(port) } }];
  await worker.submit('operators.setEndpoint', { peer, addresses });
}

/** Breaks the rules of a session with an honest worker in every way; returns what each was answered with. */
export async function asksDishonestly(world, session, voucherKey) {
  const { status, stdout, stderr } = await runProgram(
    binary(PROGRAM), ['payer', '--url', world.url, '--key', voucherKey, '--session', String(session)], { timeout: 120_000 },
  );
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

/** A home folder whose checkpoint has other weights than its id says: a part of them is zero. */
export function withFalseWeights(world) {
  const id = world.checkpoint.slice(2);
  const home = path.join(world.folder, 'false');
  const [from, to] = [world.home, home].map((folder) => path.join(folder, 'checkpoints', id));
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from).filter((name) => name !== 'weights.bin')) symlinkSync(path.join(from, name), path.join(to, name));
  copyFileSync(path.join(from, 'weights.bin'), path.join(to, 'weights.bin'));
  const file = openSync(path.join(to, 'weights.bin'), 'r+');
  // In the layers, behind the embedding.
  writeSync(file, Buffer.alloc(1 << 20), 0, 1 << 20, Math.floor(fstatSync(file).size / 2));
  closeSync(file);
  return home;
}
