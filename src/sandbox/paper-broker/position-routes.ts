import { Hono } from 'hono';
import { joined } from '../instruments/crypto-pairs.ts';
import { type BrokerEnv, requireTrading } from './access.ts';
import { type Books, positionJson } from './account-json.ts';
import { BrokerError, notFound } from './broker-error.ts';
import { closingTicket } from './exchange/closing.ts';
import type { Exchange } from './exchange/exchange.ts';
import { orderJson } from './order-json.ts';
import type { PositionRecord } from './records.ts';
import { assetId } from './tradable-asset.ts';

/** What an account holds, and the ways to hold it no more. */
export function positionRoutes(books: Books, exchange: Exchange, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();
  const { ledger } = books;

  const find = (accountId: string, wanted: string): PositionRecord => {
    const position = ledger
      .positions(accountId)
      .find(({ symbol }) => joined(symbol) === joined(wanted.toUpperCase()) || assetId(symbol) === wanted);
    if (position === undefined) throw notFound('position does not exist');
    return position;
  };

  app.get('/v2/positions', (context) =>
    context.json(
      ledger.positions(context.get('account').id).map((position) => positionJson(position, books, now())),
    ),
  );

  app.get('/v2/positions/:symbol', (context) =>
    context.json(positionJson(find(context.get('account').id, context.req.param('symbol')), books, now())),
  );

  app.delete('/v2/positions/:symbol', requireTrading, (context) => {
    const { id } = context.get('account');
    const { qty, percentage } = context.req.query();
    const ticket = closingTicket(find(id, context.req.param('symbol')), { qty, percentage });
    return context.json(orderJson(exchange.place(id, ticket)));
  });

  app.post('/v2/positions/:symbol/exercise', requireTrading, (context) => {
    exchange.exercise(context.get('account').id, context.req.param('symbol').toUpperCase());
    return context.body(null, 200);
  });

  app.delete('/v2/positions', requireTrading, (context) => {
    const { id } = context.get('account');
    if (context.req.query('cancel_orders') === 'true') exchange.cancelAll(id);
    const closed = ledger.positions(id).map((position) => {
      const { symbol } = position;
      try {
        return {
          symbol: joined(symbol),
          status: 200,
          body: orderJson(exchange.place(id, closingTicket(position, {}))),
        };
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        return { symbol: joined(symbol), status: error.status };
      }
    });
    return context.json(closed, 207);
  });

  return app;
}
