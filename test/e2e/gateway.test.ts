import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { formatUtcSeconds } from '../../src/machine/clock.ts';
import { buildTradeOrderDetails } from '../../src/trading/approval-details.ts';
import type { OrderDraft } from '../../src/trading/order.ts';
import { linesIn } from '../fixtures/record-lines.ts';
import { type AlpacaStandIn, startAlpacaStandIn } from '../integration/gateway/support/alpaca-stand-in.ts';
import { testClock } from '../integration/gateway/support/test-clock.ts';
import { startTestIssuer, type TestIssuer } from '../integration/gateway/support/test-issuer.ts';
import { startCommand } from './world.ts';

/** As the world knows it, behind a proxy. */
const resource = 'https://gateway.example';

let folder: string;
let broker: AlpacaStandIn;
let issuer: TestIssuer;
const running: ChildProcess[] = [];

const command = (...args: string[]) => {
  const env = { HOME: folder, TRADE_AGENT_HOME: join(folder, 'agent') };
  const { child, finished } = startCommand(['gateway', ...args], { env, endless: true });
  running.push(child);
  return { child, ended: finished };
};

const home = () => join(folder, 'agent-gateway');
const settings = (changes: Record<string, unknown> = {}) =>
  writeFileSync(
    join(home(), 'gateway.yaml'),
    JSON.stringify({
      issuer: issuer.url,
      resource,
      environment: 'paper',
      exchange: { client_id: 'gateway-client', audience: 'paper-broker' },
      broker: { trading_url: broker.url, simulated: true },
      require_bound_tokens: false,
      ...changes,
    }),
  );

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-gateway-'));
  broker = await startAlpacaStandIn();
  const { code, stdout } = await command('key', '--output', 'json').ended;
  expect(code).toBe(0);
  const { jwk } = JSON.parse(stdout) as { jwk: Record<string, string> };
  expect(jwk.d).toBeUndefined();
  issuer = await startTestIssuer({
    clock: testClock(),
    audience: () => resource,
    gatewayClient: { client_id: 'gateway-client', jwk },
  });
  for (const [token, user] of broker.tokens) issuer.connected.set(user, token);
});
afterEach(async () => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
  await Promise.all([broker.close(), issuer.close()]);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function serve() {
  const readyFile = join(folder, 'ready.json');
  rmSync(readyFile, { force: true });
  const started = command('--port', '0', '--ready-file', readyFile, '--output', 'json');
  let over = false;
  void started.ended.then(() => {
    over = true;
  });
  while (!existsSync(readyFile)) {
    if (over) throw new Error(`it ended: ${(await started.ended).stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { url } = JSON.parse(readFileSync(readyFile, 'utf8')) as { url: string };
  return { ...started, url };
}

const order = (): OrderDraft => ({
  account: 'PA3ALICE01',
  environment: 'paper',
  symbol: 'AAPL',
  side: 'buy',
  qty: '5',
  type: 'limit',
  time_in_force: 'day',
  limit_price: '180.00',
  extended_hours: false,
  reference_price: '180.01',
  max_slippage: '0.01',
  client_order_id: 'ta-of-the-test',
  expires_at: formatUtcSeconds(Date.now() + 240_000),
});

const post = (url: string, draft: OrderDraft, token: string) =>
  fetch(`${url}/v1/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(draft),
  });

it('a gateway of one’s own places what was approved, once, over a restart, and nothing else', async () => {
  settings();
  const first = await serve();
  const metadata = await fetch(`${first.url}/.well-known/oauth-protected-resource`);
  expect(await metadata.json()).toMatchObject({ resource, authorization_servers: [issuer.url] });

  const draft = order();
  const approval = (details: object[]) =>
    issuer.mint({ claims: { scope: 'openid orders:write', authorization_details: details } });
  const unapproved = await post(first.url, draft, await approval([]));
  expect([unapproved.status, await unapproved.json()]).toMatchObject([403, { code: 'approval_missing' }]);
  expect(broker.book).toEqual([]);

  const token = await approval([buildTradeOrderDetails(draft, { gateway: resource })]);
  expect((await post(first.url, draft, token)).status).toBe(201);
  expect(broker.book).toHaveLength(1);

  first.child.kill('SIGTERM');
  const stopped = await first.ended;
  expect(stopped.code).toBe(0);
  expect(stopped.stderr).toMatch(/"msg":"POST \/v1\/orders 403".*"code":"approval_missing"/);
  for (const secret of [token, ...broker.tokens.keys()]) {
    expect(stopped.stdout + stopped.stderr).not.toContain(secret);
  }

  const second = await serve();
  const again = await post(second.url, draft, token);
  expect([again.status, again.headers.get('idempotent-replay')]).toEqual([200, 'true']);
  expect(broker.book).toHaveLength(1);
  expect(statSync(join(home(), 'gateway.db')).mode & 0o077).toBe(0);

  const beside = await command('--port', '0').ended;
  expect([beside.code, beside.stderr]).toEqual([
    12,
    expect.stringContaining(`is using the gateway's folder ${home()}`),
  ]);
});

it.each([
  [
    'without a configuration',
    () => rmSync(join(home(), 'gateway.yaml'), { force: true }),
    /there is no gateway configuration/,
  ],
  ['without its key', () => rmSync(join(home(), 'key.json')), /the gateway has no key.*\nhint: Create one with/],
  [
    'with a key that others can read',
    () => chmodSync(join(home(), 'key.json'), 0o644),
    /can't be used: another user owns it, or other users can read it/,
  ],
])('%s it does not start, and says what to do', async (_, spoil, says) => {
  settings();
  spoil();
  const { code, stderr } = await command('--port', '0').ended;
  expect(stderr).toMatch(says);
  expect(code).toBe(2);
});

it('a key is never made over another', async () => {
  const before = readFileSync(join(home(), 'key.json'), 'utf8');
  const { code, stderr } = await command('key', '--type', 'RSA').ended;
  expect([code, stderr]).toEqual([2, expect.stringContaining('a key already exists')]);
  expect(readFileSync(join(home(), 'key.json'), 'utf8')).toBe(before);
});

it('a halt is ended at the gateway’s machine while it runs, and its record shows whoever changes it', async () => {
  const nothing = await command('audit', 'verify').ended;
  expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining('no gateway has run in')]);

  settings();
  const { url, child, ended } = await serve();
  const lift = () => command('halt', '--lift', '--user', 'alice', '--output', 'json').ended;
  const never = await lift();
  expect([never.code, never.stdout]).toEqual([2, expect.stringContaining('is not halted')]);

  const token = await issuer.mint({ claims: { scope: 'orders:read orders:cancel' } });
  const halt = (method: string) =>
    fetch(`${url}/v1/halt`, { method, headers: { authorization: `Bearer ${token}` } }).then(
      (response) => response.json() as Promise<{ halted: boolean; halted_at?: string }>,
    );
  const { halted_at } = await halt('PUT');
  const lifted = await lift();
  expect([lifted.code, JSON.parse(lifted.stdout)]).toMatchObject([0, { sub: 'alice', halted_at }]);
  expect(await halt('GET')).toEqual({ halted: false, state: 'active' });

  const recounted = await command('recount').ended;
  expect([recounted.code, recounted.stdout]).toEqual([0, 'No order is dated in the future.\n']);

  const verify = () => command('audit', 'verify', '--output', 'json').ended;
  const whole = await verify();
  expect([whole.code, JSON.parse(whole.stdout)]).toMatchObject([0, { file: home(), ok: true }]);
  expect(linesIn(join(home(), 'gateway.db'))).toHaveLength(2);
  child.kill('SIGTERM');
  await ended;
  const database = new Database(join(home(), 'gateway.db'));
  database.exec(`UPDATE record_lines SET line = replace(line, 'alice', 'bob')`);
  database.close();
  const changed = await verify();
  expect([changed.code, JSON.parse(changed.stdout)]).toMatchObject([1, { ok: false, line: 1, what: 'changed' }]);
  expect((await command('audit', 'verify').ended).stdout).toContain('line 1: changed');
});

it('says that only a home has keys to sign with, and ends', async () => {
  settings({ approval: { signature: 'required' } });
  const { code, stderr } = await command('--port', '0').ended;
  expect(code).toBe(2);
  expect(stderr).toContain('approval.signature is "required"');
  expect(stderr).toContain('trade-agent home');
});
