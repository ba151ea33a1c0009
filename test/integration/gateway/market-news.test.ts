import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { articleSchema, corporateActionSchema, watchlistSchema } from '../../../src/trading/market-news.ts';
import type { World as PaperBrokerWorld } from '../sandbox/paper-broker-world.ts';
import { answerOf, startPaperWorld, type World } from './support/world.ts';

/** The gateway in front of the sandbox's own broker, over HTTP. */
let paper: PaperBrokerWorld;
let world: World;
beforeAll(async () => {
  ({ paper, world } = await startPaperWorld());
});
afterAll(async () => {
  await world.close();
  await paper.close();
});

const read = (path: string) => world.read(path);
const change = async (body: unknown, path = '/v1/watchlist') =>
  answerOf(world.send('PATCH', path, await world.reader('watchlist:write'), body));

describe('/v1/news', () => {
  it('is the newest, about what was asked for, and says that it is simulated', async () => {
    const { body } = await read('/v1/news?symbols=AAPL,KO&limit=3');
    const news = z.array(articleSchema).parse(body.news);
    expect(news).toHaveLength(3);
    const isAsked = (symbols: readonly string[]) => /^(AAPL|KO)$/.test(symbols.join());
    expect(news.every(({ simulated, symbols }) => simulated && isAsked(symbols))).toBe(true);
    expect((await read('/v1/news?symbols=AAPL,KO&limit=3')).body).toEqual(body);
  });

  it.each([
    ['/v1/news?limit=51', 400, 'invalid_query'],
    ['/v1/news?symbols=', 400, 'invalid_query'],
    ['/v1/news?symbols=NOSUCH', 404, 'unknown_symbol'],
    ['/v1/corporate-actions?symbols=AAPL', 400, 'invalid_query'],
    ['/v1/corporate-actions?symbols=AAPL&start=2026-12-01&end=2026-11-01', 400, 'invalid_query'],
    ['/v1/corporate-actions?symbols=AAPL&start=2020-01-01&end=2026-11-01', 400, 'invalid_query'],
    ['/v1/assets/NOSUCH', 404, 'unknown_symbol'],
    ['/v1/assets/no%20ticker', 404, 'unknown_symbol'],
  ])('%s is refused: %d %s', async (path, status, code) => {
    expect(await read(path)).toMatchObject({ status, body: { code } });
  });
});

it('/v1/assets/{symbol} tells what the broker knows', async () => {
  expect((await read('/v1/assets/AAPL')).body).toMatchObject({ symbol: 'AAPL', exchange: 'NASDAQ' });
});

it('/v1/corporate-actions gives those of a stretch', async () => {
  const symbols = paper.market.symbols().map(({ symbol }) => symbol);
  const stretch = 'start=2026-06-01&end=2026-12-31&limit=4';
  const { body } = await read(`/v1/corporate-actions?symbols=${symbols.slice(0, 10)}&${stretch}`);
  const actions = z.array(corporateActionSchema).parse(body.actions);
  expect(actions).toHaveLength(4);
  expect(body.more).toBe(true);
  const isDividend = ({ kind, cash }: (typeof actions)[number]) => kind === 'cash_dividend' && cash;
  expect(actions.every((action) => isDividend(action) && action.simulated)).toBe(true);
});

describe('/v1/watchlist', () => {
  it('takes changes that come at once, one after the other', async () => {
    expect((await read('/v1/watchlist')).body).toEqual({ symbols: [], updated_at: null });
    const added = ['AAPL', 'KO', 'MSFT', 'NVDA'];
    await Promise.all(added.map((symbol) => change({ add: [symbol] })));
    expect(watchlistSchema.parse((await read('/v1/watchlist')).body).symbols.toSorted()).toEqual(added);
    const { body } = await change({ add: ['AAPL'], remove: ['KO', 'TSLA'] });
    expect((body.symbols as string[]).toSorted()).toEqual(['AAPL', 'MSFT', 'NVDA']);
  });

  it.each<[string, unknown, number, string]>([
    ['an unknown symbol', { add: ['NOSUCH'] }, 404, 'unknown_symbol'],
    ['no symbol', { add: ['buy now'] }, 400, 'invalid_query'],
    ['a field that it has not', { add: [], name: 'x' }, 400, 'invalid_query'],
    ['too many', { add: Array.from({ length: 21 }, () => 'AAPL') }, 400, 'invalid_query'],
  ])('refuses %s', async (_, body, status, code) => {
    expect(await change(body)).toMatchObject({ status, body: { code } });
  });

  it('is changed for nobody else', async () => {
    expect((await change({ add: ['F'] }, '/v1/watchlist?for=bob')).status).toBe(400);
    expect((await read('/v1/watchlist')).body.symbols).not.toContain('F');
  });
});
