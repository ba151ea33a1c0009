import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { findRecordedProcess, recordProcess } from '../../src/app/home/tailscale-process.ts';
import { isProcessRunning as isRunning } from '../../src/app/sandbox-connection.ts';
import { folderOfSuite } from '../folders.ts';
import { freePort } from '../free-port.ts';
import { type Running, startCommand } from './world.ts';

const NAME = 'nas.tail1234.ts.net';
const place = folderOfSuite();
let count = 0;
let folder: string;
let served: Running | undefined;
beforeEach(() => {
  count += 1;
  folder = join(place, `${count}`);
  mkdirSync(tools(), { recursive: true });
  copyFileSync(new URL('./tailscale-stand-in.mjs', import.meta.url), join(tools(), 'tailscale'));
  chmodSync(join(tools(), 'tailscale'), 0o755);
  writeFileSync(join(tools(), 'package.json'), '{"type":"module"}');
  tailnet({});
});
afterEach(async () => {
  // Which ends its command as well.
  served?.child.kill('SIGTERM');
  await served?.finished.catch(() => undefined);
  served = undefined;
});

const tools = () => join(folder, 'tools');
const tailnet = (more: object) => writeFileSync(join(tools(), 'state.json'), JSON.stringify({ name: NAME, ...more }));
const allow = () => writeFileSync(join(tools(), 'allowed'), '');
const calls = () =>
  readFileSync(join(tools(), 'calls'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { args: string[]; env: string[] } | 'interrupted');
const start = (args: readonly string[], endless = false): Running =>
  startCommand(args, {
    env: {
      HOME: folder,
      TRADE_AGENT_HOME: join(folder, 'agent'),
      PATH: `${tools()}:${process.env.PATH}`,
      OPENAI_API_KEY: 'sk-planted',
    },
    endless,
  });
const init = async (...more: string[]) =>
  await start(['home', 'init', '--name', 'Ada', '--broker', 'practice', '--yes', ...more]).finished;
const serve = async () => {
  served = start(['home', 'serve'], true);
  await served.waitFor(/Press Ctrl-C to stop/);
  return served;
};

it('through Funnel: the address is found, the one link is shown, the home is served until it stops, and no secret is passed', async () => {
  const port = await freePort();
  const made = await init('--phone', 'funnel', '--listen', `127.0.0.1:${port}`, '--output', 'json');
  expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining('Funnel yet') });
  expect(JSON.parse(made.stdout)).toMatchObject({ address: `https://${NAME}`, account: { environment: 'paper' } });
  const home = await serve();
  await home.waitFor(/open https:\/\/login\.tailscale\.com\/f\/funnel\?node=n1 once and allow it/);
  expect(home.output()).not.toContain(`Tailscale serves https://${NAME}`);
  allow();
  await home.waitFor(new RegExp(`Tailscale serves https://${NAME}`));
  // As Funnel forwards it: the name in Host, and the phone's address.
  const headers = { host: NAME, 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' };
  const asked = request({ port, path: '/.well-known/openid-configuration', headers }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  expect([response.statusCode, JSON.parse(await text(response))]).toMatchObject([200, { issuer: `https://${NAME}` }]);
  home.child.kill('SIGTERM');
  expect((await home.finished).code).toBe(0);
  const all = calls();
  expect(all.map((call) => (call === 'interrupted' ? call : call.args.join(' ')))).toEqual([
    'status --json --peers=false',
    'status --json --peers=false',
    'status --json --peers=false',
    'serve status --json',
    `funnel http://127.0.0.1:${port}`,
    'interrupted',
  ]);
  for (const call of all) if (call !== 'interrupted') expect(call.env).not.toContain('OPENAI_API_KEY');
});

it('a command that ends is started again while the home runs', async () => {
  allow();
  expect((await init('--phone', 'serve', '--listen', `127.0.0.1:${await freePort()}`)).code).toBe(0);
  const home = await serve();
  await home.waitFor(/Tailscale serves/);
  writeFileSync(join(tools(), 'crash'), '');
  await home.waitFor(/Phones can't reach this home, trying again: \S+tailscale serve\S+ ended/);
  rmSync(join(tools(), 'crash'));
  const starts = () => calls().filter((call) => call !== 'interrupted' && call.args.length === 2).length;
  await expect.poll(starts, { timeout: 20_000 }).toBeGreaterThan(1);
});

it('a link that the command does not wait for is shown once, and the command is run until it is allowed', async () => {
  tailnet({ ends: true });
  expect((await init('--phone', 'serve', '--listen', `127.0.0.1:${await freePort()}`)).code).toBe(0);
  const home = await serve();
  await home.waitFor(/open https:\/\/login\.tailscale\.com\/f\/serve\?node=n1 once and allow it/);
  const starts = () => calls().filter((call) => call !== 'interrupted' && call.args.length === 2).length;
  await expect.poll(starts, { timeout: 20_000 }).toBeGreaterThan(1);
  expect(home.output()).not.toContain('trying again');
  allow();
  await home.waitFor(new RegExp(`Tailscale serves https://${NAME}`));
  expect(home.output().match(/allow it/g)).toHaveLength(1);
});

it('a refusal is shown with what to do, and the command is run again', async () => {
  allow();
  expect((await init('--phone', 'serve', '--listen', `127.0.0.1:${await freePort()}`)).code).toBe(0);
  tailnet({
    refuses: {
      serve: "getting serve config: Access denied: serve config denied\n\nUse 'sudo tailscale serve status --json'.",
    },
  });
  const home = await serve();
  await home.waitFor(
    /trying again: your user may not change Tailscale’s settings\. Allow it once: \S+sudo tailscale set/,
  );
  tailnet({});
  await home.waitFor(/Tailscale serves/);
});

it('a machine that is signed out while its home runs is told so', async () => {
  allow();
  expect((await init('--phone', 'serve', '--listen', `127.0.0.1:${await freePort()}`)).code).toBe(0);
  const home = await serve();
  await home.waitFor(/Tailscale serves/);
  tailnet({ BackendState: 'NeedsLogin', Self: { DNSName: '' }, CurrentTailnet: null });
  writeFileSync(join(tools(), 'crash'), '');
  await home.waitFor(/trying again: this machine is not signed in to Tailscale\. Run \S+tailscale up\S+ and sign in\./);
});

it.each([
  [
    { BackendState: 'NeedsLogin', AuthURL: 'https://login.tailscale.com/a/1' },
    /not signed in[\s\S]*login\.tailscale\.com\/a\/1/,
  ],
  [{ BackendState: 'Stopped' }, /Tailscale is off[\s\S]*tailscale up/],
  [{ Self: { DNSName: '' } }, /has no name[\s\S]*MagicDNS/],
  [{ name: 'nas.tailnet.example' }, /tailnet\.example issues no HTTPS certificates[\s\S]*--phone domain or proxy/],
  [
    { refuses: { status: "failed to connect to local tailscaled; it doesn't appear to be running" } },
    /error: Tailscale is not running[\s\S]*systemctl start tailscaled/,
  ],
])('%j makes no home, and says the next step', async (state, says) => {
  tailnet(state);
  const { code, stderr } = await init('--phone', 'funnel');
  expect([code, stderr]).toEqual([2, expect.stringMatching(says)]);
});

it('without Tailscale, the other places are named', async () => {
  const { code, stderr } = await startCommand(
    ['home', 'init', '--name', 'Ada', '--broker', 'practice', '--yes', '--phone', 'funnel'],
    { env: { HOME: folder, PATH: folder } },
  ).finished;
  expect([code, stderr]).toEqual([2, expect.stringMatching(/not installed[\s\S]*--phone browser, domain or proxy/)]);
});

it('a machine that got another name is served under it once the home has that address', async () => {
  allow();
  expect((await init('--phone', 'funnel')).code).toBe(0);
  tailnet({ name: 'box.tail1234.ts.net' });
  const { code, stderr } = await start(['home', 'serve']).finished;
  expect([code, stderr]).toEqual([2, expect.stringMatching(/run "trade-agent home address set --phone funnel"/)]);
  expect((await start(['home', 'address', 'set', '--phone', 'funnel']).finished).code).toBe(0);
  const home = await serve();
  await home.waitFor(/Tailscale serves https:\/\/box\.tail1234\.ts\.net/);
});

const record = () => join(folder, 'agent-home', 'tailscale.json');
const recorded = () => JSON.parse(readFileSync(record(), 'utf8')) as { pid: number; started: string; command: string };

it('the command that a killed home left is reported, and ended by the next start', async () => {
  allow();
  expect((await init('--phone', 'funnel', '--listen', `127.0.0.1:${await freePort()}`)).code).toBe(0);
  const home = await serve();
  await home.waitFor(/Tailscale serves/);
  await expect.poll(() => existsSync(record())).toBe(true);
  const { pid } = recorded();
  home.child.kill('SIGKILL');
  await home.finished.catch(() => undefined);
  const copy = join(folder, 'copy.json');
  copyFileSync(record(), copy);
  expect(await findRecordedProcess(copy)).toBe(pid);
  const { stdout } = await start(['home', 'doctor']).finished;
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
    `a home that was killed left its Tailscale command running (process ${pid})`,
  );
  const next = await serve();
  await next.waitFor(new RegExp(`Stopped the Tailscale command of a home that was killed \\(process ${pid}\\)`));
  expect(await findRecordedProcess(copy)).toBeUndefined();
  next.child.kill('SIGTERM');
  expect((await next.finished).code).toBe(0);
  expect(existsSync(record())).toBe(false);
});

it.each([
  ['that got the same ID', { command: 'tailscale funnel http://127.0.0.1:1' }],
  ['of the same command that started later', { started: 'another boot 1' }],
])('a stranger’s process %s is left alone', async (_, changes) => {
  allow();
  expect((await init('--phone', 'funnel', '--listen', `127.0.0.1:${await freePort()}`)).code).toBe(0);
  const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  onTestFinished(() => void stranger.kill('SIGKILL'));
  const file = join(folder, 'stranger.json');
  await recordProcess(file, stranger.pid);
  writeFileSync(record(), JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...changes }));
  const home = await serve();
  await home.waitFor(/Tailscale serves/);
  expect(home.output()).not.toContain('Stopped the Tailscale command');
  expect(isRunning(stranger.pid ?? 0)).toBe(true);
});
