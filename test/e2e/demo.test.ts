import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { folderOfSuite } from '../folders.ts';
import { hasTmux, openTerminal } from './tmux.ts';
import { launcher, startCommand } from './world.ts';

const folder = folderOfSuite();

describe('the demo without a terminal', () => {
  it('shows login, portfolio, proposal, a closed terminal, approval and fill within 30 seconds, and leaves nothing', async () => {
    const started = performance.now();
    const { code, stdout, stderr } = await startCommand(['demo'], { env: { HOME: folder, TMPDIR: folder } }).finished;
    expect(code, stdout + stderr).toBe(0);
    expect(performance.now() - started).toBeLessThan(30_000);

    const steps = [
      /trade-agent login/,
      /[A-Z0-9]{4}-[A-Z0-9]{4}/,
      /Alice Adams/,
      /show my portfolio/,
      /MSFT/,
      /trade-agent run "buy 5 AAPL"/,
      /Approval needed/,
      /BUY 5 AAPL/,
      /The terminal is closed/,
      /approving it still places the order, even without this terminal/,
      /no part of the agent is running/,
      /phone --user alice --decide approve --once/,
      // The simulated broker may fill it in parts.
      /approved [0-9A-Z]{4}: filled (\d of )?5 at \$/,
      /trade-agent resume th_/,
      /Bought 5 AAPL at/,
      /trade-agent orders/,
      /BUY +5 +AAPL/,
      /gateway’s audit log/,
      /proposed[\s\S]*requested[\s\S]*approved[\s\S]*executing[\s\S]*executed/,
    ];
    let rest = stdout;
    for (const step of steps) {
      expect(rest).toMatch(step);
      rest = rest.slice(rest.search(step));
    }
    expect(stdout).not.toMatch(/\*\*|\| ---/);
    expect(readdirSync(folder).filter((name) => name.startsWith('trade-agent-demo-'))).toEqual([]);
  });
});

describe.skipIf(!hasTmux())('the demo in a terminal', () => {
  it('has the person approve once the run is hung up on, tells of the fill, and hands over to the chat', async () => {
    const terminal = openTerminal({
      args: ['demo'],
      env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder },
      columns: 80,
      rows: 50,
    });
    await terminal.shows(/2\. The portfolio/);
    await terminal.shows(/4\. The terminal is closed/);
    await terminal.shows(/Set up a browser[\s\S]*press Enter to approve/);
    terminal.press('Enter');
    await terminal.shows(/7\. The gateway’s audit log/);
    await terminal.shows(/Your turn: the chat[\s\S]*\/help$/m);
    expect(terminal.everything()).toMatch(/approved [0-9A-Z]{4}: filled (\d of )?5 at/);
    expect(terminal.everything()).toMatch(/Bought 5 AAPL at/);
    // Wrapped at words.
    expect(terminal.everything()).toMatch(/all on this\nmachine\. No real money\.\n/);
    await terminal.turn('buy 1 KO\n', /waiting for your phone[\s\S]*BUY 1 KO/);
    terminal.type('/quit\n');
    const [, end = ''] = (await terminal.ended()).split('Your turn: the chat');
    expect(end).toMatch(/Still pending: BUY 1 KO[\s\S]*the demo has deleted its sandbox/);
    expect(end).not.toContain('resume with');
  });

  it('is joined by another terminal that does as it says, whose phone approves and whose resume tells', async () => {
    const terminal = openTerminal({
      args: ['demo'],
      env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder },
      // The line to type is read off the screen: wide enough for it whole, wherever temporary folders are.
      columns: 300,
      rows: 50,
    });
    await terminal.shows(/press Enter to approve/);
    const [, line = ''] = /^ +(export TRADE_AGENT_HOME=.*)$/m.exec(terminal.everything()) ?? [];
    const [, resume = ''] = /resume with: trade-agent (resume th_\w+)/.exec(terminal.everything()) ?? [];
    const second = (command: string) =>
      execFileSync('sh', ['-c', `${line} && exec "$0" "$1" ${command}`, process.execPath, launcher], {
        env: { PATH: process.env.PATH, HOME: folder, LANG: 'C.UTF-8' },
        encoding: 'utf8',
        timeout: 20_000,
      });
    expect(second('phone --decide approve --once')).toMatch(/approved [0-9A-Z]{4}/);
    await terminal.shows(/Your turn: the chat[\s\S]*\/help$/m);
    expect(second(resume)).toMatch(/BUY 5 AAPL|bought 5 AAPL/i);
    terminal.type('/quit\n');
    await terminal.ended();
  });
});
