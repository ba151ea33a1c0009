import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Node, SourceFile } from 'typescript/unstable/ast';
import { createVirtualFileSystem } from 'typescript/unstable/fs';
import { API } from 'typescript/unstable/sync';

/** A source by its path from the project's root: `src/text/sanitize.ts`. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

export const root = join(import.meta.dirname, '../../..');

/** Every source of the program, as it stands on the disk. */
export function programSources(): Source[] {
  return globSync('src/**/*.{ts,tsx}', { cwd: root })
    .map((file) => file.replaceAll('\\', '/'))
    .sort()
    .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
}

/** Where the parser finds the sources, which need not be on any disk. */
const HOUSE = '/house';
const settings = {
  compilerOptions: { noLib: true, noResolve: true, types: [], jsx: 'preserve', module: 'nodenext' },
  include: ['**/*'],
};

/** Reads each source with TypeScript's own parser. Types are not looked at, so that a few lines will do for a source. */
export function readParsed<T>(sources: readonly Source[], read: (parsed: SourceFile, source: Source) => T): T[] {
  const files = Object.fromEntries(sources.map(({ file, text }) => [`${HOUSE}/${file}`, text]));
  const config = `${HOUSE}/tsconfig.json`;
  const api = new API({
    cwd: HOUSE,
    fs: createVirtualFileSystem({ ...files, [config]: JSON.stringify(settings) }),
  });
  try {
    const program = api.updateSnapshot({ openProjects: [config] }).getProject(config)?.program;
    return sources.map((source) => {
      const parsed = program?.getSourceFile(`${HOUSE}/${source.file}`);
      if (parsed === undefined) throw new Error(`${source.file} was not parsed`);
      return read(parsed, source);
    });
  } finally {
    api.close();
  }
}

/** A node's descendants and itself, parents first. */
export function* nodesOf(node: Node): Generator<Node> {
  yield node;
  const children: Node[] = [];
  node.forEachChild((child) => {
    children.push(child);
  });
  for (const child of children) yield* nodesOf(child);
}
