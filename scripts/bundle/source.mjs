import { readFileSync } from 'node:fs';
import { dirname, extname, relative, resolve } from 'node:path';

/**
 * Bundles the program's own sources in groups.
 *
 * Files that are always needed together are merged, although the sources import them lazily, because reading one large
 * file is much faster than finding and reading a dozen small ones. Lazily loaded code also imports the first group. It is
 * loaded by then, so this costs nothing, but it keeps esbuild from splitting the group into files per set of importers.
 * @param {string} root
 * @param {ReturnType<typeof import('./groups.mjs').findGroups>} found without it, each lazily imported source stays separate
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
        // Unused parts of these are left out. Data follows the module that uses it.
        lines.push(...shared.filter((file) => !file.endsWith('.json')).map((file) => `import './${file}';`));
        if (after !== undefined) lines.unshift(`import 'group:${after}';`);
        // The program's entry is part of the first group, so that both are one file.
        if (path === first.name) lines.push(`export { createProgram, startProgram } from './src/cli/program.ts';`);
        return { contents: lines.join('\n'), resolveDir: root, loader: 'js' };
      });
      // The library imports the agent's group, so that this group is not split either.
      build.onResolve({ filter: /^library$/ }, () => ({ path: 'library', namespace: 'library' }));
      build.onLoad({ filter: /.*/, namespace: 'library' }, () => ({
        contents: `import 'group:agent'; export * from './src/app/index.ts';`,
        resolveDir: root,
        loader: 'js',
      }));
      build.onLoad({ filter: /\/src\/.*\.tsx?$/ }, ({ path }) => {
        const fromRoot = (file) => relative(root, file).replaceAll('\\', '/');
        // A namespace import lets esbuild leave out unused parts.
        let contents = readFileSync(path, 'utf8').replace(/import \{ z \} from 'zod'/g, "import * as z from 'zod'");
        contents = contents.replace(lazyImport, (original, specifier) => {
          const file = fromRoot(resolve(dirname(path), specifier));
          const group = groupOf.get(file);
          return group === undefined ? original : `import('group:${group}').then((files) => files.${nameOf(file)})`;
        });
        if (later.has(fromRoot(path))) contents = `import 'group:${first.name}';${contents}`;
        return { contents, loader: extname(path).slice(1) };
      });
    },
  };
}

const lazyImport = /(?<!typeof )\bimport\(\s*'(\.[^']+)'\s*\)/g;
