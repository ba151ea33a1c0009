import { describe, expect, it } from 'vitest';
import { breaches } from './layers.ts';
import { programSources } from './sources.ts';

/** The breaches of sources given as `path: text`, as sentences. */
const broken = (sources: Readonly<Record<string, string>>) =>
  breaches(Object.entries(sources).map(([file, text]) => ({ file, text }))).map(
    ({ file, imports, rule }) => `${file} imports ${imports}: ${rule}`,
  );

describe('the house', () => {
  it('has imports that go down, no circles, and the network where it should be', () => {
    const sources = programSources();
    expect(sources.length).toBeGreaterThan(400);
    expect(breaches(sources)).toEqual([]);
  });
});

describe('the test of it sees', () => {
  const up = 'src/store/a.ts imports src/agent/b.ts: imports go down the list: agent is above store';
  it.each([
    ['an import', `import { b } from '../agent/b.ts';`],
    ['one for its effects', `import '../agent/b.ts';`],
    ['one of types alone', `import type { B } from '../agent/b.ts';`],
    ['one that is handed on', `export * from '../agent/b.ts';`],
    ['a type that is handed on', `export type { B } from '../agent/b.ts';`],
    ['one at its first use', `const b = async () => (await import('../agent/b.ts')).b;`],
    ['a type named on the spot', `export type B = import('../agent/b.ts').B;`],
    ['the type of a module', `export let b: typeof import('../agent/b.ts');`],
  ])('%s upwards', (_, text) => {
    expect(broken({ 'src/store/a.ts': text })).toEqual([up]);
  });

  it('one on many lines, and none in a text or a comment', () => {
    const text = `import {\n  b,\n} from\n  '../agent/b.ts';\n`;
    expect(broken({ 'src/store/a.ts': text })).toEqual([up]);
    const quoted = `// import '../agent/b.ts';\nexport const a = "import('../agent/b.ts')";`;
    expect(broken({ 'src/store/a.ts': quoted })).toEqual([]);
  });

  it('two folders of a room that import each other, and none that import one way', () => {
    const down = { 'src/home/phone/a.ts': `import '../push/b.ts';`, 'src/home/push/b.ts': '' };
    expect(broken(down)).toEqual([]);
    expect(broken({ ...down, 'src/home/push/c.ts': `import '../phone/d.ts';`, 'src/home/phone/d.ts': '' })).toEqual([
      'src/home/phone/a.ts imports src/home/push/b.ts: src/home/phone and src/home/push import each other',
    ]);
  });

  it.each([
    ['src/helpers/a.ts', `import '../net/b.ts';`, 'src/helpers has no place in the list of folders'],
    ['src/cli/a.ts', `import '../helpers/b.ts';`, 'src/helpers has no place in the list of folders'],
    ['src/a.ts', `import './net/b.ts';`, 'src/ has no place in the list of folders'],
    ['src/cli/a.ts', `import '../../test/b.ts';`, 'nothing outside of src is imported'],
    ['src/agent/a.ts', `import '../gateway/b.ts';`, 'between agent and gateway is the network'],
    ['src/agent/run/a.ts', `import '../../approval/b.ts';`, 'between agent and approval is the network'],
    ['src/check/a.ts', `import('../gateway/b.ts');`, 'between check and gateway is the network'],
    ['src/schedule/a.ts', `import '../approval/b.ts';`, 'between schedule and approval is the network'],
    ['src/tools/a.ts', `import type { B } from '../approval/b.ts';`, 'between tools and approval is the network'],
    ['src/notify/a.ts', `import '../home/b.ts';`, 'between notify and home is the network'],
    ['src/mcp/a.ts', `import '../gateway/b.ts';`, 'between mcp and gateway is the network'],
    [
      'src/app/policy/a.ts',
      `import '../../gateway/b.ts';`,
      'between app and gateway is the network, but for what runs a gateway here',
    ],
    [
      'src/app/run/a.ts',
      `import '../../gateway/b.ts';`,
      'between app and gateway is the network, but for what runs a gateway here',
    ],
    [
      'src/cli/chat/a.ts',
      `import '../../approval/b.ts';`,
      'between cli and approval is the network, but for what runs a gateway here',
    ],
    ['src/approval/a.ts', `import '@langchain/langgraph';`, 'the approval kernel knows no LangGraph'],
    ['src/approval/a.ts', `import { createServer } from 'node:http';`, 'the approval kernel has no HTTP server'],
    ['src/approval/a.ts', `import { Hono } from 'hono';`, 'the approval kernel has no HTTP server'],
    ['src/approval/a.ts', `import { serve } from '@hono/node-server';`, 'the approval kernel has no HTTP server'],
    ['src/approval/a.ts', `import '../net/http-server.ts';`, 'the approval kernel has no HTTP server'],
    [
      'src/trading/a.ts',
      `import { readFileSync } from 'node:fs';`,
      'the vocabulary is pure: it reads, sends and keeps nothing',
    ],
    [
      'src/trading/a.ts',
      `import Database from 'better-sqlite3-multiple-ciphers';`,
      'the vocabulary is pure: it reads, sends and keeps nothing',
    ],
    [
      'src/agent/graph/a.ts',
      `import '../run/b.ts';`,
      'inside src/agent imports go down: run, graph, model, planner, reader',
    ],
    [
      'src/agent/planner/a.ts',
      `import type { B } from '../model/b.ts';`,
      'inside src/agent imports go down: run, graph, model, planner, reader',
    ],
  ])('%s with %s', (file, text, rule) => {
    expect(broken({ [file]: text })).toEqual([expect.stringMatching(new RegExp(`: ${rule}$`))]);
  });

  it('a circle, also one of types alone and one that closes at first use', () => {
    expect(
      broken({
        'src/net/a.ts': `import type { B } from './b.ts';`,
        'src/net/b.ts': `export { c } from './c.ts';`,
        'src/net/c.ts': `const a = () => import('./a.ts');`,
        'src/net/d.ts': `import './a.ts';`,
      }),
    ).toEqual(['src/net/a.ts imports src/net/b.ts: no circles: src/net/a.ts, src/net/b.ts, src/net/c.ts']);
  });

  it('nothing wrong with what goes down, within a folder, or to a gateway that is run here', () => {
    expect(
      broken({
        'src/cli/commands/gateway/a.ts': `import '../../../gateway/b.ts'; import 'ink'; import './b.ts';`,
        'src/app/gateway/a.ts': `import '../../gateway/b.ts'; import '../../approval/b.ts';`,
        'src/agent/run/a.ts': `import '../graph/b.ts'; import '../../tools/b.ts'; import '@langchain/langgraph';`,
        'src/approval/a.ts': `import '../store/b.ts'; import 'node:crypto'; import '../net/bounded-fetch.ts';`,
        'src/trading/a.ts': `import { z } from 'zod'; import { Decimal } from 'decimal.js'; import { createHash } from 'node:crypto'; import './b.ts';`,
      }),
    ).toEqual([]);
  });
});
