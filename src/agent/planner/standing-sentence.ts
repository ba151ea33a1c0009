import type { StandingIntent } from './intent.ts';
import { readOrder } from './order-sentence.ts';
import { takeWhen, waitsFor } from './standing-when.ts';
import { NotUnderstood, Words } from './words.ts';

/**
 * "buy $200 of VTI every Monday", "sell 5 NVDA if it falls below 100 before Friday". Undefined without a time or price
 * to wait for.
 */
export function readStanding(clause: string): StandingIntent | undefined {
  if (!/\b(?:buy|sell|purchase)\b/i.test(clause)) return undefined;
  const timed = takeWhen(clause);
  if (timed === undefined) return undefined;
  const words = new Words(timed.rest);
  const order = readOrder(words);
  if (order === undefined) return undefined;
  const { request, fraction, mayBeTotal } = order;
  const symbol = String(request.symbol);
  if (fraction !== undefined) {
    throw new NotUnderstood(
      'How many shares? What is a part today may be another then.',
      `Say the number: "${request.side} 5 ${symbol.toUpperCase()} …".`,
    );
  }
  const { type = 'market', time_in_force = 'day', extended_hours = false, order_class } = request;
  const isPlain = ['market', 'limit'].includes(type) && order_class === undefined;
  if (!isPlain || time_in_force !== 'day' || extended_hours) {
    throw new NotUnderstood(
      'The gateway places market and limit orders by itself, each for the day.',
      `Leave the other terms out. ${waitsFor}`,
    );
  }
  if (timed.of !== undefined && timed.of.toLowerCase() !== symbol.toLowerCase()) {
    throw new NotUnderstood(
      `Is it the price of ${timed.of} or of ${symbol.toUpperCase()} that is to be waited for?`,
      `The gateway can wait for the price of what it orders: "… if ${symbol.toUpperCase()} falls below 100".`,
    );
  }
  return { kind: 'standing', request, when: timed.when, ...(mayBeTotal ? { mayBeTotal } : {}) };
}
