// Runs the tests of the page in a real browser:
//
//   node page/tests/run.js [part of a suite's name]...
//
// NOEMA_BIN_DIR is where noema-node is (default: target/debug), NOEMA_CHROMIUM the browser. What the browser showed is
// kept in page/tests/artefacts, or in NOEMA_PAGE_ARTEFACTS.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(here)
  .filter((name) => name.endsWith('.test.js') && (!wanted.length || wanted.some((part) => name.includes(part))))
  .sort()
  .map((name) => path.join(here, name));

const folder = mkdtempSync(path.join(tmpdir(), 'noema-page-'));
process.env.NOEMA_E2E_DIR = folder;
process.env.NOEMA_PAGE_ARTEFACTS ??= path.join(here, 'artefacts');

let passed = 0;
let failed = 0;
const isTest = ({ name, details, nesting }) => details.type !== 'suite' && !(nesting === 0 && name.endsWith('.test.js'));
const report = (mark, { name, details }) => console.log(`  ${mark} ${name} (${(details.duration_ms / 1000).toFixed(1)} s)`);

// One after the other: browsers and a node share the machine.
const stream = run({ files, concurrency: 1, timeout: 20 * 60_000 });
stream.on('test:start', ({ name, nesting, file }) => {
  if (nesting === 0 && !name.endsWith('.test.js')) console.log(`\n${path.basename(file ?? '')}: ${name}`);
});
stream.on('test:pass', (event) => {
  if (!isTest(event)) return;
  passed += 1;
  report('✔', event);
});
stream.on('test:fail', (event) => {
  const { error } = event.details;
  if (error.failureType === 'subtestsFailed') return;
  failed += 1;
  report('✖', event);
  console.log(`      ${String(error.cause?.stack ?? error.message).replaceAll('\n', '\n      ')}`);
});
stream.on('test:stderr', ({ message }) => process.stderr.write(message));
stream.on('end', () => {
  if (failed === 0) rmSync(folder, { recursive: true, force: true });
  else console.log(`\nThe node's log is in ${folder}`);
  console.log(`Pictures: ${process.env.NOEMA_PAGE_ARTEFACTS}`);
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
});
stream.resume();
