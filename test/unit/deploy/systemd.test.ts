import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeService } from '../../../src/app/home/service.ts';
import { optionsOf } from './typed-command.ts';

const folder = new URL('../../../deploy/systemd', import.meta.url).pathname;
const units = globSync('*.service', { cwd: folder })
  .sort()
  .map((name) => ({ name, lines: readFileSync(join(folder, name), 'utf8').split('\n') }));
const setting = (lines: readonly string[], key: string) =>
  lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1) ?? '';
const has = (command: string) => spawnSync(command, ['--version']).error === undefined;

/** What "trade-agent home service" writes into a unit, without what differs by service. */
const hardening = describeService({
  kind: 'systemd',
  folder: '/var/lib/trade-agent/home',
  user: 'trade-agent',
  lowPort: false,
  userFolder: '/root',
})
  .content.split('\n')
  .filter((line) => /^[A-Z]\w+=/.test(line))
  .filter((line) => !/^(Description|After|User|Group|ExecStart|StateDirectory)=/.test(line));

describe('systemd units', () => {
  it('are of each long-running command', () => {
    expect(units.map(({ name }) => name)).toEqual(
      ['gateway', 'home', 'server', 'worker'].map((name) => `trade-agent-${name}.service`),
    );
  });

  it.each(units)('$name has the protection of "home service", and bounds its memory', ({ lines }) => {
    expect(lines).toEqual(expect.arrayContaining(hardening));
    expect(setting(lines, 'MemoryMax')).toMatch(/^\d+G$/);
    expect(setting(lines, 'StateDirectory')).toBe(setting(lines, 'User'));
    // Only files: what is in a unit or its environment everybody can read.
    for (const line of lines) expect(line).not.toMatch(/^(Environment|SetCredential)=/);
  });

  it.each(units)('$name runs a command that there is, in a folder that it may write to', async ({ name, lines }) => {
    const [env, program, ...words] = setting(lines, 'ExecStart').split(' ');
    const at = words.indexOf('--home');
    expect([env, program]).toEqual(['/usr/bin/env', 'trade-agent']);
    expect(words[at + 1]).toMatch(new RegExp(`^/var/lib/${setting(lines, 'StateDirectory')}(/|$)`));
    expect(await optionsOf(words.slice(0, at).join(' ')), name).toContain('--home');
  });

  it('run a server as another user than a gateway, and create both', () => {
    const users = readFileSync(join(folder, 'trade-agent.sysusers.conf'), 'utf8');
    const user = (service: string) =>
      setting(units.find(({ name }) => name === `trade-agent-${service}.service`)?.lines ?? [], 'User');
    expect(user('gateway')).not.toBe(user('server'));
    for (const { lines } of units)
      expect(users).toMatch(new RegExp(`^u ${setting(lines, 'User')} .* /var/lib/${setting(lines, 'User')}$`, 'm'));
  });

  it.skipIf(!has('systemd-analyze'))('are taken by systemd', () => {
    const copies = mkdtempSync(join(tmpdir(), 'trade-agent-units-'));
    try {
      // The users are created on the machine that the units are for.
      const files = units.map(({ name, lines }) => {
        const text = lines.join('\n').replaceAll(/^(User|Group)=.*$/gm, `User=${userInfo().username}`);
        writeFileSync(join(copies, basename(name)), text);
        return join(copies, basename(name));
      });
      const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', ...files], {
        encoding: 'utf8',
        timeout: 20_000,
      });
      expect(`${status} ${stdout}${stderr}`.trim()).toBe('0');
    } finally {
      rmSync(copies, { recursive: true });
    }
  });
});
