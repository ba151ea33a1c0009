import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { crontabBlock } from '../../../src/schedule/crontab.ts';
import { type CliWorld, openCliWorld } from '../cli/cli-world.ts';
import { type FakeCrontab, fakeCrontab } from './fake-crontab.ts';

let world: CliWorld;
let crontab: FakeCrontab;
const env = () => ({ PATH: crontab.path, XDG_CONFIG_HOME: join(world.folder, 'config') });
const run = (args: string[], options: { tty?: boolean; stdin?: string } = {}) =>
  world.run(['schedule', ...args], { ...options, env: env() });
const json = async (args: string[]) => {
  const { exitCode, stdout, stderr } = await run([...args, '--output', 'json']);
  return { exitCode, stderr, result: JSON.parse(stdout) };
};
const schedules = () => {
  const folder = join(world.folder, 'agent', 'schedules');
  return existsSync(folder) ? readdirSync(folder).filter((name) => /^s.*\.json$/.test(name)) : [];
};

/** Lines of others, one of them in no encoding that anybody knows. */
const foreign = Buffer.concat([
  Buffer.from('MAILTO=me@example.com\n# backup \xb5\n', 'latin1'),
  Buffer.from('5 4 * * *  echo "100\\%"  \n\n'),
]);

beforeAll(async () => {
  world = await openCliWorld();
  crontab = fakeCrontab(world.folder);
});
afterAll(() => world.close());
beforeEach(() => {
  crontab.write(foreign);
  crontab.refuse('nothing');
  crontab.systemctl.fail(false);
});

describe('schedule add and remove', () => {
  it('write the very entry they show, and take out just that', async () => {
    const { result } = await json(['add', '--cron', '30 9 * * 1-5', '--name', 'morning', '--yes']);
    const { schedule, written } = result;
    expect(crontab.read()).toEqual(Buffer.concat([foreign, Buffer.from(written[0].text)]));
    expect(written[0].text).toContain(` schedule run ${schedule.id}\n`);
    expect(written[0].text).toContain(process.execPath);
    expect(schedule.entry).toBe('installed');
    const file = join(world.folder, 'agent', 'schedules', `${schedule.id}.json`);
    expect(statSync(file).mode & 0o777).toBe(0o600);

    expect((await json(['remove', 'morning'])).result).toEqual({
      ...{ schema: 'trade-agent.schedule-removed/1', id: schedule.id, entry_removed: true },
    });
    expect(crontab.read()).toEqual(foreign);
    expect(schedules()).toEqual([]);
    expect((await run(['remove', 'morning'])).exitCode).toBe(2);
  });

  it('leave no crontab behind where there was none', async () => {
    execFileSync('crontab', ['-r'], { env: { PATH: crontab.path } });
    const { result } = await json(['add', '--cron', '@daily', '--yes']);
    expect(crontab.read()?.toString()).toBe(result.written[0].text);
    await run(['remove', result.schedule.id]);
    expect(crontab.read()).toBeUndefined();
  });

  it('show the entry and touch nothing with --dry-run', async () => {
    const { stdout, exitCode } = await run(['add', '--cron', '@daily', '--dry-run']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/At the end of your crontab:\n# trade-agent schedule s\w{6} begins/);
    expect(crontab.read()).toEqual(foreign);
    expect(schedules()).toEqual([]);
  });

  it('write nothing without a yes: from nobody, or from the person', async () => {
    const nobody = await run(['add', '--cron', '@daily']);
    expect(nobody.exitCode).toBe(2);
    expect(nobody.stderr).toContain('--yes');
    const no = await run(['add', '--cron', '@daily'], { tty: true, stdin: 'n\n' });
    expect(no.exitCode).toBe(130);
    expect(no.stderr).toContain('schedule run s');
    expect(crontab.read()).toEqual(foreign);
    const yes = await run(['add', '--cron', '@daily'], { tty: true, stdin: 'y\n' });
    expect(yes.exitCode).toBe(0);
    const [file = ''] = schedules();
    expect(crontab.read()?.includes(`schedule run ${file.replace('.json', '')}`)).toBe(true);
    await run(['remove', file.replace('.json', '')]);
  });

  it('write nothing over a crontab that can’t be read', async () => {
    crontab.refuse('reading');
    const { exitCode, stderr } = await run(['add', '--cron', '@daily', '--yes']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('You (me) are not allowed to use this program');
    crontab.refuse('nothing');
    expect(crontab.read()).toEqual(foreign);
    expect(schedules()).toEqual([]);
  });

  it('keep no schedule whose entry could not be written', async () => {
    crontab.refuse('writing');
    const { exitCode, stderr } = await run(['add', '--cron', '@daily', '--yes']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("can't install");
    expect(schedules()).toEqual([]);
  });

  it('keep a schedule whose entry can’t be taken out, and say why', async () => {
    const { result } = await json(['add', '--cron', '@daily', '--yes']);
    const { id } = result.schedule;
    crontab.write(Buffer.concat([foreign, Buffer.from(result.written[0].text.replace(/# .* ends\n/, ''))]));
    const { exitCode, stderr } = await run(['remove', id]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('crontab -e');
    expect((await json(['list'])).result.schedules).toMatchObject([{ id, entry: 'missing' }]);
    crontab.write(foreign);
    expect((await json(['remove', id])).result.entry_removed).toBe(false);
  });

  it('take out an entry whose schedule is lost', async () => {
    crontab.write(Buffer.concat([foreign, Buffer.from(crontabBlock('slost', bare('/x'), [0]))]));
    expect((await run(['remove', 'slost'])).exitCode).toBe(0);
    expect(crontab.read()).toEqual(foreign);
  });

  it.each([
    [['--cron', '61 * * * *'], 'not a valid minute'],
    [['--at', 'close-30'], 'Did you mean "close-30m"?'],
    [[], 'either --cron or --at'],
    [['--cron', '@daily', '--at', 'open'], 'either --cron or --at'],
    [['--cron', '@daily', '--name', 'My Check'], 'lowercase letters'],
    [['--cron', '@daily', '--report', '/no/such/folder/r.html'], 'no folder /no/such/folder'],
    [['--cron', '@daily', '--rules', 'nowhere.yaml'], 'nowhere.yaml'],
    [['--cron', '@daily', '--with', 'crn'], 'Did you mean cron?'],
  ])('refuse %j before anything is written', async (args, told) => {
    const { exitCode, stderr } = await run(['add', ...args, '--yes']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(told);
    expect(crontab.read()).toEqual(foreign);
  });

  it('need a calendar for a moment of the trading day, so somebody signed in', async () => {
    const { exitCode } = await run(['add', '--at', 'close-30m', '--yes']);
    expect(exitCode).toBe(4);
    expect(crontab.read()).toEqual(foreign);
  });

  it('refuse a name that is taken', async () => {
    const { result } = await json(['add', '--cron', '@daily', '--name', 'twice', '--yes']);
    expect((await run(['add', '--cron', '@daily', '--name', 'twice', '--yes'])).exitCode).toBe(2);
    await run(['remove', result.schedule.id]);
  });
});

const bare = (script: string) => ({ node: '/usr/bin/node', script, args: [], environment: {} });

describe('an entry of odd paths', () => {
  it('starts just that, after cron and the shell have read it', () => {
    const folder = join(world.folder, `o'dd 100% $HOME "q" \`x\``);
    mkdirSync(folder);
    const script = join(folder, 'script.js');
    writeFileSync(
      script,
      'console.log(JSON.stringify({ argv: process.argv.slice(2), home: process.env.TRADE_AGENT_HOME }))',
    );
    const block = crontabBlock(
      's1',
      {
        node: process.execPath,
        script,
        args: ['schedule', 'run', 's1'],
        environment: { TRADE_AGENT_HOME: folder },
      },
      [0],
    );
    const entry = block.split('\n')[1]?.replace('0 * * * * ', '') ?? '';
    // crontab(5): an unescaped percent sign ends the command; an escaped one is itself.
    const command = (/^(?:\\.|[^%\\])*/.exec(entry)?.[0] ?? '').replaceAll('\\%', '%');
    const { stdout, stderr } = spawnSync('/bin/sh', ['-c', command], { env: {}, encoding: 'utf8' });
    expect(JSON.parse(stdout || stderr)).toEqual({ argv: ['schedule', 'run', 's1'], home: folder });
  });
});

describe('a systemd user timer', () => {
  const units = () => join(world.folder, 'config', 'systemd', 'user');
  const unitFiles = () => (existsSync(units()) ? readdirSync(units()) : []);

  it('is two files of its own, loaded and started; removing takes just these', async () => {
    mkdirSync(units(), { recursive: true });
    writeFileSync(join(units(), 'mine.service'), '[Unit]\n');
    const { result, stderr } = await json(['add', '--cron', '30 9 * * 1-5', '--with', 'systemd', '--yes']);
    const { id } = result.schedule;
    expect(stderr).toContain('enable-linger');
    expect(result.written.map(({ file }: { file: string }) => file)).toEqual([
      join(units(), `trade-agent-${id}.service`),
      join(units(), `trade-agent-${id}.timer`),
    ]);
    for (const { file, text } of result.written) expect(readFileSync(file, 'utf8')).toBe(text);
    // Findings, and orders that wait or were turned down, are no failure of the unit.
    expect(result.written[0].text).toContain('\nSuccessExitStatus=3 5 6 7\n');
    expect(crontab.systemctl.calls()).toEqual(['--user daemon-reload', `--user enable --now trade-agent-${id}.timer`]);
    expect((await json(['list'])).result.schedules).toMatchObject([{ id, entry: 'installed' }]);
    await run(['remove', id]);
    expect(unitFiles()).toEqual(['mine.service']);
    expect(crontab.systemctl.calls()).toContain(`--user disable --now trade-agent-${id}.timer`);
  });

  it('leaves nothing behind where systemd does not take it', async () => {
    crontab.systemctl.fail(true);
    const { exitCode, stderr } = await run(['add', '--cron', '@daily', '--with', 'systemd', '--yes']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Failed to connect to bus');
    expect(unitFiles()).toEqual(['mine.service']);
    expect(schedules()).toEqual([]);
  });

  it('never takes away a file that somebody else put in its place', async () => {
    const { result } = await json(['add', '--cron', '@daily', '--with', 'systemd', '--yes']);
    const { id } = result.schedule;
    const timer = join(units(), `trade-agent-${id}.timer`);
    writeFileSync(timer, '[Timer]\n# somebody’s own\n');
    const { exitCode, stderr } = await run(['remove', id]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('was not written by trade-agent');
    expect(readFileSync(timer, 'utf8')).toContain('somebody’s own');
    writeFileSync(timer, result.written[1].text);
    expect((await run(['remove', id])).exitCode).toBe(0);
  });

  it.skipIf(!existsSync('/usr/bin/systemd-analyze'))(
    'is taken by systemd-analyze, where the machine has it',
    async () => {
      const { result } = await json(['add', '--cron', '30 9 * * 1-5', '--with', 'systemd', '--yes']);
      const [service, timer] = result.written as { file: string; text: string }[];
      const files = [service?.file ?? '', timer?.file ?? ''];
      const { status, stderr } = spawnSync('/usr/bin/systemd-analyze', ['verify', '--man=no', ...files], {
        encoding: 'utf8',
        env: { PATH: process.env.PATH, SYSTEMD_UNIT_PATH: `${units()}:` },
      });
      const about = stderr.split('\n').filter((line) => line.includes(result.schedule.id));
      expect({ status, about }).toEqual({ status: 0, about: [] });
      const calendar = /OnCalendar=(.*)/.exec(timer?.text ?? '')?.[1] ?? '';
      const normalized = execFileSync('/usr/bin/systemd-analyze', ['calendar', calendar], {
        encoding: 'utf8',
      });
      expect(normalized).toContain('*-*-* *:00,15,30,45:00');
      await run(['remove', result.schedule.id]);
    },
  );
});
