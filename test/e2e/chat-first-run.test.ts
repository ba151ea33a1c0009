import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readReadyFile } from '../../src/sandbox/ready-file.ts';
import { openFileStore } from '../../src/secrets/file/file-store.ts';
import { loadModelKey } from '../../src/secrets/model-key.ts';
import { frame, hasTmux, openTerminal, type Terminal } from './tmux.ts';

function start(folder: string): Terminal {
  const home = { HOME: folder, TRADE_AGENT_HOME: join(folder, 'agent') };
  return openTerminal({ env: { PATH: process.env.PATH, ...home } });
}

/** A home for one test; the sandbox that is started there ends with it. */
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ta-first-'));
  onTestFinished(async () => {
    const sandbox = readReadyFile(join(folder, 'agent-sandbox', 'ready.json'));
    if (sandbox !== undefined) {
      process.kill(sandbox.pid, 'SIGTERM');
      await expect.poll(() => isRunning(sandbox.pid), { timeout: 10_000 }).toBe(false);
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return folder;
}

describe.skipIf(!hasTmux())('the first run', () => {
  it('asks where to trade and who answers, starts the sandbox, and asks neither again', async () => {
    const folder = newFolder();
    const terminal = start(folder);
    await terminal.shows(/Where do you want to trade\?[\s\S]*Choose \[1\]:/);
    await terminal.turn('9\n', /Type a number from 1 to 3/);
    await terminal.turn('1\n', /Which model do you want to use\?[\s\S]*Choose \[1\]:/);
    expect(frame(terminal.screen())).toMatchSnapshot('first run');
    terminal.press('Enter');
    await terminal.shows(/PAPER \(simulated\) · not signed in · \/help$/m);
    const config = readFileSync(join(folder, 'agent', 'config.yaml'), 'utf8');
    expect(config).toMatch(/default_profile: sandbox/);
    expect(config).toMatch(/provider: builtin/);
    terminal.press('C-c', 'C-c');
    await terminal.ended();

    const again = start(folder);
    await again.shows(/PAPER \(simulated\) · not signed in · \/help$/m);
    expect(again.everything()).not.toContain('Where do you want to trade?');
  });

  it('takes the key of the model’s server, shows it nowhere, and keeps it among the credentials', async () => {
    const folder = newFolder();
    const terminal = start(folder);
    await terminal.shows(/Where do you want to trade\?[\s\S]*Choose \[1\]:/);
    terminal.press('Enter');
    await terminal.shows(/Which model do you want to use\?[\s\S]*Choose \[1\]:/);
    await terminal.turn('2\n', /Model \[gpt-5-mini\]:/);
    terminal.press('Enter');
    await terminal.shows(/API key \(hidden/);
    await terminal.turn(
      'sk-planted-key\n',
      /not signed in · gpt-5-mini[\s\S]*PAPER \(simulated\) · not signed in · \/help$/m,
    );
    expect(terminal.everything()).not.toContain('sk-planted-key');
    expect(readFileSync(join(folder, 'agent', 'config.yaml'), 'utf8')).not.toContain('sk-planted-key');
    const store = openFileStore({ folder: join(folder, 'agent'), profile: 'sandbox' });
    expect(await loadModelKey(store, 'https://api.openai.com/v1')).toBe('sk-planted-key');
  });

  it('says how to add a provider of one’s own, and starts nothing', async () => {
    const folder = newFolder();
    const terminal = start(folder);
    await terminal.shows(/Choose \[1\]:/);
    terminal.type('3\n');
    const said = await terminal.ended();
    expect(said).toContain('trade-agent profile add NAME');
    expect(readReadyFile(join(folder, 'agent-sandbox', 'ready.json'))).toBeUndefined();
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
