import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { folderOfSuite } from '../folders.ts';
import { suiteWorld } from './suite-world.ts';
import type { World } from './world.ts';

const root = new URL('../..', import.meta.url).pathname;
const programs = ['1-knows-nobody', '2-tools', '3-sign-in', '4-connections', '5-approval', '6-limits', '7-your-agent'];
/** Lines that a program may have at most, so that it can be read at a glance. */
const MOST_LINES = 120;

/** In order, from an empty folder in which only the package is installed. */
describe('the workshop', () => {
  const folder = folderOfSuite();
  const world = suiteWorld({ login: false });
  beforeAll(() => {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(root, join(folder, 'node_modules/trade-agent'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module","private":true}');
    for (const name of programs) cpSync(join(root, 'docs/workshop', `${name}.ts`), join(folder, `${name}.ts`));
  });

  /** Runs a program; `when` it has said something, a person does something, once. */
  const run = (name: string, people: readonly [says: RegExp, does: (said: RegExpExecArray) => Promise<void>][] = []) =>
    new Promise<string>((resolve, reject) => {
      const [{ broker_key: key }] = world.seed.users as [World['seed']['users'][0]];
      const child = spawn(process.execPath, [`${name}.ts`], {
        cwd: folder,
        timeout: 50_000,
        env: {
          ...world.env,
          HOME: folder,
          TMPDIR: folder,
          ...(name === '2-tools' ? { APCA_API_KEY_ID: key.key_id, APCA_API_SECRET_KEY: key.secret } : {}),
        },
      });
      let said = '';
      let wrong = '';
      const waiting = [...people];
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString('utf8');
        const found = waiting[0]?.[0].exec(said);
        if (found) waiting.shift()?.[1](found).catch(reject);
      });
      child.stderr.on('data', (chunk: Buffer) => {
        wrong += chunk.toString('utf8');
      });
      child.once('error', reject);
      child.once('close', (code) =>
        code === 0 ? resolve(said) : reject(new Error(`${name} ended with ${code}:\n${said}${wrong}`)),
      );
    });
  const phone = async (...args: string[]) => {
    const { code, stderr } = await world.cli(['phone', ...args]);
    if (code !== 0) throw new Error(stderr);
  };
  const approves = () => phone('--decide', 'approve', '--once', '--timeout', '20s');

  it('has programs that can be read at a glance, each told of with what goes wrong without it', () => {
    const page = readFileSync(join(root, 'docs/workshop/README.md'), 'utf8');
    for (const name of programs) {
      const text = readFileSync(join(root, 'docs/workshop', `${name}.ts`), 'utf8');
      expect(text.split('\n').length).toBeLessThan(MOST_LINES);
      expect(text).toMatch(/^import \{[^}]+\} from 'trade-agent';$/m);
      expect(page).toContain(`node ${name}.ts`);
    }
    expect(page.match(/\*\*[Ww]ithout/g)?.length).toBeGreaterThanOrEqual(programs.length);
  });

  it('1: a chat that knows nobody can say nothing of anybody', async () => {
    const said = await run('1-knows-nobody');
    expect(said).toMatch(/> who am I\n.*sign/i);
    expect(said).not.toMatch(/\$\d/);
    expect(await world.book()).toEqual([]);
  });

  it('2: a tool with a key trades because a text says so', async () => {
    const said = await run('2-tools');
    expect(said).toMatch(/buy 3 AAPL now[\s\S]*bought: \S+\nNobody was asked\.\n$/);
    expect(await world.book()).toEqual([expect.objectContaining({ symbol: 'AAPL', qty: '3' })]);
  });

  it('3: who signs in on the phone is whose account it is', async () => {
    const said = await run('3-sign-in', [[/enter (\S+);/, async ([, code = '']) => phone('login', code)]]);
    expect(said).toMatch(/signed in: Alice[\s\S]*PA3ALICE01: \d+\.\d+ dollars\n/);
  });

  it('4: an account elsewhere is connected on the phone, and what is said there is asked for', async () => {
    const said = await run('4-connections', [
      [/compare/, approves],
      [/phone connect (\S+)\n/, async ([, ticket = '']) => phone('connect', ticket)],
    ]);
    expect(said).toMatch(/^Messages may be sent to #desk on Slack\..*\ncompare .*\n#desk is allowed: executed\n/);
    expect(said).toMatch(/Slack is not connected\nwithout it: /);
    expect(said).toMatch(/connected, for: .+\nrequested: compare [0-9A-Z]{4} with the phone\ncancelled\n$/);
  });

  it('5: an order is what the phone approved, once', async () => {
    const said = await run('5-approval', [[/compare/, approves]]);
    expect(said).toMatch(/at worst: Costs at most \$1,000\.00/);
    expect(said).toMatch(/the phone said: executed\nthe broker says: \w+, \d/);
    expect((await world.book()).map(({ qty }) => qty)).toEqual(['3', '2']);
  });

  it('6: rules refuse before the phone rings, a mandate lets small orders pass', async () => {
    const said = await run('6-limits', [[/compare/, approves]]);
    expect(said).toMatch(/refused, and the phone stays silent: /);
    expect(said).toMatch(/the mandate: executed\n\$20 within it: executed, nobody was asked\n/);
    expect(said).toMatch(/\$80, outside of it: requested; .*\ntaken back: cancelled\n$/);
  });

  it('7: another agent proposes over MCP, and its words are nobody’s', async () => {
    const said = await run('7-your-agent', [
      [/[Cc]ode [0-9A-Z]{4}/, () => phone('--decide', 'deny', '--once', '--timeout', '20s')],
    ]);
    expect(said).toMatch(/^\d\d tools, place_order among them\n.*[Cc]ode [0-9A-Z]{4}/);
    expect(said).toMatch(/\ndenied: .*\nasked by .*; where it is from: other\n$/);
    expect(await world.book()).toHaveLength(3);
  });
});
