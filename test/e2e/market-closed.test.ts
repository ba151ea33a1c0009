import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPhoneClient } from '../../src/home/phone/phone-client.ts';
import { systemClock } from '../../src/machine/clock.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { type CommandOptions, startCommand } from './world.ts';

/** A sandbox in which it is always Sunday noon in New York, give or take the seconds a test takes. */
const sunday = Date.parse('2026-11-22T17:00:00Z');
const started = Date.now();

const folder = mkdtempSync(join(tmpdir(), 'trade-agent-closed-'));
const readyFile = join(folder, 'ready.json');
let sandbox: Sandbox;
const start = (args: string[], options: CommandOptions = {}) =>
  startCommand(args, {
    ...options,
    env: { HOME: folder, TRADE_AGENT_HOME: join(folder, 'agent'), TRADE_AGENT_SANDBOX: readyFile },
  });

beforeAll(async () => {
  sandbox = await startSandbox({
    home: join(folder, 'sandbox'),
    port: 0,
    readyFile,
    marketHours: 'exchange',
    marketClock: { ...systemClock, now: () => sunday + (Date.now() - started) },
  });
  const login = start(['login']);
  const [code] = await login.waitFor(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);
  await createPhoneClient({
    phone: sandbox.ready.phone,
    pairingSecret: sandbox.pairingSecret,
  }).completeDevice('alice', code);
  expect((await login.finished).code).toBe(0);
});
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('while the market is closed', () => {
  it('a market order is refused with the time it opens, exit 9, and asks nobody', async () => {
    const before = sandbox.broker.book().length;
    const { code, stdout, stderr } = await start(['run', 'buy 5 AAPL']).finished;
    expect(code, stdout + stderr).toBe(9);
    expect(stdout + stderr).toMatch(/closed[\s\S]*2026-11-23/);
    expect(sandbox.broker.book()).toHaveLength(before);
  });

  it('a limit order may still be proposed', async () => {
    const { code, stdout, stderr } = await start([
      'run',
      'buy 5 AAPL limit 100 gtc',
      '--approval',
      'detach',
      '--output',
      'json',
    ]).finished;
    expect(code, stdout + stderr).toBe(5);
  });
});
