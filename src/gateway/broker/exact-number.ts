import { Dec } from '../../trading/decimal.ts';

/**
 * An approved amount as a JSON number, for brokers that take no other. Its shortest text, which is what goes over the wire,
 * is the amount itself, digit for digit.
 * @throws {RangeError} for an amount that no number says exactly
 */
export function exactNumber(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && new Dec(JSON.stringify(value)).eq(text)) return value;
  throw new RangeError('an amount that no JSON number says exactly');
}
