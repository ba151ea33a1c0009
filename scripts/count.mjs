// Prints the size of the project and its import structure: `node scripts/count.mjs` (also in CI).
import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

const generated = [
  'docs/develop/SECURITY-TESTS.md',
  'docs/develop/PUBLIC-SUITES.md',
  'docs/reference/CONFIGURATION.md',
];

const files = (/** @type {string} */ folder) =>
  globSync(`${folder}/**/*`, { withFileTypes: true, exclude: (entry) => entry.name === 'node_modules' })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.join(entry.parentPath, entry.name));
const text = (/** @type {string} */ file) => readFileSync(file, 'utf8');
const lines = (/** @type {readonly string[]} */ list) =>
  list.reduce((sum, file) => sum + text(file).split('\n').length - 1, 0);
const words = (/** @type {readonly string[]} */ list) =>
  list.reduce((sum, file) => sum + (text(file).match(/\S+/g)?.length ?? 0), 0);

const data = files('src').filter((file) => file.endsWith('.json'));
const code = files('src').filter((file) => !data.includes(file));
const sources = files('src').filter((file) => /\.tsx?$/.test(file));
/** @type {Map<string, Set<string>>} imports of each file */
const imports = new Map(
  sources.map((file) => [
    file,
    new Set(
      [...text(file).matchAll(/(?:\bfrom |\bimport\(?\s*)'(\.[^']+)'/g)].map(([, name = '']) =>
        posix.join(posix.dirname(file), name),
      ),
    ),
  ]),
);
/** @type {Map<string, number>} */
const importers = new Map(sources.map((file) => [file, 0]));
/** @type {Set<string>} */
const folderImports = new Set();
for (const [file, imported] of imports)
  for (const other of imported) {
    if (!importers.has(other)) continue;
    importers.set(other, (importers.get(other) ?? 0) + 1);
    const [from, to] = [folderOf(file), folderOf(other)];
    if (from !== to && isInRoom(from) && isInRoom(to)) folderImports.add(`${from} ${to}`);
  }
const pairs = [...folderImports].filter((pair) => {
  const [from = '', to = ''] = pair.split(' ');
  return from < to && folderImports.has(`${to} ${from}`);
});
const single = [...importers.values()].filter((count) => count === 1).length;
const pages = files('docs').filter((file) => file.endsWith('.md'));

const rows = [
  ['src', `${lines(code)} lines in ${code.length} files, and ${lines(data)} lines of data`],
  ['test', `${lines(files('test'))} lines in ${files('test').length} files`],
  ['docs', `${words(pages.filter((page) => !generated.includes(page)))} words, without generated pages`],
  ['one importer', `${((100 * single) / sources.length).toFixed(1)} % of the files of src`],
  [
    'folder pairs that import each other',
    `${pairs.length}${pairs.map((pair) => `\n  ${pair.replace(' ', ' <-> ')}`).join('')}`,
  ],
];
for (const [what, count] of rows) console.log(`${what}: ${count}`);

/** Returns a file's folder inside its room, such as `src/gateway/orders`, or the room for files at its top level. */
function folderOf(/** @type {string} */ file) {
  return posix.dirname(file).split('/').slice(0, 3).join('/');
}

function isInRoom(/** @type {string} */ folder) {
  return folder.split('/').length === 3;
}
