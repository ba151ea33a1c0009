import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { folderOfTest } from '../folders.ts';
import { suiteWorld } from './suite-world.ts';

/** Commands that ask questions are in home-init.test.ts and home-phone.test.ts. */

const root = new URL('../..', import.meta.url).pathname;
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const typed = [...readme.matchAll(/npx trade-agent ([^`#\n]*[^`#\n ])/g)].map(([, args = '']) => args);

/** What comes of each where nobody is there to answer: what writes a file asks first. */
const outcomes: Readonly<Record<string, readonly [code: number | null, says: RegExp]>> = {
  'home init': [2, /--phone: is missing/],
  'home serve': [2, /there is no home here/],
  'order buy AAPL --qty 5 --limit 180 --approval detach --output json': [5, /"status":"requested"/],
  'approvals show ID': [0, /BUY 5 AAPL/],
  'schedule add --at close-30m --suggest': [2, /Pass --yes to skip the prompt/],
  'mcp install claude-code': [2, /this changes the settings of Claude Code/],
  web: [0, /http:\/\/127\.0\.0\.1:\d+\/#/],
};

const world = suiteWorld();
let proposal = '';

it('shows no command that is not found where it says so', () => {
  expect(readme.match(/(?<!npx )(?<![\w/-])trade-agent (?:home|order|run|resume|schedule|mcp|web)\b/g)).toBeNull();
  expect(typed.toSorted()).toEqual(Object.keys(outcomes).toSorted());
});

it.each(typed)('npx trade-agent %s', async (line) => {
  const [code, says] = outcomes[line] ?? [0, /./];
  const args = line.replace('ID', proposal).split(' ');
  if (line === 'web') {
    const running = world.start([...args, '--no-open'], { endless: true });
    await running.waitFor(says);
    running.child.kill('SIGINT');
    return expect((await running.finished).code).toBe(code);
  }
  const finished = await world.cli(args);
  const said = finished.stdout + finished.stderr;
  expect(finished.code, said).toBe(code);
  expect(said).toMatch(says);
  proposal = /"id":"(pr_[^"]+)"/.exec(finished.stdout)?.[1] ?? proposal;
});

it('npx trade-agent runs this very checkout, in a home where it never ran: nothing is built again', () => {
  const home = folderOfTest();
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const before = statSync(join(root, 'dist/main.js')).mtimeMs;
  const { status, stdout, stderr } = spawnSync('npx', ['trade-agent', '--version'], {
    cwd: root,
    encoding: 'utf8',
    timeout: 30_000,
    env: { PATH: process.env.PATH, HOME: home, npm_config_update_notifier: 'false' },
  });
  expect([status, stdout.trim()], stderr).toEqual([0, version]);
  expect(statSync(join(root, 'dist/main.js')).mtimeMs).toBe(before);
});
