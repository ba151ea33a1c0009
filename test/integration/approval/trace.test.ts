import { expect, it, onTestFinished } from 'vitest';
import { gatewayLog } from '../../../src/app/gateway/serve-gateway.ts';
import { ServerLog } from '../../../src/app/gateway/server-log.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { dispatchFetch } from '../../../src/net/dispatch-fetch.ts';
import { startForeignWorld } from './foreign-world.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-00`;

type Line = Readonly<Record<string, unknown>>;

/** A gateway that logs JSON, and what it sent to whom in which trace. */
async function loggingWorld() {
  const written: string[] = [];
  const sent: { to: string; path: string; trace: string | null }[] = [];
  const log = new ServerLog({
    ...({ process: 'gateway', format: 'json', clock: systemClock } as const),
    write: (line) => void written.push(line),
  });
  const world = await startForeignWorld({
    ...gatewayLog(log),
    fetch: async (input, init) => {
      const { url, headers } = new Request(input, init);
      const { origin, pathname: path } = new URL(url);
      sent.push({ to: origin, path, trace: headers.get('traceparent') });
      return await dispatchFetch(input, init);
    },
  });
  onTestFinished(() => world.close());
  const lines = () => written.map((line) => JSON.parse(line) as Line);
  return { world, written, sent, lines };
}

it('one trace leads from the proposal to the fill, in the log and at the identity provider, not at the broker', async () => {
  const { world, written, sent, lines } = await loggingWorld();
  const { broker, issuer } = world;
  const alice = world.agent('alice', 'trade-agent');
  const order = { symbol: 'AAPL', side: 'buy', qty: '1', type: 'limit', limit_price: '180.00' };
  const proposed = await alice.send(
    'POST',
    '/v1/proposals',
    { kind: 'order', order },
    {
      ...{ traceparent, 'idempotency-key': 'one' },
    },
  );
  expect(proposed.status).toBe(201);
  const id = String(proposed.body.id);
  await expect.poll(() => issuer.questions.length).toBe(1);
  await world.decide(id, 'approve');
  expect(await alice.ended(id)).toMatchObject({ state: 'executed' });
  for (const taken of broker.book) taken.status = 'filled';
  const about = (msg: string) => lines().findLast((line) => line.msg === msg && line.proposal === id);
  // Executed, then filled.
  await expect.poll(() => lines().filter(({ msg }) => msg === 'proposal executed').length).toBe(2);

  const process = 'gateway';
  for (const state of ['drafted', 'requested', 'approved', 'executing', 'executed']) {
    expect(about(`proposal ${state}`)).toMatchObject({ level: 'info', process, trace_id: traceId });
  }
  const request_id = proposed.headers.get('x-request-id');
  expect(about('POST /v1/proposals 201')).toMatchObject({ request_id, trace_id: traceId, status: 201 });
  // The provider's ping has no trace of its own.
  expect(about('POST /ciba/ping 204')).toMatchObject({ trace_id: traceId });
  const ofProvider = (path: string) => sent.filter((one) => one.to === issuer.url && one.path === path);
  const given = expect.stringMatching(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  expect(ofProvider('/bc-authorize').map(({ trace }) => trace)).toEqual([given]);
  expect(ofProvider('/token').map(({ trace }) => trace)).toContainEqual(given);
  const ofBroker = sent.filter(({ to }) => to === broker.url);
  expect(ofBroker.length).toBeGreaterThan(3);
  expect(ofBroker.filter(({ trace }) => trace !== null)).toEqual([]);
  const text = written.join('\n');
  for (const secret of ['PA3ALICE01', 'broker-token', 'eyJ', 'AAPL', '180.00']) expect(text).not.toContain(secret);
});

it('what is refused is logged with its request id, in a trace of its own if the given one is invalid', async () => {
  const { world, lines } = await loggingWorld();
  const invalid = `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`;
  const response = await fetch(`${world.url}/v1/orders?token=secret`, { headers: { traceparent: invalid } });
  expect(response.status).toBe(401);
  const { request_id } = (await response.json()) as { request_id: string };
  const [line] = lines();
  expect(line).toMatchObject({ level: 'warn', msg: 'GET /v1/orders 401', request_id, code: 'token_missing' });
  expect(line?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(line?.trace_id).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
  expect(JSON.stringify(lines())).not.toContain('secret');
});

it('an internal error is logged with the proposal that it happened to', async () => {
  const { world, lines } = await loggingWorld();
  world.database.exec(
    `CREATE TRIGGER broken BEFORE UPDATE ON proposals BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`,
  );
  const alice = world.agent('alice', 'trade-agent');
  const answer = alice.send(
    'POST',
    '/v1/proposals',
    { kind: 'order', order: { symbol: 'AAPL', side: 'buy', qty: '1' } },
    {
      ...{ traceparent, 'idempotency-key': 'one' },
    },
  );
  const failed = () => lines().find(({ level }) => level === 'error');
  const proposal = expect.stringMatching(/^pr_/);
  await expect.poll(failed).toMatchObject({ process: 'gateway', proposal, trace_id: traceId, msg: expect.any(String) });
  world.database.exec('DROP TRIGGER broken');
  expect((await answer).status).toBe(201);
});
