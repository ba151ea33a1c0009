import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { folderOfSuite } from '../folders.ts';
import { freePort } from '../free-port.ts';
import { hasTmux, openTerminal } from './tmux.ts';
import { startCommand } from './world.ts';

const place = folderOfSuite();
let sandbox: Sandbox;
let folder: string;
let count = 0;
beforeAll(async () => {
  sandbox = await startSandbox({ home: join(place, 'sandbox'), port: 0 });
});
afterAll(() => sandbox.close());
beforeEach(() => {
  count += 1;
  folder = join(place, `${count}`);
});

const env = () => ({ HOME: folder, TRADE_AGENT_HOME: join(folder, 'agent') });
const home = () => join(folder, 'agent-home');
const keys = () => {
  const [alice] = sandbox.seed.users;
  if (alice === undefined) throw new Error('the sandbox has nobody');
  return alice.broker_key;
};
const init = (...more: string[]) => {
  const file = join(place, 'keys.txt');
  writeFileSync(file, `${keys().key_id}\n${keys().secret}\n`, { mode: 0o600 });
  const args = ['home', 'init', '--name', 'Ada', '--yes', '--broker-key-file', file];
  return [...args, '--broker-url', sandbox.ready.broker, ...more];
};

describe.skipIf(!hasTmux())('at a terminal', () => {
  const start = (...args: string[]) =>
    openTerminal({ args, env: { PATH: process.env.PATH, ...env() }, columns: 100, rows: 40 });

  it('five questions are asked, and the broker’s keys are not shown', async () => {
    const terminal = start('home', 'init', '--broker-url', sandbox.ready.broker);
    await terminal.shows(/Where is your phone\?[\s\S]*Tailscale Funnel[\s\S]*Choose \[1\]:/);
    await terminal.turn('5\n', /Address \(https:\/\/NAME\):/);
    await terminal.turn('http://192.168.1.5\n', /through Tailscale \(--phone funnel or serve\)/);
    await terminal.turn('https://home.example\n', /Your name:/);
    await terminal.turn('Ada Lovelace\n', /Key ID \(hidden\):/);
    await terminal.turn(`${keys().key_id}\n`, /Secret \(hidden\):/);
    await terminal.turn(`${keys().secret}\n`, /Account PA\w+: PAPER, ACTIVE/);
    await terminal.shows(/Maximum order size, in dollars \[1000\]:/);
    await terminal.turn('2500\n', /orders per day \[20\]:/);
    await terminal.turn('many\n', /It must be a whole number/);
    terminal.press('Enter');
    await terminal.shows(/ntfy topic/);
    terminal.type('ada-home-7f3k\n');
    const said = await terminal.ended();
    expect(said).toMatch(/Recovery code\s+[0-9A-Z-]{19}/);
    expect(said).toContain('trade-agent home serve');
    for (const secret of [keys().key_id, keys().secret]) expect(said).not.toContain(secret);
    expect(readFileSync(join(home(), 'home.yaml'), 'utf8')).toContain('topic: ada-home-7f3k');
    expect(readFileSync(join(home(), 'limits.yaml'), 'utf8')).toMatch(
      /max_order_notional: "2500"\n +max_day_notional: "12500"\n +max_day_orders: 20\n/,
    );
  });

  it('an account with real money is named before it is kept', async () => {
    const terminal = start(
      ...init('--environment', 'live').filter((word) => word !== '--yes'),
      '--address',
      'http://localhost:4780',
    );
    await terminal.shows(/REAL MONEY[\s\S]*Type the account number/);
    terminal.type('yes\n');
    const said = await terminal.ended();
    expect(said).toContain('the account number does not match');
    expect(existsSync(home())).toBe(false);
  });

  it('the first phone is paired by what “home serve” shows, and the first run takes the home there is', async () => {
    const address = `http://localhost:${await freePort()}`;
    expect((await startCommand(init('--address', address), { env: env() }).finished).code).toBe(0);
    const serving = start('home', 'serve');
    await serving.shows(new RegExp(`${address}/phone/pair#[\\w-]{43}[\\s\\S]*Press Ctrl-C to stop`));

    const first = start();
    await first.shows(/Choose \[1\]:/);
    await first.turn('2\n', /Which model do you want to use\?[\s\S]*Choose \[1\]:/);
    first.press('Enter');
    const said = await first.ended();
    expect(said).toContain('trade-agent home serve');
    const config = readFileSync(join(folder, 'agent', 'config.yaml'), 'utf8');
    expect(config).toMatch(new RegExp(`issuer: ${address}[\\s\\S]*default_profile: home`));

    const beside = await startCommand(['home', 'serve'], { env: env() }).finished;
    expect([beside.code, beside.stderr]).toEqual([12, expect.stringContaining(`is using the home ${home()}`)]);
    serving.press('C-c');
    await serving.ended();
    expect(readdirSync(home())).not.toContain('ready.json');
  });
});
