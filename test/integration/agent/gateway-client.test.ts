import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TradeAgentError } from '../../../src/errors/errors.ts';
import { createGatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import type { GatewayClientOptions } from '../../../src/tools/gateway/gateway-requests.ts';
import type { ProposalRequestInput } from '../../../src/trading/proposal.ts';
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
const request: ProposalRequestInput = { kind: 'order', order: { symbol: 'AAPL', side: 'buy', qty: '5' } };

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
    [429, 'too_many_open', 'blocked'],
    [429, 'resting', 'blocked'],
    [409, 'proposal_executing', 'outcome_unknown'],
    [404, 'a_code_of_a_later_version', 'gateway_refused'],
  ])('turns %d %s into %s', async (status, code, expected) => {
    const client = await clientOf(problem(status, code));
    for (const call of [client.account(), client.propose(request, 'key')]) {
      await expect(call).rejects.toMatchObject({
        code: expected,
        message: `detail of ${code}`,
        details: { status, problem: code },
      });
    }
  });

  it('tells what the gateway’s problem says, unharmed but for what a terminal would obey', async () => {
    const members = {
      reason: 'ORDER_EXCEEDS_MAX_NOTIONAL',
      reasons: [{ reason: 'ORDER_EXCEEDS_MAX_NOTIONAL', limit: '500.00', value: null }],
      limit: '500.00',
      value: 900,
      broker_message: 'no \u001b[2Jway',
      secret: 'not a member that is known',
    };
    const error = await (await clientOf(problem(403, 'policy_denied', members)))
      .propose(request, 'key')
      .catch((thrown: TradeAgentError) => thrown.details);
    const { secret: _, ...known } = members;
    expect(error).toEqual({ status: 403, problem: 'policy_denied', ...known, broker_message: 'no way' });
  });

  it('reads a time-out as unreachable', async () => {
    const client = await clientOf(() => {}, { timeoutMs: 50 });
    await expect(client.account()).rejects.toMatchObject({ code: 'gateway_unreachable' });
  });

  it('gives a long poll as long as it asked the gateway to wait', async () => {
    const asked: string[] = [];
    const client = await clientOf(
      ({ url }, response) => {
        asked.push(url ?? '');
        setTimeout(() => problem(404, 'not_found')({} as never, response as never), 200);
      },
      { timeoutMs: 50 },
    );
    const look = client.proposal('pr_1', { waitSeconds: 1, since: '2026-11-24T15:00:00.000Z' });
    await expect(look).rejects.toMatchObject({ code: 'not_found' });
    expect(asked).toEqual(['/v1/proposals/pr_1?wait=1&since=2026-11-24T15%3A00%3A00.000Z']);
  });

  it('asks a question again, once, whose connection broke; a proposal or a cancel never', async () => {
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
    await expect(client.propose(request, 'key')).rejects.toMatchObject({ code: 'gateway_unreachable' });
    await expect(client.cancelOrder('o1')).rejects.toMatchObject({ code: 'gateway_unreachable' });
    expect(seen).toEqual(['GET', 'GET', 'GET', 'GET', 'POST', 'DELETE']);
  });

  it('refuses an answer of another shape, naming the field', async () => {
    const client = await clientOf(answering(200, { account: 'x', cash: 12.5 }));
    await expect(client.account()).rejects.toMatchObject({ code: 'gateway_refused' });
  });

  it('shows no terminal escape and no token of what the gateway says', async () => {
    const client = await clientOf(problem(409, 'odd', { detail: '\u001b]0;gone\u0007\u202Ehi\n' }));
    const error = await client.account().catch((thrown: Error) => thrown);
    expect((error as Error).message).toBe('hi');
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
      await expect(client.proposal(id)).rejects.toMatchObject({ code: 'not_found' });
      await expect(client.withdraw(id)).rejects.toMatchObject({ code: 'not_found' });
    }
    expect(asked).toEqual([]);
  });

  it('ends with the run', async () => {
    const stop = new AbortController();
    const client = await clientOf(() => stop.abort(), { signal: stop.signal });
    await expect(client.account()).rejects.toMatchObject({ code: 'interrupted' });
  });
});
