import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const WASM = 'jq.wasm';

/**
 * Bundles jq: its JavaScript in a chunk, its WebAssembly in a file next to it.
 * @param {string} root
 * @param {string} outdir relative to the root
 */
export function jq(root, outdir) {
  return {
    name: 'jq',
    setup(build) {
      build.onLoad({ filter: /\/jq-wasm\/dist\/index\.mjs$/ }, ({ path }) => {
        // The loader passes a chunk its URL (chunk-functions.mjs).
        const within = 'join(__dirname, "build", "jq.wasm")';
        const text = readFileSync(path, 'utf8');
        if (!text.includes(within)) throw new Error(`${path} no longer reads ${within}`);
        mkdirSync(join(root, outdir), { recursive: true });
        copyFileSync(join(dirname(path), 'build', WASM), join(root, outdir, WASM));
        return { contents: text.replace(within, `new URL("./${WASM}", import.meta.url)`), loader: 'js' };
      });
    },
  };
}
