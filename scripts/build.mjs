// Bundles src/ into dist/: the program's chunks, split so that a command only loads what it uses, and their loader.
// The launcher (bin/trade-agent.js) stays plain JavaScript, because it must run on old Node versions to reject them.
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

// "--failpoints FOLDER" creates a build for test/crash that supports TRADE_AGENT_FAILPOINT (src/machine/failpoint.ts).
const [flag, folder] = process.argv.slice(2);
const forTests = flag === '--failpoints' && folder !== undefined;
const from = builtFrom();
// Skips a build that is up to date: npm runs "prepare" after "npm ci" and once per HOME that runs "npx trade-agent" in the
// checkout, "npm test" builds as well, and a running program still reads chunks from dist/.
// With BUILD_LATER=1, "npm ci" leaves the build to "npm test", which builds while it checks types (.ci/run).
const isLater = process.env.npm_lifecycle_event === 'prepare' && process.env.BUILD_LATER === '1';
if (!forTests && (isLater || isBuilt(from))) process.exit(0);

const outdir = forTests ? folder : 'dist';
const kind = forTests ? 'test' : 'production';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

rmSync(join(root, outdir), { recursive: true, force: true });
mkdirSync(join(root, outdir), { recursive: true });

// The first build only shows which sources are loaded together. The second one is shipped.
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

/** Separate files: the loader, the process that talks to the OS keychain, and the library's entry. */
const alone = await build({
  ...settings(root, outdir, kind),
  entryPoints: {
    main: 'src/cli/start/main.ts',
    'keychain-child': 'src/secrets/keychain/keychain-child.ts',
    index: 'library-entry',
  },
  plugins: [libraryEntry(root, program.metafile, `${outdir}/library.cjs`)],
  external: ['./help-texts.ts', '../program.ts', 'keytar'],
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
// Generates the manual page from the commands, so that it is always up to date.
if (!forTests) await import('./man-page.mjs');
if (!forTests) writeFileSync(join(root, outdir, 'index.d.ts'), await libraryTypes(root, join(root, outdir, 'types')));
writeFileSync(join(root, outdir, 'help-texts.js'), await renderHelp(pathToFileURL(`${join(root, outdir)}/`)));
if (!forTests) {
  writeFileSync(join(root, 'THIRD_PARTY_NOTICES'), thirdPartyNotices(root, metafile));
  writeFileSync(join(root, outdir, 'sbom.cdx.json'), billOfMaterials(root, metafile));
}
// Written last, so that an interrupted build does not count as complete.
if (!forTests) writeFileSync(join(root, STAMP), from);
