// Bundles the page into dist/: node build.js
//
// The gateway's build script puts the files of dist/ into the program. Names contain a hash of the content, so that
// a browser keeps them for good; only index.html is asked for again.

import { build } from 'esbuild';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(root, 'dist');
/** In the place of modules that the page has no use for. */
const EMPTY = path.join(root, 'src/shared/empty.cjs');

mkdirSync(dist, { recursive: true });
for (const name of readdirSync(dist)) {
  if (name !== '.gitignore') rmSync(path.join(dist, name), { recursive: true });
}

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/main.jsx', 'src/style.css', 'src/icon.svg'],
  loader: { '.svg': 'copy' },
  bundle: true,
  minify: true,
  splitting: true,
  format: 'esm',
  target: ['es2022'],
  charset: 'utf8',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  define: { 'process.env.NODE_ENV': '"production"' },
  alias: {
    // polkadot.js has each hash in JavaScript, too. WebAssembly would need 'wasm-unsafe-eval' in the policy.
    '@polkadot/wasm-crypto': EMPTY,
    // A light client: the explorer has a node.
    '@substrate/connect': EMPTY,
  },
  outdir: dist,
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  metafile: true,
  logLevel: 'warning',
});

const names = Object.fromEntries(
  Object.entries(metafile.outputs)
    .filter(([, { entryPoint }]) => entryPoint)
    .map(([output, { entryPoint }]) => [path.basename(entryPoint), path.basename(output)]),
);
const html = readFileSync(path.join(root, 'src/index.html'), 'utf8').replace(/\{\{(.+?)\}\}/g, (_, name) => {
  if (!names[name]) throw new Error(`src/index.html names ${name}, which is no entry point of build.js`);
  return names[name];
});
writeFileSync(path.join(dist, 'index.html'), html);

const bytes = Object.entries(metafile.outputs).reduce((sum, [, output]) => sum + output.bytes, 0);
console.log(`dist: ${Object.keys(metafile.outputs).length + 1} files, ${Math.round(bytes / 1024)} KiB`);
