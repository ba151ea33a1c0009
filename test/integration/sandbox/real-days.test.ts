import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../src/sandbox/sandbox.ts';

/** Days of March 2020; on Wednesday it fell to 271.86 and closed above. */
const APPLE = `date,open,high,low,close,volume
2020-03-09,263.75,278.09,263.00,266.17,71686200
2020-03-10,277.14,286.44,269.37,285.34,71322500
2020-03-11,277.39,281.22,271.86,275.43,64094900
2020-03-12,255.94,270.00,248.00,248.23,104618500
`;

let folder: string;
let sandbox: Sandbox | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-real-days-'));
  mkdirSync(join(folder, 'days'));
  writeFileSync(join(folder, 'days', 'AAPL.csv'), APPLE);
});
afterEach(async () => {
  await sandbox?.close();
  sandbox = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const days = (first?: string): Pick<SandboxOptions, 'marketData'> => ({
  marketData: { folder: join(folder, 'days'), ...(first === undefined ? {} : { start: first }) },
});
const start = async (market = days('2020-03-10')) => {
  sandbox = await startSandbox({ home: join(folder, 'home'), port: 0, partialFills: false, ...market });
};

async function ask<T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<T> {
  if (sandbox === undefined) throw new Error('nothing was started');
  const { ready, seed } = sandbox;
  const key = seed.users.find(({ username }) => username === 'alice')?.broker_key;
  const answer = await fetch(`${ready.broker}${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(path.startsWith('/admin/')
        ? { authorization: `Bearer ${seed.admin_secret}` }
        : { 'APCA-API-KEY-ID': key?.key_id ?? '', 'APCA-API-SECRET-KEY': key?.secret ?? '' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await answer.json()) as T;
}
const moveTo = (now: string) => ask<{ now?: string; message?: string }>('PUT', '/admin/clock', { now });
const clock = () => ask<{ timestamp: string; is_open: boolean; next_open: string }>('GET', '/v2/clock');

describe('a sandbox on real days', () => {
  it('trades them at their own time, and an order meets the day’s low on the way', async () => {
    await start();
    const timestamp = expect.stringMatching(/^2020-03-10T09:30/);
    expect(await clock()).toMatchObject({ is_open: true, timestamp });
    const order = { symbol: 'AAPL', side: 'buy', type: 'limit', qty: '10', time_in_force: 'gtc' };
    const placed = (limit_price: string) => ask<{ id: string }>('POST', '/v2/orders', { ...order, limit_price });
    const [reached, missed] = [await placed('272.00'), await placed('240.00')];
    await moveTo('2020-03-11T20:30:00Z');
    // Tuesday rises from its low of 269.37 at a third of the session; a cent of spread on either side of it.
    const filled = await ask<Record<string, string>>('GET', `/v2/orders/${reached.id}`);
    expect(filled.status).toBe('filled');
    expect(filled.filled_at).toMatch(/^2020-03-10T15:40:00/);
    expect(Number(filled.filled_avg_price)).toBeLessThan(269.42);
    expect((await ask<Record<string, string>>('GET', `/v2/orders/${missed.id}`)).status).toBe('new');
    expect(await clock()).toMatchObject({ is_open: false, next_open: '2020-03-12T09:30:00.000-04:00' });
    const quote = await ask<{ trade: { p: number } }>('GET', '/v2/stocks/AAPL/trades/latest');
    expect(quote.trade.p).toBe(275.43);
    expect(await ask('GET', '/v2/assets')).toMatchObject([{ symbol: 'AAPL' }]);
  });

  it('moves its time on alone, and not beyond its days', async () => {
    await start();
    expect(await moveTo('2020-03-09T20:00:00Z')).toEqual({ message: 'the market’s clock can’t go backward' });
    expect(await moveTo('2020-03-14T20:00:00Z')).toEqual({ message: 'the recorded market days end before that' });
    expect(await moveTo('tomorrow')).toEqual({ message: expect.stringContaining('2026-03-02T20:00:00Z') });
  });

  it('goes on at the next start where it was', async () => {
    await start();
    await moveTo('2020-03-11T15:00:00Z');
    await sandbox?.close();
    await start(days());
    expect((await clock()).timestamp).toMatch(/^2020-03-11T11:0/);
  });

  it('is refused on a home whose accounts are of later days, which stays as it was', async () => {
    await start({});
    await sandbox?.close();
    await expect(start()).rejects.toMatchObject({ code: 'usage', hint: expect.stringContaining('--home') });
    await start({});
    expect((await clock()).timestamp).not.toMatch(/^2020/);
  });
});
