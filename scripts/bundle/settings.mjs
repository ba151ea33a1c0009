import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { browserScriptsAsText } from './browser-scripts.mjs';
import { cedar } from './cedar.mjs';
import { jq } from './jq.mjs';
import { leanDependencies } from './lean-dependencies.mjs';
import { source } from './source.mjs';

/**
 * Returns esbuild's settings for all shipped code.
 * @param {string} root of the checkout
 * @param {'production' | 'test'} kind `test` enables failpoints
 */
export function settings(root, outdir, kind = 'production') {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return {
    absWorkingDir: root,
    outdir,
    bundle: true,
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
    define: {
      'process.env.NODE_ENV': '"production"',
      'process.env.TRADE_AGENT_BUILD': JSON.stringify(kind),
      'process.env.TRADE_AGENT_VERSION': JSON.stringify(version),
    },
  };
}

/**
 * Returns the settings for the chunks, which include the dependencies.
 * @param {Parameters<typeof source>[1]} groups
 */
export function chunkSettings(root, outdir, kind, groups) {
  return {
    ...settings(root, outdir, kind),
    outExtension: { '.js': '.cjs' },
    splitting: true,
    plugins: [browserScriptsAsText(), cedar(root, outdir), jq(root, outdir), source(root, groups), leanDependencies()],
    external: ['better-sqlite3-multiple-ciphers'],
    alias: {
      // Its CommonJS build would lose its named exports behind a dynamic import.
      yaml: join(root, 'node_modules/yaml/browser/index.js'),
      // Its CommonJS build requires its parts in a way that esbuild can't follow.
      'jsonc-parser': join(root, 'node_modules/jsonc-parser/lib/esm/main.js'),
      // Ink loads React's devtools only when DEV=true; marking it external would crash at import.
      'react-devtools-core': join(root, 'scripts/empty.mjs'),
    },
    loader: { '.html': 'text', '.css': 'text', '.csv': 'text', '.svg': 'text' },
  };
}
