import { Hono } from 'hono';
import type { Session } from '../../trading/trading-calendar.ts';
import { cryptoPair, cryptoPairs } from '../instruments/crypto-pairs.ts';
import type { Market } from '../market/market.ts';
import { newYorkDate, newYorkTimestamp } from '../market/new-york-time.ts';
import type { BrokerEnv } from './access.ts';
import { badParameter, notFound, unprocessable } from './broker-error.ts';
import { assetId, assetJson, cryptoJson } from './tradable-asset.ts';

/** The longest range of the calendar. */
const MOST_DAYS = 70 * 366;

/** When the market trades, and what is traded in it. */
export function marketRoutes(market: Market, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();

  app.get('/v2/clock', (context) =>
    context.json({
      timestamp: newYorkTimestamp(now()),
      is_open: market.isOpen(),
      next_open: newYorkTimestamp(market.nextOpen()),
      next_close: newYorkTimestamp(market.nextClose()),
    }),
  );

  app.get('/v2/calendar', (context) => {
    const start = dateOf(context.req.query('start'), 'start') ?? '2024-01-01';
    const end = dateOf(context.req.query('end'), 'end') ?? '2030-12-31';
    if (Date.parse(end) - Date.parse(start) > MOST_DAYS * 86_400_000)
      throw unprocessable('the range is too long');
    return context.json(market.sessions(start, end).map((session) => sessionJson(session, market)));
  });

  app.get('/v2/assets', (context) => {
    const { status, asset_class, exchange: listed } = context.req.query();
    if (status && status !== 'active') return context.json([]);
    const assets = [...market.symbols().map(assetJson), ...cryptoPairs().map(cryptoJson)];
    const wanted = asset_class || 'us_equity';
    return context.json(
      assets.filter((asset) => asset.class === wanted && (!listed || asset.exchange === listed)),
    );
  });
  app.get('/v2/assets/:symbol', (context) => {
    const wanted = context.req.param('symbol');
    const pair =
      cryptoPair(wanted.toUpperCase()) ?? cryptoPairs().find(({ symbol }) => assetId(symbol) === wanted);
    if (pair !== undefined) return context.json(cryptoJson(pair));
    const asset =
      market.symbol(wanted.toUpperCase()) ??
      market.symbols().find(({ symbol }) => assetId(symbol) === wanted);
    if (asset === undefined) throw notFound(`asset not found for ${wanted}`);
    return context.json(assetJson(asset));
  });

  return app;
}

/** The Calendar schema of Alpaca's Trading API. */
function sessionJson(session: Session, market: Market) {
  const wall = (at: number) => newYorkTimestamp(at).slice(11, 16);
  // The last minute of a day that closes at midnight, so that close always comes after open.
  const closing = (at: number) => (wall(at) === '00:00' ? '23:59' : wall(at));
  return {
    date: session.date,
    open: wall(session.open),
    close: closing(session.close),
    session_open: wall(session.extendedOpen).replace(':', ''),
    session_close: closing(session.extendedClose).replace(':', ''),
    settlement_date: newYorkDate(market.nextOpen(session.close)),
  };
}

function dateOf(text: string | undefined, name: string): string | undefined {
  if (text === undefined) return undefined;
  const [date] = /^\d{4}-\d{2}-\d{2}/.exec(text) ?? [];
  if (date === undefined || Number.isNaN(Date.parse(date))) throw badParameter(`invalid ${name}`);
  return date;
}
