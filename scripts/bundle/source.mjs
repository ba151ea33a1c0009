import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';

/**
 * How the program's own sources go into the bundle.
 *
 * Files that are always needed together are loaded together, though the sources import each when it is first needed:
 * reading one large file is far quicker than finding and reading a dozen small ones. For the same reason whatever is
 * loaded later imports the first group too. That one is there by then, so it costs nothing; but esbuild, which keeps
 * apart what different entries share, then need not cut it into pieces.
 * @param {string} root
 * @param {Record<string, {files: string[], after?: string}>} groups
 */
export function source(root, groups) {
  const [first] = Object.keys(groups);
  const groupOf = new Map();
  for (const [group, { files }] of Object.entries(groups)) {
    for (const file of files) {
      if (!existsSync(join(root, file))) throw new Error(`${file}, to be bundled with "${group}", is gone`);
      groupOf.set(join(root, file), group);
    }
  }
  const { later, there } = lazilyLoaded(root, ['src/cli/program.ts', ...groups[first].files]);
  // As entries of their own they would be cut out of the first group.
  for (const file of there) groupOf.set(file, first);
  const nameOf = (file) => relative(root, file).replace(/\W/g, '_');

  return {
    name: 'source',
    setup(build) {
      // The program's entry is the first group too, so that these are one file.
      build.onResolve({ filter: /^program$/ }, () => ({ path: first, namespace: 'group' }));
      build.onResolve({ filter: /^group:/ }, ({ path }) => ({ path: path.slice(6), namespace: 'group' }));
      build.onLoad({ filter: /.*/, namespace: 'group' }, ({ path }) => {
        const { after } = groups[path];
        const files = [...groupOf].filter(([, group]) => group === path).map(([file]) => file);
        const lines = files.map((file) => `export * as ${nameOf(file)} from ${JSON.stringify(file)};`);
        if (path === first) lines.push(`export { createProgram, startProgram } from './src/cli/program.ts';`);
        if (after !== undefined) lines.unshift(`import 'group:${after}';`);
        return { contents: lines.join('\n'), resolveDir: root, loader: 'js' };
      });
      build.onLoad({ filter: /\/src\/.*\.tsx?$/ }, ({ path }) => {
        // Named so, the whole library is in use; as a namespace, esbuild can tell what of it is.
        let contents = readFileSync(path, 'utf8').replace(
          /import \{ z \} from 'zod'/g,
          "import * as z from 'zod'",
        );
        contents = contents.replace(lazyImport, (original, specifier) => {
          const file = resolve(dirname(path), specifier);
          const group = groupOf.get(file);
          return group === undefined
            ? original
            : `import('group:${group}').then((files) => files.${nameOf(file)})`;
        });
        if (later.has(path) && !groupOf.has(path)) contents = `import 'group:${first}';${contents}`;
        return { contents, loader: extname(path).slice(1) };
      });
    },
  };
}

const lazyImport = /(?<!typeof )\bimport\(\s*'(\.[^']+)'\s*\)/g;
const staticImport = /^(?:import|export) (?!type )[^;]*? from '(\.[^']+)';/gm;

/**
 * The files that others import only when they need them: those that `eager` stands on, and so are `there` already, and
 * those that come `later`.
 */
function lazilyLoaded(root, eager) {
  const found = new Set();
  for (const path of globSync('src/**/*.{ts,tsx}', { cwd: root })) {
    for (const file of imports(join(root, path), lazyImport)) found.add(file);
  }
  const seen = new Set();
  const visit = (file) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const next of imports(file, staticImport)) visit(next);
  };
  for (const file of eager) visit(join(root, file));
  return { later: found.difference(seen), there: found.intersection(seen) };
}

function imports(file, pattern) {
  return [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, to]) => resolve(dirname(file), to));
}
