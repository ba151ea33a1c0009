import { z } from 'zod';
import { Dec, toPlain } from '../../../trading/decimal.ts';
import { orderTypes, sides, timesInForce } from '../../../trading/order.ts';

/** An amount. Like Alpaca, accepts both a string and a number. */
const amount = z
  .union([z.string(), z.number().transform((value) => new Dec(value).toFixed())])
  .pipe(z.string().regex(/^\d{1,12}(\.\d{1,9})?$/))
  .transform((text) => toPlain(text))
  .refine((text) => new Dec(text).gt(0));
const orNull = <T>(value: T | null | undefined): T | null => value ?? null;
const optionalAmount = amount.nullish().transform(orNull);

export const orderBodySchema = z.object({
  symbol: z.string().min(1).max(32),
  side: z.enum(sides),
  type: z.enum(orderTypes),
  time_in_force: z.enum(timesInForce),
  qty: optionalAmount,
  notional: optionalAmount,
  limit_price: optionalAmount,
  stop_price: optionalAmount,
  trail_price: optionalAmount,
  trail_percent: optionalAmount,
  extended_hours: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
  client_order_id: z
    .string()
    .max(128)
    .nullish()
    .transform((value) => value || null),
  order_class: z
    .enum(['', 'simple', 'bracket', 'oco', 'oto'])
    .nullish()
    .transform((value) => (value === 'simple' ? '' : (value ?? ''))),
  position_intent: z.enum(['buy_to_open', 'buy_to_close', 'sell_to_open', 'sell_to_close']).nullish().transform(orNull),
  take_profit: z.object({ limit_price: optionalAmount }).nullish().transform(orNull),
  stop_loss: z.object({ stop_price: optionalAmount, limit_price: optionalAmount }).nullish().transform(orNull),
});

export type OrderTicket = z.output<typeof orderBodySchema>;
