// Bundles src/ into dist/: one entry a process, split into chunks, so that a command loads only what it uses.
// The launcher (bin/trade-agent.js) stays plain JavaScript: it must run on any old Node to say which one is needed.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { groups } from './bundle/groups.mjs';
import { renderHelp } from './bundle/help-texts.mjs';
import { leanDependencies } from './bundle/lean-dependencies.mjs';
import { withoutBuiltinImports } from './bundle/node-builtins.mjs';
import { source } from './bundle/source.mjs';
import { thirdPartyNotices } from './bundle/third-party-notices.mjs';

// "--failpoints FOLDER" makes the one build that heeds TRADE_AGENT_FAILPOINT (src/trading/failpoint.ts), for test/crash.
const [flag, folder] = process.argv.slice(2);
const forTests = flag === '--failpoints' && folder !== undefined;
const outdir = forTests ? folder : 'dist';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

rmSync(join(root, outdir), { recursive: true, force: true });
const result = await build({
  absWorkingDir: root,
  /** Each entry is a process of its own: the program, and the child that talks to the OS keychain. */
  entryPoints: {
    main: 'src/cli/main.ts',
    'keychain-child': 'src/auth/credential-store/keychain-child.ts',
  },
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.14',
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  legalComments: 'none',
  metafile: true,
  write: false,
  sourcemap: false,
  logLevel: 'warning',
  plugins: [source(root, groups), leanDependencies()],
  external: ['better-sqlite3-multiple-ciphers', 'keytar'],
  alias: {
    // The LangGraph saver asks for better-sqlite3; the ciphered build has the same API and encrypts at rest.
    'better-sqlite3': 'better-sqlite3-multiple-ciphers',
    // Its CommonJS build would lose its named exports behind a dynamic import.
    yaml: join(root, 'node_modules/yaml/browser/index.js'),
    // Ink loads React's devtools only when DEV=true; marking it external would crash at import.
    'react-devtools-core': join(root, 'scripts/empty.mjs'),
  },
  define: {
    'process.env.NODE_ENV': '"production"',
    'process.env.TRADE_AGENT_BUILD': forTests ? '"test"' : '"production"',
    'process.env.TRADE_AGENT_VERSION': JSON.stringify(version),
  },
  loader: { '.html': 'text', '.css': 'text', '.csv': 'text', '.svg': 'text' },
  // Bundled CommonJS packages call require() for Node's own modules.
  banner: { js: "const require=process.getBuiltinModule('node:module').createRequire(import.meta.url);" },
});

mkdirSync(join(root, outdir), { recursive: true });
for (const { path, text } of result.outputFiles) writeFileSync(path, withoutBuiltinImports(text));
writeFileSync(join(root, outdir, 'metafile.json'), JSON.stringify(result.metafile));
// The manual page comes from the commands themselves, so that it can't fall behind them.
if (!forTests) await import('./man-page.mjs');
writeFileSync(join(root, outdir, 'help-texts.js'), await renderHelp(root, result.metafile));
if (!forTests) writeFileSync(join(root, 'THIRD_PARTY_NOTICES'), thirdPartyNotices(root, result.metafile));
