import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeService } from '../../../../src/app/home/service.ts';

const options = {
  folder: '/var/lib/trade-agent/home',
  user: 'trade-agent',
  lowPort: false,
  userFolder: '/Users/ada',
};
const has = (command: string) => spawnSync(command, ['--version']).error === undefined;
/** What a checker says of a file of this content. */
function check(command: string, args: readonly string[], name: string, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-service-'));
  try {
    const file = join(folder, name);
    writeFileSync(file, content);
    const { status, stdout, stderr } = spawnSync(command, [...args, file], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    return `${status} ${stdout}${stderr}`.trim();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('a systemd unit', () => {
  it('is of a user of its own, who can write to the home and nowhere else', () => {
    const { content, commands, file } = describeService({ ...options, kind: 'systemd' });
    for (const line of [
      'User=trade-agent',
      'Type=notify',
      'NotifyAccess=all',
      'ProtectSystem=strict',
      'ProtectHome=yes',
      'PrivateTmp=yes',
      'NoNewPrivileges=yes',
      'StateDirectory=trade-agent',
      'CapabilityBoundingSet=',
      'UMask=0077',
    ]) {
      expect(content.split('\n')).toContain(line);
    }
    expect(content).toMatch(/^ExecStart=\S+ \S+trade-agent\.js home serve --home \/var\/lib\/trade-agent\/home$/m);
    expect(content).not.toContain('ReadWritePaths');
    expect(commands.join('\n')).toContain(`sudo tee ${file}`);
  });

  it('lets a home elsewhere be written to, and one at a low port listen there', () => {
    const { content } = describeService({ ...options, kind: 'systemd', folder: '/srv/home', lowPort: true });
    expect(content).toMatch(/^ReadWritePaths=\/srv$/m);
    expect(content).toMatch(/^AmbientCapabilities=CAP_NET_BIND_SERVICE$/m);
  });

  it.skipIf(!has('systemd-analyze'))('is one that systemd takes, whatever the folder is called', () => {
    for (const folder of [options.folder, '/srv/my $home/100%/"home"']) {
      const { content } = describeService({ ...options, kind: 'systemd', folder, user: userInfo().username });
      expect(check('systemd-analyze', ['verify'], 'trade-agent-home.service', content)).toBe('0');
    }
  });
});

describe('a launchd agent', () => {
  const { content, file } = describeService({
    ...options,
    kind: 'launchd',
    folder: '/Users/ada/my <home> & more',
  });

  it('is of whoever asks, and names the home', () => {
    expect(file).toBe('/Users/ada/Library/LaunchAgents/trade-agent.home.plist');
    expect(content).toContain('<string>/Users/ada/my &lt;home&gt; &amp; more</string>');
  });

  it.skipIf(!has('plutil'))('is one that macOS takes', () => {
    expect(check('plutil', ['-lint'], 'trade-agent.home.plist', content)).toMatch(/^0 .*OK$/);
  });
});

it.each([
  ['a folder that depends on where one stands', { folder: 'home' }, /must be an absolute path/],
  ['a folder with a line break', { folder: '/srv/a\nExecStart=/bin/sh' }, /must be an absolute path/],
  ['a user that is none', { user: 'a b' }, /is not a valid user name/],
])('%s is refused', (_, change, says) => {
  expect(() => describeService({ ...options, kind: 'systemd', ...change })).toThrowError(says);
});
