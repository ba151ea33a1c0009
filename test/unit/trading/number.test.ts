import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dec } from '../../../src/trading/decimal.ts';
import type { DecimalNumber } from '../../../src/trading/number.ts';
import { Rate } from '../../../src/trading/portfolio/value-point.ts';

/*
 * Every sum, product, quotient, comparison and text is held to decimal.js, to the last digit.
 */

const settings = { rounding: Decimal.ROUND_HALF_EVEN, toExpNeg: -30, toExpPos: 40 };
const Forty = Decimal.clone({ ...settings, precision: 40 });
const Twenty = Decimal.clone({ ...settings, precision: 20 });
const kinds = [
  ['forty digits', Dec, Forty],
  ['twenty digits', Rate, Twenty],
] as const;

/** As brokers write them, and longer, shorter, larger and smaller than any. */
const digits = (most: number) =>
  fc
    .tuple(
      fc.constantFrom('', '-'),
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: most }),
    )
    .map(([sign, all]) => `${sign}${all.join('')}`);
const amount = fc
  .tuple(digits(18), fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 }))
  .map(([whole, places]) => (places.length === 0 ? whole : `${whole}.${places.join('')}`));
const anything = fc
  .tuple(digits(60), fc.integer({ min: -90, max: 60 }))
  .map(([whole, exponent]) => `${whole}e${exponent}`);
const far = fc
  .tuple(digits(45), fc.integer({ min: -9000, max: 9000 }))
  .map(([whole, exponent]) => `${whole}E${exponent}`);
const round = fc.constantFrom('0', '1', '-1', '0.5', '2', '10', '-0.1', '100', '1e30', '0.00', '7', '3');
const text = fc.oneof(amount, amount, anything, round);
const near = fc.oneof(amount, round);

const same = (ours: DecimalNumber, theirs: Decimal) => {
  // Nothing has no sign here.
  expect(ours.toString()).toBe(theirs.isZero() ? '0' : theirs.toString());
};

describe.each(kinds)('a number of %s', (_, Ours, Theirs) => {
  const both = (a: string) => [new Ours(a), new Theirs(a)] as const;

  it('adds, takes away, multiplies and divides as decimal.js', () => {
    fc.assert(
      fc.property(fc.oneof(text, far), fc.oneof(text, far), (a, b) => {
        const [x, u] = both(a);
        const [y, v] = both(b);
        same(x.plus(y), u.plus(v));
        same(x.minus(y), u.minus(v));
        same(x.mul(y), u.mul(v));
        if (v.isZero()) expect(() => x.div(y)).toThrow(RangeError);
        else same(x.div(y), u.div(v));
        expect(x.comparedTo(y)).toBe(u.comparedTo(v));
        expect([x.gt(b), x.gte(b), x.lt(b), x.lte(b), x.eq(b)]).toEqual([
          u.gt(b),
          u.gte(b),
          u.lt(b),
          u.lte(b),
          u.eq(b),
        ]);
        same(Dec.max(x, y), Forty.max(u, v));
        same(Dec.min(x, y), Forty.min(u, v));
      }),
      { numRuns: 600 },
    );
  });

  it('goes on with a result as decimal.js', () => {
    const step = fc.tuple(fc.constantFrom('plus', 'minus', 'mul', 'div', 'neg', 'abs'), text);
    fc.assert(
      fc.property(text, fc.array(step, { maxLength: 30 }), (first, steps) => {
        let [x, u]: [DecimalNumber, Decimal] = [...both(first)];
        for (const [what, by] of steps) {
          if (what === 'neg' || what === 'abs') [x, u] = [x[what](), u[what]()];
          else if (what !== 'div' || !new Theirs(by).isZero())
            [x, u] = [x[what as 'plus'](by), u[what as 'plus'](by)];
          same(x, u);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('rounds a quotient that ends in a half to even, and one just beside it away', () => {
    for (const [a, b] of [
      ['1', '3'],
      ['-2', '3'],
      [`1${'0'.repeat(39)}5`, '10'],
      [`1${'0'.repeat(38)}15`, '10'],
      [`1${'0'.repeat(19)}5`, '1e7'],
      [`-1${'0'.repeat(18)}15`, '1e-7'],
      [`1${'0'.repeat(39)}5${'0'.repeat(30)}1`, '1'],
      [`2${'0'.repeat(39)}1`, '2'],
      ['0', '7'],
    ] as const)
      same(both(a)[0].div(b), both(a)[1].div(b));
  });

  it('takes whole parts, and the steps to places, as decimal.js', () => {
    const places = fc.integer({ min: 0, max: 20 });
    const how = fc.constantFrom(
      Dec.ROUND_UP,
      Dec.ROUND_DOWN,
      Dec.ROUND_CEIL,
      Dec.ROUND_FLOOR,
      Dec.ROUND_HALF_EVEN,
    );
    fc.assert(
      fc.property(fc.oneof(text, far), places, how, (a, many, rounding) => {
        const [x, u] = both(a);
        same(x.toDecimalPlaces(many), u.toDecimalPlaces(many));
        same(x.toDecimalPlaces(many, rounding), u.toDecimalPlaces(many, rounding));
        same(x.ceil(), u.ceil());
        same(x.floor(), u.floor());
        expect(x.isInteger()).toBe(u.isInteger());
        expect(x.isZero()).toBe(u.isZero());
        expect(x.isNegative()).toBe(u.isNegative() && !u.isZero());
        expect(x.decimalPlaces()).toBe(u.decimalPlaces());
        expect(x.toFixed()).toBe(u.toFixed());
        expect(x.toFixed(many)).toBe(u.toFixed(many));
        expect(x.toFixed(many, rounding)).toBe(u.toFixed(many, rounding));
        expect(x.toNumber()).toBe(u.isZero() ? 0 : u.toNumber());
        expect(JSON.stringify({ x })).toBe(JSON.stringify({ x: u.isZero() ? new Theirs(0) : u }));
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(text, text, (a, b) => {
        if (!new Theirs(b).isZero()) same(both(a)[0].divToInt(b), both(a)[1].divToInt(b));
      }),
      { numRuns: 300 },
    );
  });

  it('takes e to a number as decimal.js', () => {
    const exponents = fc.oneof(
      near.map((value) => new Theirs(value).mod(60).toFixed()),
      fc.integer({ min: -60_000, max: 60_000 }).map((value) => String(value / 1000)),
      fc.double({ min: -60, max: 60, noNaN: true }).map(String),
      fc.constantFrom('0', '1e-45', '-1e-19', '1e-90', '50', '-50', '50.001'),
    );
    fc.assert(
      fc.property(exponents, (power) => same(both(power)[0].exp(), both(power)[1].exp())),
      { numRuns: 1000 },
    );
  });

  it('takes roots and powers as decimal.js', () => {
    const small = fc.integer({ min: -100_000, max: 100_000 }).map((value) => String(value / 1000));
    fc.assert(
      fc.property(near, small, (a, b) => {
        const [x, u] = both(a);
        same(both(b)[0].exp(), both(b)[1].exp());
        if (!u.isNegative()) same(x.sqrt(), u.sqrt());
        if (!u.isNegative() && !u.isZero()) same(x.pow(b), u.pow(b));
      }),
      { numRuns: 40 },
    );
  });
});

describe('what is written', () => {
  it.each(['1', '-1', '+1', '0', '-0', '00012.50', '.5', '5.', '1e3', '1E-3', '-1.5e+2', '.5e1'])(
    'as %s is read as decimal.js reads it',
    (written) => same(new Dec(written), new Forty(written)),
  );

  it.each([0, 1, -1.5, 0.1, 1e21, 1e-9, 123456789.123, Number.MAX_VALUE, Number.MIN_VALUE])(
    'as the number %d, likewise',
    (value) => same(new Dec(value), new Forty(value)),
  );

  it.each([
    '',
    ' ',
    '1 ',
    ' 1',
    '1_000',
    '0x10',
    '1n',
    'abc',
    '.',
    '-',
    '1e',
    '--1',
    '1.2.3',
    'NaN',
    'Infinity',
  ])('as "%s" is no number', (written) => expect(() => new Dec(written)).toThrow('not a decimal number'));

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('as %d is no number', (value) => {
    expect(() => new Dec(value)).toThrow('not a decimal number');
  });
});

it('a sum of what is far apart is made at once, whatever the exponent', () => {
  const large = new Dec('1e900000000');
  expect(large.plus('1e-900000000').eq(large)).toBe(true);
  expect(large.minus(1).lt(large)).toBe(false);
  expect(new Dec('1e-900000000').gt(0)).toBe(true);
  expect(new Dec('-1e-900000000').toDecimalPlaces(2, Dec.ROUND_UP).toFixed()).toBe('-0.01');
});
