// Bundles src/ into dist/: one entry a process, split into chunks, so that a command loads only what it uses.
// The launcher (bin/trade-agent.js) stays plain JavaScript: it must run on any old Node to say which one is needed.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

// "--failpoints FOLDER" makes the one build that heeds TRADE_AGENT_FAILPOINT (src/trading/failpoint.ts), for test/crash.
const [flag, folder] = process.argv.slice(2);
const forTests = flag === '--failpoints' && folder !== undefined;
const outdir = forTests ? folder : 'dist';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Each entry is a process of its own: the program, and the child that talks to the OS keychain. */
const entries = {
  main: 'src/cli/main.ts',
  'keychain-child': 'src/auth/credential-store/keychain-child.ts',
};
const entryPoints = Object.fromEntries(
  Object.entries(entries)
    .filter(([, file]) => existsSync(join(root, file)))
    .map(([name, file]) => [name, join(root, file)]),
);

rmSync(join(root, outdir), { recursive: true, force: true });
const result = await build({
  absWorkingDir: root,
  entryPoints,
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.13',
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  legalComments: 'none',
  metafile: true,
  sourcemap: false,
  logLevel: 'warning',
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
  banner: {
    js: "import{createRequire as __cr}from'node:module';import{fileURLToPath as __fu}from'node:url';import{dirname as __dn}from'node:path';const require=__cr(import.meta.url),__filename=__fu(import.meta.url),__dirname=__dn(__filename);",
  },
});
writeFileSync(join(root, outdir, 'metafile.json'), JSON.stringify(result.metafile));
