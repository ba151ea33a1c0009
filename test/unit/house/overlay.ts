import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { API } from 'typescript/unstable/sync';
import { root } from './sources.ts';

/** What the compiler says about the program with some sources replaced or added; nothing is written to the disk. */
export interface Complaint {
  readonly file: string;
  readonly text: string;
}

/** Type checks `src` with these texts by their paths from the root in place of, or beside, what is on the disk. */
export function complaintsWith(texts: ReadonlyMap<string, string>): Complaint[] {
  const config = join(root, 'tsconfig.overlay.json');
  const virtual = new Map([...texts].map(([file, text]) => [join(root, file), text]));
  virtual.set(config, JSON.stringify({ extends: './tsconfig.json', include: ['src'] }));
  const api = new API({
    cwd: root,
    fs: {
      readFile: (path) => virtual.get(path),
      fileExists: (path) => (virtual.has(path) ? true : undefined),
      directoryExists: (path) =>
        !existsSync(path) && [...virtual.keys()].some((file) => file.startsWith(`${path}/`)) ? true : undefined,
    },
  });
  try {
    const program = api.updateSnapshot({ openProjects: [config] }).getProject(config)?.program;
    if (program === undefined) throw new Error('the program was not read');
    return [...program.getSyntacticDiagnostics(), ...program.getSemanticDiagnostics()].map((one) => ({
      file: relative(root, one.fileName ?? ''),
      text: one.text,
    }));
  } finally {
    api.close();
  }
}
