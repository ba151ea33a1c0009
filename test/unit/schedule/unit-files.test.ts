import { describe, expect, it } from 'vitest';
import { launchdAgentPlist } from '../../../src/schedule/launchd-agent.ts';
import { systemdServiceUnit, systemdTimerUnit } from '../../../src/schedule/systemd-timer.ts';

const command = {
  node: '/usr/bin/node',
  script: '/my files/100% $x/"q".js',
  args: ['schedule', 'run', 's1'],
  environment: { TRADE_AGENT_HOME: '/a & b <c> $d 5%' },
};

describe('a systemd user timer', () => {
  it('starts the program by its whole path, with all that systemd would expand escaped', () => {
    const unit = systemdServiceUnit('s1', command, 600_000, []);
    expect(unit).toContain('ExecStart=/usr/bin/node "/my files/100%% $$x/\\"q\\".js" schedule run s1\n');
    expect(unit).toContain('Environment="TRADE_AGENT_HOME=/a & b <c> $d 5%%"\n');
  });

  it('ends a run that does not end itself, a minute after it should have', () => {
    expect(systemdServiceUnit('s1', command, 600_000, [])).toContain('TimeoutStartSec=660\n');
  });

  it('takes findings and pending approvals for success', () => {
    const results = [
      { code: 3, meaning: 'found' },
      { code: 5, meaning: 'pending' },
    ];
    const unit = systemdServiceUnit('s1', command, 1000, results);
    expect(unit).toContain('\n# 3: found; 5: pending\nSuccessExitStatus=3 5\n');
  });

  it('wakes at the minutes, every hour, to the second, also after the machine was off', () => {
    const timer = systemdTimerUnit('s1', [5, 20, 35, 50]);
    expect(timer).toContain('OnCalendar=*-*-* *:05,20,35,50:00\n');
    expect(timer).toContain('AccuracySec=1s\nPersistent=true\n');
    expect(
      systemdTimerUnit(
        's1',
        Array.from({ length: 60 }, (_, minute) => minute),
      ),
    ).toContain('OnCalendar=*-*-* *:*:00\n');
  });
});

describe('a launchd agent', () => {
  const plist = launchdAgentPlist('trade-agent.schedule.s1', 's1', command, [5, 35]);

  it('has each word, escaped for XML', () => {
    const strings = [...plist.matchAll(/<string>(.*)<\/string>/g)].map(([, text]) => text);
    expect(strings).toEqual([
      'trade-agent.schedule.s1',
      '/usr/bin/node',
      '/my files/100% $x/"q".js',
      'schedule',
      'run',
      's1',
      '/a &amp; b &lt;c&gt; $d 5%',
      'Background',
    ]);
  });

  it('wakes at each of the minutes', () => {
    const minutes = [...plist.matchAll(/<key>Minute<\/key>\s*<integer>(\d+)<\/integer>/g)].map(([, text]) => text);
    expect(minutes).toEqual(['5', '35']);
  });

  it('is well-formed: every element is closed in its order', () => {
    const open: string[] = [];
    for (const [, close, name = ''] of plist.matchAll(/<(\/?)([a-z]+)(?: [^>]*)?>/g)) {
      if (close === '') open.push(name);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
  });
});
