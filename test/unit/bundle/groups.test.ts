import { describe, expect, it } from 'vitest';

interface Found {
  readonly groups: readonly { name: string; files: string[]; shared?: string[]; after?: string }[];
  readonly later: ReadonlySet<string>;
}
const { findGroups } = (await import(new URL('../../../scripts/bundle/groups.mjs', import.meta.url).href)) as {
  findGroups(metafile: unknown, entry: string, starts: Record<string, string[]>, small: number): Found;
};

/** A program as esbuild tells of it: each source's bytes, what it stands on, and what it imports when it needs it. */
function metafile(sources: Record<string, [bytes: number, stands: string[], lazily: string[]]>): unknown {
  const inputs = Object.fromEntries(
    Object.entries(sources).map(([file, [, stands, lazily]]) => [
      file,
      {
        imports: [
          ...stands.map((path) => ({ path, kind: 'import-statement' })),
          ...lazily.map((path) => ({ path, kind: 'dynamic-import' })),
          { path: 'node:fs', kind: 'import-statement', external: true },
        ],
      },
    ]),
  );
  const bytes = Object.fromEntries(Object.entries(sources).map(([file, [bytesInOutput]]) => [file, { bytesInOutput }]));
  return { inputs, outputs: { 'dist/program.js': { inputs: bytes } } };
}

const starts = { session: ['src/run.ts'], agent: ['src/agent.ts'] };
const program: Parameters<typeof metafile>[0] = {
  'src/program.ts': [10, ['src/errors.ts'], ['src/run.ts', 'src/other.ts']],
  'src/errors.ts': [10, [], []],
  'src/run.ts': [10, [], ['src/agent.ts', 'src/profile.ts', 'src/browser.ts']],
  'src/profile.ts': [10, ['src/errors.ts'], ['src/file.ts']],
  'src/file.ts': [10, [], []],
  'src/browser.ts': [10, ['node_modules/open/index.js'], []],
  'node_modules/open/index.js': [500, [], []],
  'src/agent.ts': [10, ['src/ids.ts', 'node_modules/graph/index.js'], ['src/tools.ts']],
  'src/ids.ts': [10, [], []],
  'src/tools.ts': [90, ['node_modules/graph/index.js'], []],
  'node_modules/graph/index.js': [500, [], []],
  'src/other.ts': [10, [], ['src/ids.ts', 'src/errors.ts']],
};
const find = (change: typeof program = {}) =>
  findGroups(metafile({ ...program, ...change }), 'src/program.ts', starts, 100);

describe('what is loaded together', () => {
  it('begins with each step of a run, and the one before is there by then', () => {
    expect(find().groups.map(({ name, after, files }) => [name, after, files[0]])).toEqual([
      ['session', undefined, 'src/errors.ts'],
      ['agent', 'session', 'src/agent.ts'],
    ]);
  });

  it('has what a step imports when it needs it, and what that imports, where it is small', () => {
    expect(find().groups[0]?.files).toEqual(expect.arrayContaining(['src/profile.ts', 'src/file.ts']));
    expect(find({ 'src/profile.ts': [101, [], []] }).groups[0]?.files).not.toContain('src/profile.ts');
  });

  it('weighs what comes along, but for what is there already', () => {
    const { groups, later } = find();
    expect(later).toContain('src/browser.ts');
    expect(groups[1]?.files).toContain('src/tools.ts');
  });

  it('has what a later step stands on and others import lazily, so that it is not cut out of that one', () => {
    expect(find().groups[0]?.files).toContain('src/ids.ts');
  });

  it('has in its first group what a later one shares with what stays apart, where that is little', () => {
    const sharing = (bytes: number) =>
      find({
        'src/agent.ts': [10, ['src/seal.ts', 'node_modules/graph/index.js'], []],
        'src/other.ts': [10, ['src/seal.ts'], []],
        'src/seal.ts': [bytes, [], []],
      }).groups[0]?.shared;
    expect(sharing(10)).toEqual(['src/seal.ts']);
    expect(sharing(33 * 1024)).toEqual([]);
  });

  it('leaves what the entry chooses from apart', () => {
    expect(find().later).toContain('src/other.ts');
  });

  it('says which file is gone, and where that is to be said', () => {
    const { 'src/agent.ts': _, ...rest } = program;
    const without = metafile({ ...rest, 'src/run.ts': [10, [], []] });
    expect(() => findGroups(without, 'src/program.ts', starts, 100)).toThrow(
      'no source imports src/agent.ts lazily, with which scripts/bundle/groups.mjs begins the group "agent"',
    );
    expect(() => findGroups(metafile(program), 'src/main.ts', starts, 100)).toThrow('src/main.ts');
  });
});
