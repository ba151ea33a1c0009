import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createGatewayClient, type GatewayClientOptions } from '../../../src/tools/gateway-client.ts';
import type { MessageDraft } from '../../../src/trading/message.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import { profileAt, sessionOf } from './session.ts';

async function clientOf(listener: RequestListener, options: GatewayClientOptions = {}) {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return createGatewayClient(sessionOf(profileAt(url)), options);
}

const answering =
  (status: number, body: unknown, headers: Record<string, string> = {}): RequestListener =>
  (_, response) => {
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  };
const problem = (status: number, code: string, more = {}) =>
  answering(status, { type: 'about:blank', title: code, status, code, detail: `detail of ${code}`, ...more });
const draft = { client_order_id: 'ta-1' } as OrderDraft;

describe('the gateway’s client', () => {
  it.each([
    [401, 'token_expired', 'login_required'],
    [403, 'insufficient_scope', 'insufficient_scope'],
    [409, 'market_closed', 'market_closed'],
    [409, 'price_moved', 'price_moved'],
    [422, 'insufficient_funds', 'insufficient_funds'],
    [422, 'broker_rejected', 'broker_rejected'],
    [422, 'unknown_symbol', 'unknown_symbol'],
    [422, 'blocked', 'blocked'],
    [403, 'policy_denied', 'blocked'],
    [404, 'not_found', 'not_found'],
    [403, 'approval_expired', 'approval_expired'],
    [403, 'approval_already_used', 'gateway_refused'],
    [409, 'client_order_id_conflict', 'gateway_refused'],
  ])('turns %d %s into %s', async (status, code, expected) => {
    const client = await clientOf(problem(status, code));
    for (const call of [client.account(), client.placeOrder(draft, 'token')]) {
      await expect(call).rejects.toMatchObject({
        code: expected,
        message: `detail of ${code}`,
        details: { status, problem: code },
      });
    }
  });

  it('reads a time-out as unreachable, and for an order as unknown', async () => {
    const client = await clientOf(() => {}, { timeoutMs: 50, orderTimeoutMs: 50 });
    await expect(client.account()).rejects.toMatchObject({ code: 'gateway_unreachable' });
    await expect(client.placeOrder(draft, 'token')).rejects.toMatchObject({ code: 'outcome_unknown' });
  });

  it.each([
    ['a dropped connection', (_: unknown, response: { destroy(): void }) => response.destroy()],
    ['a 500', problem(500, 'internal')],
    ['a 504 outcome_unknown', problem(504, 'outcome_unknown')],
    ['a body that is no order', answering(201, { id: 1 })],
    ['a body that is no JSON', answering(201, '<html>')],
    ['a 403 that is a proxy’s page', answering(403, '<html>')],
    ['a 408 that is no problem of the gateway’s', answering(408, { message: 'request timeout' })],
    ['a proof that the gateway has seen before', problem(401, 'dpop_proof_replayed')],
  ] as [string, RequestListener][])(
    'reads %s after an order or a message as unknown',
    async (_, listener) => {
      const client = await clientOf(listener);
      const message = { client_message_id: 'ta-1' } as MessageDraft;
      for (const call of [client.placeOrder(draft, 'token'), client.sendMessage(message, 'token')]) {
        await expect(call).rejects.toMatchObject({ code: 'outcome_unknown' });
      }
    },
  );

  it('asks a question again, once, whose connection broke; an order or a cancel never', async () => {
    const seen: string[] = [];
    let breaks = 1;
    const listener: RequestListener = (request, response) => {
      seen.push(request.method ?? '');
      if (breaks-- > 0) response.destroy();
      else answering(200, { positions: [] })(request, response);
    };
    const client = await clientOf(listener);
    expect(await client.positions()).toEqual([]);
    expect(seen).toEqual(['GET', 'GET']);
    breaks = 5;
    await expect(client.positions()).rejects.toMatchObject({ code: 'gateway_unreachable' });
    await expect(client.placeOrder(draft, 'token')).rejects.toMatchObject({ code: 'outcome_unknown' });
    await expect(client.cancelOrder('o1')).rejects.toMatchObject({ code: 'gateway_unreachable' });
    expect(seen).toEqual(['GET', 'GET', 'GET', 'GET', 'POST', 'DELETE']);
  });

  it('tells an order that is nowhere from one that was refused and from an address that is none', async () => {
    expect(await (await clientOf(problem(404, 'not_found'))).outcome('ta-1')).toEqual({ status: 'absent' });
    const refused = problem(404, 'not_found', { outcome: { code: 'broker_rejected', detail: 'no' } });
    expect(await (await clientOf(refused)).outcome('ta-1')).toMatchObject({
      status: 'refused',
      refusal: { code: 'broker_rejected' },
    });
    await expect((await clientOf(answering(404, 'nginx'))).outcome('ta-1')).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('refuses an answer of another shape, naming the field', async () => {
    const client = await clientOf(answering(200, { account: 'x', cash: 12.5 }));
    await expect(client.account()).rejects.toMatchObject({ code: 'gateway_refused' });
  });

  it('shows no terminal escape and no token of what the gateway says', async () => {
    const client = await clientOf(problem(409, 'odd', { detail: '\u001b]0;gone\u0007\u202Ehi\n' }));
    const error = await client.account().catch((thrown: Error) => thrown);
    expect((error as Error).message).toBe(']0;gone hi');
    expect(JSON.stringify(error)).not.toContain('PLANTED');
  });

  it('never makes a path of an id that is none', async () => {
    const asked: string[] = [];
    const client = await clientOf((request, response) => {
      asked.push(request.url ?? '');
      response.end('{}');
    });
    for (const id of ['../account', 'a/b', '', 'x?y', 'a'.repeat(65)]) {
      await expect(client.cancelOrder(id)).rejects.toMatchObject({ code: 'not_found' });
    }
    expect(asked).toEqual([]);
  });

  it('ends reads with the run, but not an order on its way', async () => {
    const stop = new AbortController();
    const client = await clientOf(
      (request, response) => {
        stop.abort();
        if (request.method === 'POST') problem(409, 'market_closed')(request, response);
      },
      { signal: stop.signal },
    );
    await expect(client.placeOrder(draft, 'token')).rejects.toMatchObject({ code: 'market_closed' });
    await expect(client.account()).rejects.toMatchObject({ code: 'interrupted' });
  });
});
