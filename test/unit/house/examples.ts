import { join, posix } from 'node:path';
import { API } from 'typescript/unstable/sync';
import { root, type Source } from './sources.ts';

/** The code of one `@example`, as a module of its own beside the source in whose doc comment it stands. */
interface Example extends Source {
  readonly of: string;
  /** The line of the source that its code begins at, counted from 1. */
  readonly line: number;
}

/**
 * Compiles the examples in the doc comments of these sources, in one program. What an example uses it imports, as a
 * file beside its source would. The sources need not be on the disk.
 * @returns how many there are, and what is wrong with them: `src/a.ts:12: Cannot find name 'b'.`, the line in the source
 */
export function compileExamples(sources: readonly Source[]): { count: number; errors: string[] } {
  const examples = sources.flatMap(examplesOf);
  const bare = sources.flatMap(withoutCode);
  const inMemory = new Map([...sources, ...examples].map(({ file, text }) => [join(root, file), text]));
  const config = join(root, 'tsconfig.examples.json');
  const settings = {
    extends: './tsconfig.json',
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
    include: [],
    files: examples.map(({ file }) => `./${file}`),
  };
  inMemory.set(config, JSON.stringify(settings));
  if (examples.length === 0) return { count: 0, errors: bare };
  const api = new API({
    cwd: root,
    fs: {
      readFile: (file) => inMemory.get(file),
      fileExists: (file) => inMemory.has(file) || undefined,
    },
  });
  try {
    const program = api.updateSnapshot({ openProjects: [config] }).getProject(config)?.program;
    const errors = examples.flatMap(({ file, of, line }) => {
      const path = join(root, file);
      const parsed = program?.getSourceFile(path);
      if (program === undefined || parsed === undefined) throw new Error(`${file} was not compiled`);
      return [...program.getSyntacticDiagnostics(path), ...program.getSemanticDiagnostics(path)].map(
        ({ pos, text }) => `${of}:${line + parsed.getLineAndCharacterOfPosition(pos).line}: ${text}`,
      );
    });
    return { count: examples.length, errors: [...bare, ...errors] };
  } finally {
    api.close();
  }
}

function examplesOf({ file, text }: Source): Example[] {
  return sectionsOf(text).flatMap(({ start, section }, index) =>
    codeOf(section).map(({ before, code }, part) => ({
      of: file,
      line: lineAt(text, start) + before,
      file: posix.join(posix.dirname(file), `${posix.basename(file)}.example-${index + 1}-${part + 1}.ts`),
      // A module also where it imports nothing.
      text: `${code}\nexport {};\n`,
    })),
  );
}

function withoutCode({ file, text }: Source): string[] {
  return sectionsOf(text).flatMap(({ start, section }) =>
    codeOf(section).length > 0 ? [] : [`${file}:${lineAt(text, start)}: an @example has a block of ts`],
  );
}

/** What follows each `@example` of a text's doc comments, up to the next tag, without the comment's stars. */
function sectionsOf(text: string): { start: number; section: string }[] {
  return [...text.matchAll(/\/\*\*.*?\*\//gs)].flatMap(({ 0: comment, index }) =>
    [...comment.matchAll(/^[ \t]*\*[ \t]*@example\b.*?(?=^[ \t]*\*[ \t]*@[a-z]+\b|\*\/$)/gms)].map((found) => ({
      start: index + found.index,
      section: found[0].replace(/^[ \t]*\*[ \t]?/gm, ''),
    })),
  );
}

/** Its blocks of ts, and how many lines of the section come before each one's code. */
function codeOf(section: string): { before: number; code: string }[] {
  return [...section.matchAll(/^```ts\n(.*?)^```$/gms)].map(({ 1: code = '', index }) => ({
    before: section.slice(0, index).split('\n').length,
    code,
  }));
}

/** The line of a place in a text, counted from 1. */
function lineAt(text: string, place: number): number {
  return text.slice(0, place).split('\n').length;
}
