// Bundles src/ into dist/: the program split into chunks, so that a command loads only what it uses, and what loads them.
// The launcher (bin/trade-agent.js) stays plain JavaScript: it must run on any old Node to say which one is needed.
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { browserPackages } from './bundle/browser-scripts.mjs';
import { builtFrom, isBuilt, STAMP } from './bundle/built-from.mjs';
import { chunksAsFunctions } from './bundle/chunk-functions.mjs';
import { findGroups } from './bundle/groups.mjs';
import { renderHelp } from './bundle/help-texts.mjs';
import { libraryEntry } from './bundle/library.mjs';
import { libraryTypes } from './bundle/library-types.mjs';
import { withoutBuiltinImports } from './bundle/node-builtins.mjs';
import { billOfMaterials } from './bundle/sbom.mjs';
import { chunkSettings, settings } from './bundle/settings.mjs';
import { thirdPartyNotices } from './bundle/third-party-notices.mjs';

// "--failpoints FOLDER" makes the one build that heeds TRADE_AGENT_FAILPOINT (src/machine/failpoint.ts), for test/crash.
const [flag, folder] = process.argv.slice(2);
const forTests = flag === '--failpoints' && folder !== undefined;
const from = builtFrom();
// What is built already is left alone: npm prepares a checkout after "npm ci" and once for each HOME in which somebody runs
// "npx trade-agent" in it, "npm test" builds too, and a program that is running reads more of it as it goes on.
// With BUILD_LATER=1 "npm ci" leaves it to "npm test", which builds while it checks types (.ci/run).
const isLater = process.env.npm_lifecycle_event === 'prepare' && process.env.BUILD_LATER === '1';
if (!forTests && (isLater || isBuilt(from))) process.exit(0);

const outdir = forTests ? folder : 'dist';
const kind = forTests ? 'test' : 'production';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

rmSync(join(root, outdir), { recursive: true, force: true });
mkdirSync(join(root, outdir), { recursive: true });

// Once only to see what comes with what; then as it is shipped.
const ENTRY = 'src/cli/program.ts';
const apart = await build({ ...chunkSettings(root, outdir, kind), entryPoints: { program: ENTRY } });
const found = findGroups(apart.metafile, ENTRY);
const program = await build({
  ...chunkSettings(root, outdir, kind, found),
  entryPoints: { program: `group:${found.groups[0].name}`, library: 'library' },
});
const chunks = await chunksAsFunctions(program.outputFiles);
for (const { path, text } of chunks) writeFileSync(path, text);
const digest = createHash('sha256');
for (const { path, text } of chunks.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
  digest.update(`${basename(path)}\0${text}\0`);
}

/** Each a file of its own: what loads the program, the process that talks to the OS keychain, and what Temporal bundles. */
const alone = await build({
  ...settings(root, outdir, kind),
  entryPoints: {
    main: 'src/cli/start/main.ts',
    'keychain-child': 'src/secrets/keychain/keychain-child.ts',
    'key-workflow': 'src/jobs/temporal/key-workflow.ts',
    index: 'library-entry',
  },
  plugins: [libraryEntry(root, program.metafile, `${outdir}/library.cjs`)],
  external: ['./help-texts.ts', '../program.ts', 'keytar', '@temporalio/workflow'],
  define: {
    ...settings(root, outdir, kind).define,
    'process.env.TRADE_AGENT_BUNDLE': JSON.stringify(digest.digest('hex')),
  },
});
for (const { path, text } of alone.outputFiles) {
  writeFileSync(path, withoutBuiltinImports(text).replace('./help-texts.ts', './help-texts.js'));
}

const metafile = {
  inputs: { ...program.metafile.inputs, ...alone.metafile.inputs },
  outputs: { ...program.metafile.outputs, ...alone.metafile.outputs, ...browserPackages() },
};
writeFileSync(join(root, outdir, 'metafile.json'), JSON.stringify(metafile));
// The manual page comes from the commands themselves, so that it can't fall behind them.
if (!forTests) await import('./man-page.mjs');
if (!forTests)
  writeFileSync(join(root, outdir, 'index.d.ts'), await libraryTypes(root, join(root, outdir, 'types')));
writeFileSync(join(root, outdir, 'help-texts.js'), await renderHelp(pathToFileURL(`${join(root, outdir)}/`)));
if (!forTests) {
  writeFileSync(join(root, 'THIRD_PARTY_NOTICES'), thirdPartyNotices(root, metafile));
  writeFileSync(join(root, outdir, 'sbom.cdx.json'), billOfMaterials(root, metafile));
}
// Last: a build that was broken off is none. What changed meanwhile is built the next time.
if (!forTests) writeFileSync(join(root, STAMP), from);
