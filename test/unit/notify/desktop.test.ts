import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createDesktopNotifier,
  desktopNotificationCommand,
  desktopNotifierEnvironment,
} from '../../../src/notify/desktop.ts';
import { folderOfSuite } from '../../folders.ts';

const evil = {
  title: '--help\u0000\u001b[2J"; do shell script "x',
  body: '-e $(touch /tmp/x) `id` \\u0041 <a href="x">&</a>\u202e\r\nsecond line',
  severity: 'critical',
  type: 'finding',
} as const;

const folder = folderOfSuite();

describe('a desktop notice', () => {
  it('never holds a control character, and comes after the end of the options', () => {
    for (const platform of ['linux', 'darwin'] as const) {
      const { args } = desktopNotificationCommand(evil, platform);
      const end = args.indexOf('--');
      expect(args).toHaveLength(end + 3);
      const [title = '', body = ''] = args.slice(end + 1);
      expect(title).toBe('--help"; do shell script "x');
      for (const character of title + body) {
        const code = character.codePointAt(0) ?? 0;
        expect(code === 10 || (code >= 32 && code !== 127 && code !== 0x202e)).toBe(true);
      }
    }
  });

  it('is no markup and no escape for notify-send', () => {
    const { args } = desktopNotificationCommand(evil, 'linux');
    expect(args.at(-1)).toBe('-e $(touch /tmp/x) `id` \\\\u0041 &lt;a href="x"&gt;&amp;&lt;/a&gt;\nsecond line');
  });

  it('is data for AppleScript and PowerShell, whose scripts are the same for all', () => {
    const mac = desktopNotificationCommand(evil, 'darwin');
    expect(mac.program).toBe('osascript');
    expect(mac.args.slice(0, 6)).toEqual(
      desktopNotificationCommand({ ...evil, title: 'a', body: 'b' }, 'darwin').args.slice(0, 6),
    );
    const windows = desktopNotificationCommand(evil, 'win32');
    expect(windows.args).toEqual(desktopNotificationCommand({ ...evil, title: 'a', body: 'b' }, 'win32').args);
    expect(JSON.parse(windows.input ?? '')).toMatchObject({ title: '--help"; do shell script "x' });
    const script = Buffer.from(windows.args.at(-1) ?? '', 'base64').toString('utf16le');
    expect(script).toContain('CreateTextNode($notice.title)');
  });

  it('gets the session’s bus under cron, and nothing of the environment beside what it needs', () => {
    const runtime = join(folder, 'runtime');
    mkdirSync(runtime);
    writeFileSync(join(runtime, 'bus'), '');
    const env = desktopNotifierEnvironment(
      { PATH: '/bin', HOME: '/h', XDG_RUNTIME_DIR: runtime, TRADE_AGENT_HOME: '/x', AWS_SECRET: 'x' },
      'linux',
    );
    expect(env).toEqual({
      PATH: '/bin',
      HOME: '/h',
      XDG_RUNTIME_DIR: runtime,
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(runtime, 'bus')}`,
    });
  });

  it('that hangs is killed', async () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    const pidFile = join(folder, 'pid');
    writeFileSync(
      join(bin, 'notify-send'),
      `#!/bin/sh\necho $$ > ${pidFile}.new\n/bin/mv ${pidFile}.new ${pidFile}\nexec /bin/sleep 60\n`,
      {
        mode: 0o755,
      },
    );
    const stop = new AbortController();
    const sent = createDesktopNotifier({ PATH: bin }, 'linux')({ ...evil, id: 'nt_1', at: '', data: {} }, stop.signal);
    const { existsSync, readFileSync } = await import('node:fs');
    while (!existsSync(pidFile)) await new Promise((resolve) => setImmediate(resolve));
    stop.abort(new Error('too late'));
    await expect(sent).rejects.toThrow('too late');
    const pid = Number(readFileSync(pidFile, 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it.runIf(process.platform === 'darwin')('compiles as AppleScript', () => {
    const { args } = desktopNotificationCommand({ ...evil, title: 'test', body: 'test' }, 'darwin');
    execFileSync('osascript', [...args]);
  });
});
