import { Hono } from 'hono';
import { z } from 'zod';
import { sameSecret } from '../../secrets/constant-time.ts';
import type { Market } from '../market/market.ts';
import type { BookedOrder } from './order-json.ts';

/**
 * For tests and demonstrations, with the admin secret as Bearer: `GET /admin/book`; `PUT /admin/prices/SYMBOL
 * {"price": "180.00"}` holds a price, `DELETE` lets it go again. After a change resting orders are matched at once.
 */
export function adminRoutes(options: {
  secret: string;
  market: Market;
  book: () => BookedOrder[];
  settle: () => void;
}): Hono {
  const app = new Hono();
  app.use('/admin/*', async (context, next) => {
    const given = context.req.header('authorization') ?? '';
    if (!sameSecret(given, `Bearer ${options.secret}`)) return context.json({ message: 'unauthorized' }, 401);
    return next();
  });
  app.get('/admin/book', (context) => context.json({ orders: options.book() }));
  const hold = (symbol: string, price: string | undefined): string | undefined => {
    try {
      options.market.setPrice(symbol.toUpperCase(), price);
    } catch (error) {
      if (error instanceof RangeError) return error.message;
      throw error;
    }
    options.settle();
    return undefined;
  };
  app.put('/admin/prices/:symbol', async (context) => {
    const body = z.object({ price: z.string() }).safeParse(await context.req.json().catch(() => undefined));
    if (!body.success) return context.json({ message: 'send {"price": "180.00"}' }, 400);
    const symbol = context.req.param('symbol');
    const wrong = hold(symbol, body.data.price);
    return wrong === undefined
      ? context.json(options.market.quote(symbol.toUpperCase()))
      : context.json({ message: wrong }, 400);
  });
  app.delete('/admin/prices/:symbol', (context) => {
    const wrong = hold(context.req.param('symbol'), undefined);
    return wrong === undefined ? context.body(null, 204) : context.json({ message: wrong }, 400);
  });
  return app;
}
