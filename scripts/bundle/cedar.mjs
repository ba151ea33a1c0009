import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const WASM = 'cedar_wasm_bg.wasm';

/**
 * Bundles Cedar: its JavaScript in a chunk, its WebAssembly in a file next to it, and the texts of
 * src/gateway/policy/cedar inlined instead of the source that would read them.
 * @param {string} root
 * @param {string} outdir relative to the root
 */
export function cedar(root, outdir) {
  const texts = join(root, 'src/gateway/policy/cedar');
  const read = (file) => JSON.stringify(readFileSync(join(texts, file), 'utf8'));
  return {
    name: 'cedar',
    setup(build) {
      build.onLoad({ filter: /\/src\/gateway\/policy\/cedar\/bundled-texts\.ts$/ }, () => ({
        contents: `export const bundledCedarTexts = { schema: ${read('schema.cedarschema')}, base: ${read('base.cedar')} };`,
        loader: 'js',
      }));
      build.onLoad({ filter: /\/@cedar-policy\/cedar-wasm\/nodejs\/cedar_wasm\.js$/ }, ({ path }) => {
        // The loader passes a chunk its URL (chunk-functions.mjs).
        const beside = `\`\${__dirname}/${WASM}\``;
        const text = readFileSync(path, 'utf8');
        if (!text.includes(beside)) throw new Error(`${path} no longer reads ${beside}`);
        mkdirSync(join(root, outdir), { recursive: true });
        copyFileSync(join(dirname(path), WASM), join(root, outdir, WASM));
        return { contents: text.replace(beside, `new URL('${WASM}', __url)`), loader: 'js' };
      });
    },
  };
}
