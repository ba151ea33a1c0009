import { readFileSync } from 'node:fs';
import { dirname, extname, relative, resolve } from 'node:path';

/**
 * How the program's own sources go into the bundle.
 *
 * Files that are always needed together are loaded together, though the sources import each when it is first needed:
 * reading one large file is far quicker than finding and reading a dozen small ones. For the same reason whatever is
 * loaded later imports the first group too. That one is there by then, so it costs nothing; but esbuild, which keeps
 * apart what different entries share, then need not cut it into pieces.
 * @param {string} root
 * @param {ReturnType<typeof import('./groups.mjs').findGroups>} found none: each source that is imported lazily stays apart
 */
export function source(root, { groups, later } = { groups: [], later: new Set() }) {
  const groupOf = new Map(groups.flatMap(({ name, files }) => files.map((file) => [file, name])));
  const [first] = groups;
  const nameOf = (file) => file.replace(/\W/g, '_');

  return {
    name: 'source',
    setup(build) {
      build.onResolve({ filter: /^group:/ }, ({ path }) => ({ path: path.slice(6), namespace: 'group' }));
      build.onLoad({ filter: /.*/, namespace: 'group' }, ({ path }) => {
        const { files, shared = [], after } = groups.find(({ name }) => name === path);
        const lines = files.map((file) => `export * as ${nameOf(file)} from './${file}';`);
        // What of these nobody uses is left out.
        lines.push(...shared.map((file) => `import './${file}';`));
        if (after !== undefined) lines.unshift(`import 'group:${after}';`);
        // The program's entry is the first group too, so that these are one file.
        if (path === first.name)
          lines.push(`export { createProgram, startProgram } from './src/cli/program.ts';`);
        return { contents: lines.join('\n'), resolveDir: root, loader: 'js' };
      });
      // What others import has all that an agent needs, and so these are not cut into pieces either.
      build.onResolve({ filter: /^library$/ }, () => ({ path: 'library', namespace: 'library' }));
      build.onLoad({ filter: /.*/, namespace: 'library' }, () => ({
        contents: `import 'group:agent'; export * from './src/app/index.ts';`,
        resolveDir: root,
        loader: 'js',
      }));
      build.onLoad({ filter: /\/src\/.*\.tsx?$/ }, ({ path }) => {
        const fromRoot = (file) => relative(root, file).replaceAll('\\', '/');
        // Named so, the whole library is in use; as a namespace, esbuild can tell what of it is.
        let contents = readFileSync(path, 'utf8').replace(
          /import \{ z \} from 'zod'/g,
          "import * as z from 'zod'",
        );
        contents = contents.replace(lazyImport, (original, specifier) => {
          const file = fromRoot(resolve(dirname(path), specifier));
          const group = groupOf.get(file);
          return group === undefined
            ? original
            : `import('group:${group}').then((files) => files.${nameOf(file)})`;
        });
        if (later.has(fromRoot(path))) contents = `import 'group:${first.name}';${contents}`;
        return { contents, loader: extname(path).slice(1) };
      });
    },
  };
}

const lazyImport = /(?<!typeof )\bimport\(\s*'(\.[^']+)'\s*\)/g;
