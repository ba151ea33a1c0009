import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunRecord } from '../../src/schedule/run-record.ts';
import { newYorkInstant } from '../../src/trading/new-york-time.ts';
import { folderOfSuite } from '../folders.ts';
import { fakeCrontab } from '../integration/schedule/fake-crontab.ts';
import { type CronMachine, cronMissing, openCronMachine } from './cron-machine.ts';
import { cronCommand } from './entry-command.ts';
import { createWorld, launcher, startCommand, type World } from './world.ts';
import { worldClock } from './world-clock.ts';

const ZONE = 'Australia/Lord_Howe';
const missing = cronMissing();
const inRealTime = process.env.REAL_CRON === '1';

const everything = folderOfSuite();

describe.skipIf(missing !== undefined)(`under Debian's cron${missing === undefined ? '' : ` (${missing})`}`, () => {
  const folder = join(everything, 'cron');
  mkdirSync(folder);
  // What an entry must say: blanks, a quote, and the percent sign that cron makes a line break of.
  const home = join(folder, "my agent's 100% home");
  const clock = worldClock(join(folder, 'clock'));
  const env = { ...clock.env, TZ: ZONE, TRADE_AGENT_HOME: home };
  const foreign = `# mine\nNODE_OPTIONS="${clock.env.NODE_OPTIONS}"\nWORLD_CLOCK=${clock.env.WORLD_CLOCK}\nTZ=${ZONE}\nMAILTO=""\n`;
  let world: World;
  let machine: CronMachine;

  beforeAll(async () => {
    clock.set(newYorkInstant('2026-11-27', '12:00'));
    world = await createWorld({ sandboxArgs: ['--market-hours', 'exchange'], env });
    await world.login();
    machine = openCronMachine(folder);
    machine.installCrontab(foreign);
  });
  afterAll(async () => {
    machine?.close();
    await world?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The program beside cron, as the user starts it; its crontab is the one cron reads. */
  const cli = (...args: string[]): Promise<{ schedule: { id: string }; written: { text: string }[] }> => {
    const [file, words] = machine.within([process.execPath, launcher, ...args, '--output', 'json']);
    return new Promise((resolve, reject) => {
      const child = spawn(file, words, {
        env: { ...world.env, HOME: folder },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let out = '';
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString();
      });
      child.once('close', (code) => (code === 0 ? resolve(JSON.parse(out)) : reject(new Error(out))));
    });
  };
  const add = async (name: string, ...timing: string[]) => {
    const rules = join(folder, `${name}.yaml`);
    writeFileSync(rules, `rules:\n  - {name: ${name}, kind: price, symbol: AAPL, above: 1}\n`);
    const { schedule, written } = await cli(
      'schedule',
      'add',
      ...timing,
      ...['--rules', rules, '--with', 'cron', '--yes'],
    );
    return { id: schedule.id, entry: written[0]?.text ?? '' };
  };
  const runs = (id: string): RunRecord[] => {
    try {
      return JSON.parse(readFileSync(join(home, 'schedules', `${id}.runs.json`), 'utf8')).runs;
    } catch {
      return [];
    }
  };
  const ended = (id: string) => runs(id).filter(({ ended_at }) => ended_at !== null).length;

  it('on a half-day, by a fast clock: each schedule fires at its minute, once, in a zone far away', async () => {
    // Cron's clock and the world's go thirty times as fast: a minute in two seconds.
    const byCron = await add('by-cron', '--cron', '26 12 * * FRI');
    const byEdge = await add('by-edge', '--at', 'close-30m');
    expect(machine.crontab()).toBe(foreign + byCron.entry + byEdge.entry);
    // 12:25:40 in New York. A second ahead of cron's, which must not come before its time.
    clock.set(newYorkInstant('2026-11-27', '12:25') + 41_000, 30);
    machine.startCron(ZONE, { at: '2026-11-28 04:25:40', rate: 30 });
    await expect.poll(() => ended(byEdge.id), { timeout: 40_000, interval: 100 }).toBe(1);
    const at = (wall: string) => new Date(newYorkInstant('2026-11-27', wall)).toISOString();
    const expected = (wall: string, rule: string) => [
      { due: at(wall), status: 'found', exit_code: 3, missed: 0, attempt: 1, findings: [{ rule }] },
    ];
    expect(runs(byCron.id)).toMatchObject(expected('12:26', 'by-cron'));
    expect(runs(byEdge.id)).toMatchObject(expected('12:30', 'by-edge'));

    await cli('schedule', 'remove', byCron.id);
    expect(machine.crontab()).toBe(foreign + byEdge.entry);
    await cli('schedule', 'remove', byEdge.id);
    expect(machine.crontab()).toBe(foreign);
  });

  it.runIf(inRealTime)(
    'by the real clock (npm run test:cron): fires each minute, and the rule fires once',
    async () => {
      machine.close();
      machine = openCronMachine(mkdtempSync(join(folder, 'real-')));
      machine.installCrontab(foreign);
      clock.set(Date.now());
      const { id } = await add('each-minute', '--cron', '* * * * *');
      machine.startCron(ZONE);
      await expect.poll(() => ended(id), { timeout: 130_000, interval: 250 }).toBe(2);
      expect(runs(id)).toMatchObject([
        { status: 'found', missed: 0, findings: [{ rule: 'each-minute' }] },
        { status: 'clear', missed: 0, findings: [] },
      ]);
      for (const { due, started_at } of runs(id)) {
        expect(Date.parse(started_at) - Date.parse(due ?? '')).toBeLessThan(15_000);
      }
    },
    150_000,
  );
});

describe('with the session in a file, no keychain, no HOME and no terminal', () => {
  const folder = join(everything, 'bare');
  const env = { TRADE_AGENT_REFRESH_TOKEN_FILE: join(folder, 'session'), PATH: fakeCrontab(folder).path };
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ env });
    await world.login();
  });
  afterAll(async () => {
    await world?.close();
  });

  it('the entry’s command line runs the check', async () => {
    writeFileSync(join(folder, 'rules.yaml'), 'rules:\n  - {name: seen, kind: price, symbol: AAPL, above: 1}\n');
    const added = await world.cli(
      ['schedule', 'add', '--cron', '* * * * *', '--rules', 'rules.yaml', '--yes', '--output', 'json'],
      { cwd: folder },
    );
    const { schedule, written } = JSON.parse(added.stdout);
    const file = join(world.agentHome, 'schedules', `${schedule.id}.json`);
    const stored = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...stored, created_at: new Date(Date.now() - 120_000).toISOString() }));

    const { file: shell, args, env: bare } = cronCommand(written[0].text, schedule.id);
    const { HOME: _, ...withoutHome } = bare;
    const child = spawnSync(shell, args, { env: withoutHome, cwd: '/', encoding: 'utf8', timeout: 30_000 });
    expect(child.stdout, child.stderr).toContain('[seen]');
    expect(child.status).toBe(3);
    // No token stands in the entry or in what is kept of the run.
    const session = readFileSync(env.TRADE_AGENT_REFRESH_TOKEN_FILE, 'utf8');
    const { refresh_token } = JSON.parse(session) as { refresh_token: string };
    expect(refresh_token.length).toBeGreaterThan(20);
    const kept = readFileSync(file, 'utf8') + readFileSync(file.replace('.json', '.runs.json'), 'utf8');
    expect(kept + written[0].text).not.toContain(refresh_token);
  });
});

describe('with an empty HOME, as some machines start programs', () => {
  it('the user’s folders are still the user’s', async () => {
    const env = { HOME: '', TRADE_AGENT_LOG: 'off' };
    const { stdout } = await startCommand(['config', 'path'], { env }).finished;
    expect(stdout).toMatch(/^\/.*config\.yaml\n$/);
  });
});
