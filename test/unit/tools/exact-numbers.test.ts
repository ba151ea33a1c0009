import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseArguments, toDecimalText } from '../../../src/tools/exact-numbers.ts';
import { parseOrderRequest } from '../../../src/tools/place-order.ts';
import { positiveDecimalString } from '../../../src/trading/decimal.ts';

const schema = z.strictObject({
  qty: positiveDecimalString.optional(),
  targets: z.array(z.strictObject({ weight: positiveDecimalString })).optional(),
  days: z.number().optional(),
});
const parsed = (json: string) => parseArguments(schema, JSON.parse(json));

describe('a JSON number where a decimal string is asked for', () => {
  it.each([
    ['1', '1'],
    ['1.50', '1.5'],
    ['60.25', '60.25'],
    ['1e3', '1000'],
    ['1e-7', '0.0000001'],
    ['123456789012345', '123456789012345'],
    ['0.000000000001', '0.000000000001'],
  ])('%s is %s', (written, text) => {
    expect(parsed(`{"qty":${written}}`).data).toEqual({ qty: text });
    expect(toDecimalText(Number(written))).toBe(text);
  });

  it.each([
    ['1e400'],
    ['-1e400'],
    ['1e21'],
    ['0.1234567890123456789'],
    ['9007199254740993'],
    ['0.30000000000000004'],
    ['1e-13'],
    ['-1'],
    ['0'],
    ['true'],
    ['[1]'],
  ])('%s is refused', (written) => {
    const { success, error } = parsed(`{"qty":${written}}`);
    expect([success, error?.issues[0]?.path]).toEqual([false, ['qty']]);
  });

  it('that is none is refused', () => {
    expect(parseArguments(schema, { qty: Number.NaN }).success).toBe(false);
  });

  it('is taken within lists too, and a number stays one where that is asked for', () => {
    const args = { targets: [{ weight: 0.6 }, { weight: '0.1' }, { weight: 0.3 }], qty: 1, days: 5 };
    expect(parseArguments(schema, args).data).toEqual({
      targets: [{ weight: '0.6' }, { weight: '0.1' }, { weight: '0.3' }],
      ...{ qty: '1', days: 5 },
    });
    expect(args.targets[0]).toEqual({ weight: 0.6 });
  });

  it('is refused in an order too when it may not be the number that was written', () => {
    const order = { symbol: 'AAPL', side: 'buy' };
    expect(parseOrderRequest({ ...order, qty: 1 }).qty).toBe('1');
    expect(() => parseOrderRequest({ ...order, qty: 2 ** 53 })).toThrow(/qty: must be a plain decimal/);
  });
});
