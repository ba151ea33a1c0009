import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startCollector } from '../fixtures/trace-collector.ts';
import { createHomeWorld, type HomeWorld, type PairedPhone } from './home-world.ts';

let world: HomeWorld;
let phone: PairedPhone;
let stop: Awaited<ReturnType<HomeWorld['serve']>>;
let collector: Awaited<ReturnType<typeof startCollector>>;
beforeEach(async () => {
  collector = await startCollector();
  world = await createHomeWorld();
  await world.init();
  const file = join(world.home, 'gateway.yaml');
  const telemetry = { traces: collector.url };
  writeFileSync(file, JSON.stringify({ ...parse(readFileSync(file, 'utf8')), telemetry }));
  stop = await world.serve();
  phone = await world.pair();
  await world.json('profile', 'add', 'home', '--home', world.address, '--credential-store', 'file');
  await world.login(phone);
});
afterEach(async () => {
  await world.close();
  await collector.close();
});

const setPrice = async (symbol: string, price: string) => {
  const { ready, seed } = world.sandbox;
  const response = await fetch(`${ready.broker}/admin/prices/${symbol}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${seed.admin_secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ price }),
  });
  expect(response.status).toBe(200);
};
const names = (spans: readonly { readonly name: string }[]) => spans.map(({ name }) => name);

it('one trace leads from a sentence over the phone to the fill', async () => {
  const prompt = 'buy 1 AAPL at 200';
  await setPrice('AAPL', '210');
  const began = Date.now();
  const run = world.start('run', prompt, '--output', 'json');
  await expect.poll(() => world.waiting(phone), { timeout: 20_000 }).toHaveLength(1);
  expect((await world.approve(phone)).status).toBe(200);
  const { code, stdout, stderr } = await run.finished;
  expect(code, stderr).toBe(0);
  const { thread, approvals } = JSON.parse(stdout) as { thread: string; approvals: { id: string }[] };
  const ended = Date.now();
  await setPrice('AAPL', '199');
  const record = new Database(join(world.home, 'gateway.db'), { readonly: true });
  const fills = record.prepare('SELECT line FROM record_lines WHERE line LIKE \'%"filled"%\'');
  await expect.poll(() => fills.all()).not.toEqual([]);
  record.close();
  await stop();

  const trace = collector.traceOf('POST /v1/proposals');
  const served = names(trace.filter(({ kind }) => kind === 2));
  const told = served.filter((name) => name.startsWith('POST ') && name !== 'POST /token');
  expect([...new Set(told)]).toEqual([
    ...['POST /v1/proposals', 'POST /bc-authorize', 'POST /phone/requests/:id', 'POST /ciba/ping', 'POST /bc-outcome'],
  ]);
  // The CLI gets a token before it proposes, and the gateway collects the approval after the ping.
  expect(served.indexOf('POST /token')).toBeLessThan(served.indexOf('POST /v1/proposals'));
  expect(served.lastIndexOf('POST /token')).toBeGreaterThan(served.indexOf('POST /ciba/ping'));
  const toBroker = trace.filter(({ kind, name }) => kind === 3 && name.endsWith(' 127.0.0.1'));
  expect(names(toBroker)).toContain('POST 127.0.0.1');
  expect(Number(toBroker.at(-1)?.startTimeUnixNano) / 1e6).toBeGreaterThanOrEqual(ended);
  // Nothing of the order or the person is in a span.
  const [id = ''] = approvals.map((approval) => approval.id);
  for (const part of ['AAPL', '200.00', 'PA3ALICE01', 'alice', 'eyJ', thread, id])
    expect(JSON.stringify(trace)).not.toContain(part);

  // scripts/trace-picture.mjs draws docs/operate/trace.svg from it.
  const results = new URL('../../test-results/', import.meta.url);
  mkdirSync(results, { recursive: true });
  writeFileSync(new URL('trace.json', results), JSON.stringify({ prompt, began, ended, trace }));
});

it('the trace continues after a restart, and in the process that waits again', async () => {
  const thread = await world.propose('buy 1 AAPL');
  await stop();
  stop = await world.serve();
  const resumed = world.start('resume', thread, '--output', 'json');
  await expect.poll(() => world.waiting(phone), { timeout: 20_000 }).toHaveLength(1);
  expect((await world.approve(phone)).status).toBe(200);
  expect((await resumed.finished).code).toBe(0);
  await stop();

  const trace = collector.traceOf('POST /v1/proposals');
  for (const name of ['POST /phone/requests/:id', 'POST /ciba/ping', 'GET /v1/proposals/:id', 'POST 127.0.0.1'])
    expect(names(trace)).toContain(name);
});
