import { Hono } from 'hono';
import { z } from 'zod';
import { BrokerError } from './broker-error.ts';
import type { Exchange } from './exchange/exchange.ts';
import type { Ledger } from './ledger.ts';
import { orderJson } from './order-json.ts';

const whole = z.string().regex(/^[1-9]\d{0,5}$/);
const bodySchema = z.strictObject({
  user: z.string(),
  qty: whole,
  limit_price: z.string().regex(/^-?\d{1,6}(\.\d{1,2})?$/),
  legs: z
    .array(
      z.strictObject({
        symbol: z.string(),
        ratio_qty: whole,
        position_intent: z.enum(['buy_to_open', 'buy_to_close', 'sell_to_open', 'sell_to_close']),
      }),
    )
    .min(2)
    .max(4),
});

/**
 * For tests of what reads orders: `POST /admin/multi-leg-orders {user, qty, limit_price, legs: [{symbol, ratio_qty,
 * position_intent}]}` books a spread as if it had been placed in the broker's own app. Mount it behind the admin secret.
 */
export function adminOrderRoutes(ledger: Ledger, exchange: Pick<Exchange, 'bookMultiLeg'>): Hono {
  const app = new Hono();
  app.post('/admin/multi-leg-orders', async (context) => {
    const read = bodySchema.safeParse(await context.req.json().catch(() => undefined));
    if (!read.success) return context.json({ message: z.prettifyError(read.error) }, 400);
    const { user, ...terms } = read.data;
    const account = ledger.accountOf(user);
    if (account === undefined) return context.json({ message: `nobody is called ${user}` }, 400);
    try {
      return context.json(orderJson(exchange.bookMultiLeg(account.id, terms)), 201);
    } catch (error) {
      if (error instanceof BrokerError) return context.json({ message: error.message }, 400);
      throw error;
    }
  });
  return app;
}
