/**
 * The module for `import … from 'trade-agent'`. It re-exports src/app/index.ts from the program's chunks, so that the
 * package contains the code only once.
 * @param {string} root
 * @param {import('esbuild').Metafile} metafile of the chunks
 * @param {string} chunk the library's, as the metafile has it
 */
export function libraryEntry(root, metafile, chunk) {
  return {
    name: 'library-entry',
    setup(build) {
      build.onResolve({ filter: /^library-entry$/ }, ({ path }) => ({ path, namespace: 'library-entry' }));
      build.onLoad({ filter: /.*/, namespace: 'library-entry' }, () => ({
        contents: `
          import { openBundle } from './src/cli/start/bundle-loader.ts';
          export const { ${metafile.outputs[chunk].exports.join(', ')} } =
            openBundle(new URL('./', import.meta.url), undefined, '').load('library.cjs');
        `,
        resolveDir: root,
        loader: 'ts',
      }));
    },
  };
}
