import { describe, expect, it, vi } from 'vitest';
import { resolveAccount } from '../../../../src/tools/gateway/account-requests.ts';
import { createGatewayClient } from '../../../../src/tools/gateway/gateway-client.ts';
import type { AccountEntry } from '../../../../src/trading/account-entry.ts';

const entry = (account: string | null, broker: string, label: string): AccountEntry => ({
  ...{ account, broker, label, environment: 'paper', default: false },
  ...(account === null ? { problem: 'broker_unavailable' } : {}),
});
const entries = [entry('A1', 'alpaca', 'Alpaca'), entry('B2', 'ira', 'Old IRA account'), entry(null, 'ibkr', 'IBKR')];

describe('an account that is called by a name', () => {
  it.each([
    ['A1', 'A1'],
    ['a1', 'A1'],
    ['ira', 'B2'],
    ['IRA account', 'B2'],
    ['old ira', 'B2'],
    ['Alpaca', 'A1'],
  ])('"%s" is %s', (name, account) => {
    expect(resolveAccount(name, entries).account).toBe(account);
  });

  it.each(['', 'B', 'nosuch', 'account'])('"%s" is none', (name) => {
    expect(() => resolveAccount(name, entries)).toThrow(
      expect.objectContaining({ code: 'usage', hint: expect.stringContaining('A1 (Alpaca, "alpaca")') }),
    );
  });

  it('that is of two is neither, unless it is the number of one', () => {
    const alike = [entry('ira', 'one', 'One'), entry('B2', 'ira', 'Two')];
    expect(resolveAccount('ira', alike).broker).toBe('one');
    expect(() => resolveAccount('IRA', alike)).toThrow('matches several');
  });

  it('whose broker can’t be asked says so, rather than that there is none', () => {
    expect(() => resolveAccount('ibkr', entries)).toThrow('is unavailable');
  });
});

describe('a gateway’s client for one account', () => {
  const asked: { path: string; body: unknown }[] = [];
  const client = createGatewayClient({
    profile: { gateway: 'https://gateway.example', account_of: undefined },
    fetch: async (url, init) => {
      const { pathname, search } = new URL(String(url));
      asked.push({
        path: pathname + search,
        body: init?.body === undefined ? undefined : JSON.parse(String(init.body)),
      });
      return new Response('{}', { status: 404 });
    },
  });
  const pathOf = async (ask: (gateway: typeof client) => Promise<unknown>, account: string | undefined) => {
    asked.length = 0;
    await ask(account === undefined ? client : client.inAccount(account)).catch(() => undefined);
    return asked[0];
  };

  it.each<[string, (gateway: typeof client) => Promise<unknown>]>([
    ['/v1/account', (gateway) => gateway.account()],
    ['/v1/positions', (gateway) => gateway.positions()],
    ['/v1/orders?status=open&limit=50', (gateway) => gateway.orders()],
    ['/v1/clock', (gateway) => gateway.clock()],
    ['/v1/policy', (gateway) => gateway.policy()],
  ])('asks for %s of it', async (path, ask) => {
    expect((await pathOf(ask, undefined))?.path).toBe(path);
    const about = `${path.includes('?') ? '&' : '?'}account=B%202`;
    expect((await pathOf(ask, 'B 2'))?.path).toBe(`${path}${about}`);
  });

  it.each<[string, (gateway: typeof client) => Promise<unknown>]>([
    ['/v1/accounts', (gateway) => gateway.accounts()],
    ['/v1/proposals?state=all&limit=100', (gateway) => gateway.proposals()],
  ])('asks for %s of the person, whichever account it is for', async (path, ask) => {
    expect((await pathOf(ask, 'B2'))?.path).toBe(path);
  });

  it('proposes for it, by the person’s own word, and for another where that is named', async () => {
    const order = { symbol: 'AAPL', side: 'buy', qty: '5' } as const;
    const provenance = { fields: { symbol: { source: 'user' } } } as const;
    const sent = async (request: Parameters<typeof client.propose>[0]) =>
      (await pathOf((gateway) => gateway.propose(request, 'key'), 'B2'))?.body;
    expect(await sent({ kind: 'order', order, provenance })).toMatchObject({
      order: { account: 'B2' },
      provenance: { fields: { account: { source: 'user' }, symbol: { source: 'user' } } },
    });
    expect(await sent({ kind: 'order', order: { ...order, account: 'A1' } })).toMatchObject({
      order: { account: 'A1' },
    });
    expect(await sent({ kind: 'cancel', cancel: { order_id: 'x' } })).toMatchObject({
      cancel: { account: 'B2' },
    });
    expect(await sent({ kind: 'batch', batch: { orders: [order, { ...order, symbol: 'KO' }] } })).toMatchObject({
      batch: { orders: [{ account: 'B2' }, { account: 'B2' }] },
    });
  });
});

describe('activities', () => {
  /** A gateway that refuses the second page as often as this. */
  const limited = (refusals: number) => {
    let left = refusals;
    return createGatewayClient({
      profile: { gateway: 'https://gateway.example', account_of: undefined },
      fetch: async (url) => {
        const page = new URL(String(url)).searchParams.get('page');
        if (page === '2' && left-- > 0) return new Response('{}', { status: 429 });
        return Response.json({ activities: [], next_page: page === null ? '2' : null });
      },
    });
  };

  it('wait where the gateway reads no faster, and give up in the end', async () => {
    vi.useFakeTimers();
    try {
      const patient = limited(5).activities({ after: 0 });
      await vi.advanceTimersByTimeAsync(5_000);
      expect(await patient).toEqual([]);
      const tried = limited(10).activities({ after: 0 });
      const refused = expect(tried).rejects.toMatchObject({ details: { status: 429 } });
      await vi.advanceTimersByTimeAsync(10_000);
      await refused;
    } finally {
      vi.useRealTimers();
    }
  });
});
