import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { WatchlistRecord, Watchlists } from '../../../store/sandbox/broker-tables.ts';
import type { Market } from '../../market/market.ts';
import { badParameterError, notFoundError, unprocessableError } from '../books/broker-error.ts';
import { assetJson } from '../books/tradable-asset.ts';
import { type BrokerEnv, requireTrading } from './access.ts';

const listSchema = z.object({
  name: z.string().min(1).max(64),
  symbols: z.array(z.string()).default([]),
});

interface WatchlistRoutesOptions {
  watchlists: Watchlists;
  market: Market;
  now: () => number;
}

export function watchlistRoutes({ watchlists, market, now }: WatchlistRoutesOptions): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();
  const found = (context: Context<BrokerEnv>): WatchlistRecord => {
    const list = watchlists.byId(context.get('account').id, context.req.param('id') ?? '');
    if (list === undefined) throw notFoundError('watchlist not found');
    return list;
  };
  const read = async (context: Context<BrokerEnv>) => {
    const asked = listSchema.safeParse(await context.req.json().catch(() => undefined));
    if (!asked.success) throw badParameterError(`invalid ${String(asked.error.issues[0]?.path[0] ?? 'body')}`);
    const symbols = [...new Set(asked.data.symbols.map((symbol) => symbol.toUpperCase()))];
    const unknown = symbols.find((symbol) => market.symbol(symbol) === undefined);
    if (unknown !== undefined) throw unprocessableError(`asset not found for ${unknown}`);
    return { name: asked.data.name, symbols };
  };
  const whole = (list: WatchlistRecord) => ({
    ...headJson(list),
    assets: list.symbols.split(',').flatMap((symbol) => {
      const asset = market.symbol(symbol);
      return asset === undefined ? [] : [assetJson(asset)];
    }),
  });

  app.get('/v2/watchlists', (context) => context.json(watchlists.all(context.get('account').id).map(headJson)));
  app.post('/v2/watchlists', requireTrading, async (context) => {
    const { name, symbols } = await read(context);
    const made = watchlists.make(context.get('account').id, name, symbols, now());
    if (made === undefined) throw unprocessableError('watchlist name must be unique');
    return context.json(whole(made));
  });
  app.get('/v2/watchlists/:id', (context) => context.json(whole(found(context))));
  app.put('/v2/watchlists/:id', requireTrading, async (context) => {
    const { name, symbols } = await read(context);
    const list = found(context);
    const isTaken = watchlists
      .all(context.get('account').id)
      .some((other) => other.id !== list.id && other.name === name);
    if (isTaken) throw unprocessableError('watchlist name must be unique');
    return context.json(whole(watchlists.change(list, name, symbols, now())));
  });
  app.delete('/v2/watchlists/:id', requireTrading, (context) => {
    watchlists.remove(found(context));
    return context.body(null, 204);
  });

  return app;
}

function headJson({ id, account_id, name, created_at, updated_at }: WatchlistRecord) {
  return {
    id,
    account_id,
    name,
    created_at: new Date(created_at).toISOString(),
    updated_at: new Date(updated_at).toISOString(),
  };
}
