// The programs under test.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { runProgram } from './process.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const binaries = process.env.NOEMA_BIN_DIR ?? path.join(root, 'target/debug');

/** The file of a program. */
export const binary = (name) => path.join(binaries, name);

/** Runs `noema-worker` to its end. */
export const worker = (home, args, options = {}) =>
  runProgram(binary('noema-worker'), args, { ...options, env: { NOEMA_HOME: home, ...options.env } });

/** Runs `noema-node` to its end. */
export const node = (args, options = {}) => runProgram(binary('noema-node'), args, options);

/** Imports a model into a home folder; returns the checkpoint's id. */
export async function importModel(home, file = process.env.NOEMA_SMOLLM2_GGUF) {
  assert.ok(file && existsSync(file), `NOEMA_SMOLLM2_GGUF names no file: ${file}; run scripts/setup.sh`);
  const { status, stdout, stderr } = await worker(home, ['import', file], { timeout: 300_000 });
  const [id] = stdout.match(/0x[0-9a-f]{64}/) ?? [];
  assert.ok(status === 0 && id, `noema-worker import failed (${status}):\n${stdout}${stderr}`);
  return id;
}

/**
 * The metadata that a variant of the model changes: the key in its GGUF file, the type of the value, and its
 * encoding.
 */
const METADATA = {
  ropeBase: { key: 'llama.rope.freq_base', type: 6, write: (bytes, value, at) => bytes.writeFloatLE(value, at) },
  contextLength: { key: 'llama.context_length', type: 4, write: (bytes, value, at) => bytes.writeUInt32LE(value, at) },
};

/**
 * Imports the same model with other metadata. With another `ropeBase` it is a checkpoint of the same shape
 * with other answers: the model was trained with 100,000.
 */
export async function importVariant(home, folder, metadata = { ropeBase: 10 }, file = process.env.NOEMA_SMOLLM2_GGUF) {
  const bytes = readFileSync(file);
  for (const [name, value] of Object.entries(metadata)) {
    const { key, type, write } = METADATA[name];
    const at = bytes.indexOf(key) + key.length + 4;
    assert.equal(bytes.readUInt32LE(at - 4), type, `the type of ${key}`);
    write(bytes, value, at);
  }
  const variant = path.join(folder, 'variant.gguf');
  writeFileSync(variant, bytes);
  return importModel(home, variant);
}
