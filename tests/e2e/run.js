// Runs the suites, each against a chain of its own:
//
//   node tests/e2e/run.js [part of a suite's name]...
//
// First those that mostly wait for blocks, several at a time; then those of load, each alone.
//
// NOEMA_BIN_DIR is where the programs are that `cargo build --workspace` makes (default: target/debug),
// NOEMA_SMOLLM2_GGUF the model's file, and NOEMA_E2E_PYTHON a Python with the clients of clients.txt; NOEMA_E2E_HOME and
// NOEMA_E2E_CHECKPOINT skip the import of the model. With NOEMA_E2E_REQUESTS=3000, load takes ten minutes instead of
// four; with NOEMA_E2E_CHAT_SECONDS=120, 64 chats at once last two minutes instead of twenty seconds. Logs of nodes and
// workers are kept where a test failed.

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';

import { reap } from './lib/process.js';
import { importModel } from './lib/programs.js';

/** The number of suites that run at the same time: they mostly wait for blocks. */
const TOGETHER = 4;
/** Suites that take longest, the longest first: they start first, so that none of them runs alone at the end. */
const LONG = ['4-dishonest', '5-outages', '3-dishonest', '8-training'];
/** Suites that need the machine for themselves. */
const LOAD = ['11-load'];

const suites = fileURLToPath(new URL('./suites/', import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(suites)
  .filter((name) => name.endsWith('.test.js') && (!wanted.length || wanted.some((part) => name.includes(part))))
  .sort()
  .map((name) => path.join(suites, name));

const folder = mkdtempSync(path.join(tmpdir(), 'noema-e2e-'));
process.env.NOEMA_E2E_DIR = folder;
// A suite sets it for itself.
delete process.env.NOEMA_E2E_FINALITY_LAG;
console.log(`Logs and chains: ${folder}`);
process.env.NOEMA_E2E_HOME ??= path.join(folder, 'home');
process.env.NOEMA_E2E_CHECKPOINT ??= await importModel(process.env.NOEMA_E2E_HOME);

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
let passed = 0;
let failed = 0;

function report(mark, { name, details }) {
  console.log(`  ${mark} ${name} (${seconds(details.duration_ms)})`);
}

// A file shows up as a test of its own in some versions of Node.js; it is not one.
const isFile = ({ name, details, nesting }) =>
  details.type === 'suite' || (nesting === 0 && name.endsWith('.test.js'));

/** Runs suites, so many at a time, and reports their tests; resolves once all have ended. */
function runSuites(files, concurrency) {
  const stream = run({ files, concurrency, timeout: 40 * 60_000 });
  stream.on('test:start', ({ name, file, nesting }) => {
    if (nesting === 0 && !name.endsWith('.test.js')) console.log(`\n${path.basename(file ?? '')}: ${name}`);
  });
  stream.on('test:pass', (event) => {
    if (isFile(event)) return;
    passed += 1;
    report(event.skip ? '-' : '✔', event);
  });
  stream.on('test:fail', (event) => {
    const { error } = event.details;
    // The parent of a failed test fails with it.
    if (error.failureType === 'subtestsFailed') return;
    failed += 1;
    report('✖', event);
    // Its suite could not be set up, and says why itself.
    if (error.failureType === 'cancelledByParent') return;
    console.log(`      ${String(error.cause?.stack ?? error.message).replaceAll('\n', '\n      ')}`);
  });
  stream.on('test:stderr', ({ message }) => process.stderr.write(message));
  return new Promise((resolve) => {
    stream.on('end', () => {
      const left = path.join(folder, 'running');
      if (existsSync(left)) reap(left);
      resolve();
    });
    stream.resume();
  });
}

/** The index of the first of `names` that the suite's name starts with; `names.length` where none does. */
const place = (names, file) => [...names, ''].findIndex((name) => path.basename(file).startsWith(name));
const alone = files.filter((file) => place(LOAD, file) < LOAD.length);
const others = files.filter((file) => !alone.includes(file));
await runSuites(others.sort((a, b) => place(LONG, a) - place(LONG, b)), TOGETHER);
await runSuites(alone, 1);
if (failed === 0) rmSync(folder, { recursive: true, force: true });
else console.log(`\nThe logs are in ${folder}`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
