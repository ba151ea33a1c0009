// Bundles each source as a separate module into a folder, for tests of the shipped code (test/shipped/). Uses the same
// settings and lean dependencies as the program, but splits it so that tests can access every export.
//   node scripts/build-modules.mjs FOLDER      FOLDER/src/trading/order.js is src/trading/order.ts as shipped
import { globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chunksAsFunctions } from './bundle/chunk-functions.mjs';
import { withoutBuiltinImports } from './bundle/node-builtins.mjs';
import { chunkSettings, settings } from './bundle/settings.mjs';

const [outdir] = process.argv.slice(2);
if (outdir === undefined) throw new Error('the folder is missing: node scripts/build-modules.mjs FOLDER');
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, outdir);
rmSync(folder, { recursive: true, force: true });

// A separate program, which is started as a process.
const KEYCHAIN_CHILD = 'src/secrets/keychain/keychain-child.ts';
const sources = globSync('src/**/*.{ts,tsx}', { cwd: root })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file !== KEYCHAIN_CHILD && !file.endsWith('.d.ts') && !file.startsWith('src/home/phone/web/'));
// It replaces Node's global Request, so the tests must use the same copy.
const SERVER = '@hono/node-server';
const chunkOf = (file) => file.replace(/^src\/|\.tsx?$/g, '').replaceAll('/', '__');

const built = await build({
  ...chunkSettings(root, outdir),
  entryPoints: Object.fromEntries([...sources, SERVER].map((file) => [chunkOf(file), file])),
});
const write = (path, text) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};
for (const { path, text } of await chunksAsFunctions(built.outputFiles)) write(path, text);

write(
  join(folder, 'load.js'),
  `import { openBundle } from '${relative(folder, join(root, 'src/cli/start/bundle-loader.ts'))}';
export const { load } = openBundle(new URL('./', import.meta.url), undefined, '');
`,
);
for (const file of [...sources, SERVER]) {
  const chunk = `${chunkOf(file)}.cjs`;
  const { exports } = built.metafile.outputs[`${outdir}/${chunk}`];
  const path = join(folder, `${file.replace(/\.tsx?$/, '')}.js`);
  const load = JSON.stringify(relative(dirname(path), join(folder, 'load.js')));
  write(path, `import { load } from ${load};\nexport const { ${exports.join(', ')} } = load('${chunk}');\n`);
}

const child = await build({
  ...settings(root, outdir),
  entryPoints: { 'keychain-child': KEYCHAIN_CHILD },
  external: ['keytar'],
});
for (const { path, text } of child.outputFiles) write(path, withoutBuiltinImports(text));
