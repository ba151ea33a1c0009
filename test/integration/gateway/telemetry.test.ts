import { json } from 'node:stream/consumers';
import Database from 'better-sqlite3-multiple-ciphers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { withRequestContext } from '../../../src/app/gateway/server-log.ts';
import { createTelemetry, type Telemetry } from '../../../src/gateway/telemetry/telemetry.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { listenOnLoopback } from '../../../src/net/http-server.ts';
import type { StoredProposal } from '../../../src/store/proposal-store.ts';
import { createAuthReqIdSeal } from '../../../src/store/rows/auth-req-id.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { aProposalDraft } from '../../fixtures/builders.ts';
import { startCollector } from '../../fixtures/trace-collector.ts';
import { closedAfter, startWorld, type World } from './support/world.ts';

const draft = aProposalDraft('one', { deadline: 90_000 });

const systemTime = { now: () => Date.now() };

/** A world whose gateway is measured, also in what it is asked. */
async function measuredWorld(traces?: string): Promise<{ world: World; telemetry: Telemetry; url: string }> {
  const telemetry = createTelemetry({ version: '0.0.0', clock: systemTime, traces });
  closedAfter(telemetry);
  const world = await startWorld({ fetch: telemetry.fetch, stores: telemetry.stores });
  const { url } = world;
  // In front of it, as the server that serves one puts it.
  const front = await listenOnLoopback(0, systemTime.now);
  onTestFinished(() => front.close());
  const behind: Parameters<Telemetry['requests']>[0] = async (request, response) => {
    const { host: _, connection: __, ...headers } = request.headers as Record<string, string>;
    const body = request.method === 'POST' ? JSON.stringify(await json(request)) : undefined;
    delete headers['content-length'];
    const answer = await telemetry.fetch(`${url}${request.url}`, {
      ...{ method: request.method ?? 'GET', headers },
      ...(body === undefined ? {} : { body }),
    });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(await answer.text());
  };
  front.serve(withRequestContext(telemetry.requests(behind, ['/v1/orders', '/v1/orders/:id', '/healthz'])));
  return { world, telemetry, url: front.url };
}

/** `name{labels} value` by name and labels. */
function read(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

const post = (url: string, token: string, body: object) =>
  fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('metrics', () => {
  it('count what is asked of the gateway by route, what it asks others, and what came of orders', async () => {
    const { world, telemetry, url } = await measuredWorld();
    const { draft, token } = await world.approved();
    const place = () => post(`${url}/v1/orders`, token, draft);
    expect((await place()).status).toBe(201);
    expect((await place()).status).toBe(200);
    expect((await fetch(`${url}/v1/orders/${draft.client_order_id}`)).status).toBe(401);
    expect((await fetch(`${url}/${'x'.repeat(50)}`)).status).toBe(404);

    const metrics = read(await telemetry.metrics());
    const served = (route: string, method: string, status: number) =>
      metrics.get(
        `http_server_request_duration_count{http_request_method="${method}",http_route="${route}",http_response_status_code="${status}"}`,
      );
    expect(served('/v1/orders', 'POST', 201)).toBe(1);
    expect(served('/v1/orders', 'POST', 200)).toBe(1);
    expect(served('/v1/orders/:id', 'GET', 401)).toBe(1);
    expect(served('other', 'GET', 404)).toBe(1);
    expect(metrics.get('trade_agent_orders_total{outcome="claimed"}')).toBe(1);
    expect(metrics.get('trade_agent_orders_total{outcome="placed"}')).toBe(1);
    expect([...metrics.keys()].filter((key) => key.startsWith('http_client_request_duration_count'))).toContainEqual(
      expect.stringContaining('http_response_status_code="200"'),
    );
    expect(metrics.get('process_memory_usage')).toBeGreaterThan(1_000_000);
  });

  it('count proposals by the state that they come to, and how long they were in the one before', async () => {
    const telemetry = createTelemetry({ version: '0.0.0', clock: { now: () => 31_000 } });
    onTestFinished(() => telemetry.close());
    const database = new Database(':memory:');
    onTestFinished(() => void database.close());
    const { proposals } = telemetry.stores(createSqliteGatewayStores(database));
    const standing = await proposals.snapshot({ sub: draft.sub, client: draft.client, typed: false }, 0);
    const key = { sub: draft.sub, client: draft.client, key: 'k', request: 'r' };
    const note = { event: 'requested' as const, facts: {} };
    const drafted = await proposals.draft(draft, key, standing, { ...note, event: 'proposed' }, 1_000);
    const { proposal } = drafted as { proposal: StoredProposal };
    const change = { ...proposal, state: 'requested' as const, token: 'kept' as const };
    expect((await proposals.change(proposal, change, note, { now: 31_000 })).outcome).toBe('moved');
    // Somebody else was first: nothing was moved, and nothing is counted.
    expect((await proposals.change(proposal, change, note, { now: 31_000 })).outcome).toBe('stale');

    const metrics = read(await telemetry.metrics());
    expect(metrics.get('trade_agent_proposals_total{kind="order",state="drafted"}')).toBe(1);
    expect(metrics.get('trade_agent_proposals_total{kind="order",state="requested"}')).toBe(1);
    expect(metrics.get('trade_agent_proposals_open')).toBe(1);
    const stayed = '{kind="order",state="drafted",next="requested"}';
    expect(metrics.get(`trade_agent_proposal_state_duration_sum${stayed}`)).toBe(30);
  });

  it('say how old what waits in the database is, and which proposals this process works on', async () => {
    const now = Date.now();
    const telemetry = createTelemetry({ version: '0.0.0', clock: systemTime });
    onTestFinished(() => telemetry.close());
    const database = new Database(':memory:');
    onTestFinished(() => void database.close());
    const own = createSqliteGatewayStores(database, createAuthReqIdSeal('of the gateway'));
    telemetry.database(own, { issuer: 'https://id.example', clock: systemClock });
    const { proposals, queue } = telemetry.stores(own);
    const scrape = async () => read(await telemetry.metrics());
    const standing = await proposals.snapshot({ sub: draft.sub, client: draft.client, typed: false }, 0);
    const key = { sub: draft.sub, client: draft.client, key: 'k', request: 'r' };
    const note = { event: 'proposed' as const, facts: {} };
    const { proposal } = (await proposals.draft(draft, key, standing, note, now - 90_000)) as {
      proposal: StoredProposal;
    };
    await queue.claim(draft.id, false);
    const claimed = await scrape();
    expect(claimed.get('trade_agent_proposals_claimed')).toBe(1);
    expect(claimed.get('trade_agent_proposals_due_age_seconds')).toBe(0);
    expect(claimed.get('trade_agent_audit_log_pending_lines')).toBe(1);
    expect(claimed.get('trade_agent_database_read')).toBe(1);
    await queue.release(draft.id, -60_000, now);
    const due = await scrape();
    expect(due.get('trade_agent_proposals_claimed')).toBe(0);
    expect(due.get('trade_agent_proposals_due_age_seconds')).toBeGreaterThanOrEqual(60);
    // It ends, and the phone is not told.
    const change = { ...proposal, authReqId: 'auth-1', state: 'expired' as const, token: 'erased' as const };
    await proposals.change(proposal, change, { ...note, event: 'expired' }, { now: now - 30_000 });
    const ended = await scrape();
    expect(ended.get('trade_agent_proposals_open')).toBe(0);
    expect(ended.get('trade_agent_notifications_unsent_age_seconds')).toBeGreaterThanOrEqual(30);
    expect([...ended.keys()].filter((name) => name.startsWith('trade_agent_database_pool'))).toEqual([]);
  });

  it('say nothing of anybody: no person, account, symbol, amount, id or token', async () => {
    const { world, telemetry, url } = await measuredWorld();
    const { draft, token } = await world.approved();
    await post(`${url}/v1/orders`, token, draft);
    await fetch(`${url}/v1/orders/${draft.client_order_id}?secret=yes`);
    const text = await telemetry.metrics();
    for (const part of ['alice', draft.account, 'AAPL', '180.0', draft.client_order_id, 'secret', token])
      expect(text).not.toContain(part);
  });
});

describe('spans', () => {
  it('go to a collector as OTLP: what others were asked is part of the request that it was asked for', async () => {
    const collector = await startCollector();
    onTestFinished(() => collector.close());
    const { spans: collected, resource } = collector;
    const { telemetry, url } = await measuredWorld(collector.url);
    await fetch(`${url}/healthz?token=secret`);
    const given = '4bf92f3577b34da6a3ce929d0e0e4736';
    // Not sampled, if the client had a say.
    await fetch(`${url}/v1/orders/1`, { headers: { traceparent: `00-${given}-00f067aa0ba902b7-00` } });
    await telemetry.close();

    const server = collected.find(({ name }) => name === 'GET /healthz');
    const client = collected.find(({ parentSpanId }) => parentSpanId === server?.spanId);
    expect(resource).toEqual({ 'service.name': 'trade-agent', 'service.version': '0.0.0' });
    expect(server?.kind).toBe(2);
    expect(client).toMatchObject({ kind: 3, traceId: server?.traceId, name: 'GET 127.0.0.1' });
    const continued = collected.find(({ name }) => name === 'GET /v1/orders/:id');
    expect(continued).toMatchObject({ traceId: given, parentSpanId: '00f067aa0ba902b7' });
    expect(server?.traceId).not.toBe(given);
    expect(JSON.stringify(collected)).not.toContain('secret');
  });

  it('are given up where the collector is down, and nothing waits for them', async () => {
    const { telemetry, url } = await measuredWorld('http://127.0.0.1:9/v1/traces');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    await telemetry.close();
  });
});
