import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Decimal } from 'decimal.js';
import { build, type PluginBuild } from 'esbuild';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const { leanDependencies } = (await import(
  new URL('../../../scripts/bundle/lean-dependencies.mjs', import.meta.url).href
)) as { leanDependencies(): { name: string; setup(its: PluginBuild): void } };

const folder = mkdtempSync(join(tmpdir(), 'decimal-'));
afterAll(() => rmSync(folder, { recursive: true }));
let shipped: typeof Decimal;
beforeAll(async () => {
  const lean = leanDependencies();
  const { outputFiles } = await build({
    stdin: { contents: `export { Decimal } from 'decimal.js';`, resolveDir: import.meta.dirname },
    bundle: true,
    format: 'esm',
    write: false,
    // Most of what it mends is not in here.
    plugins: [{ ...lean, setup: (its) => lean.setup({ ...its, onEnd: () => undefined }) }],
  });
  const text = outputFiles[0]?.text ?? '';
  expect(text).toContain('roundOff');
  const file = join(folder, 'decimal.mjs');
  writeFileSync(file, text);
  ({ Decimal: shipped } = (await import(pathToFileURL(file).href)) as { Decimal: typeof Decimal });
});

const digits = fc.stringMatching(/^\d{1,45}$/);
const number = fc.oneof(
  fc
    .tuple(fc.constantFrom('', '-'), digits, fc.option(digits), fc.option(fc.integer({ min: -40, max: 40 })))
    .map(([sign, whole, part, exponent]) => {
      return `${sign}${whole}${part === null ? '' : `.${part}`}${exponent === null ? '' : `e${exponent}`}`;
    }),
  fc.constantFrom('0', '-0', '1', '0.5', '9999999', '10000000', '99999999999999', '1e-7', 'Infinity', 'NaN'),
);
const settings = fc.record({
  precision: fc.constantFrom(1, 5, 7, 14, 20, 40),
  rounding: fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 8) as fc.Arbitrary<Decimal.Rounding>,
  // Narrow, so that results leave them.
  maxE: fc.constantFrom(9e15, 30),
  minE: fc.constantFrom(-9e15, -30),
});

/** All that the project does with numbers, and what else rounds. */
function results(of: typeof Decimal, config: Decimal.Config, a: string, b: string, places: number): string[] {
  const Dec = of.clone({ ...config });
  const [x, y] = [new Dec(a), new Dec(b)];
  const found = [x.plus(y), x.minus(y), x.times(y), x.div(y), x.divToInt(y), x.mod(y), x.neg(), x.abs()];
  found.push(x.toDP(places), x.toSD(places + 1), x.round(), x.floor(), x.abs().sqrt(), Dec.max(x, y));
  return [
    ...found.map((one) => `${one.s} ${one.e} ${one.d?.join() ?? 'none'} ${one.toString()}`),
    ...[x.toFixed(places), x.toFixed(), x.toPrecision(places + 1), String(x.cmp(y)), String(x.eq(y))],
    ...[x.toString(), y.toString()],
  ];
}

describe('decimal.js as it is shipped', () => {
  it('comes to the same digits as the library itself', () => {
    fc.assert(
      fc.property(settings, number, number, fc.integer({ min: 0, max: 12 }), (config, a, b, places) => {
        expect(results(shipped, config, a, b, places)).toEqual(results(Decimal, config, a, b, places));
      }),
      { numRuns: 3000 },
    );
  });

  it('and so do powers, roots and logarithms, which round within', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 50, noNaN: true }), fc.integer({ min: 1, max: 9 }), (a, n) => {
        const of = (Dec: typeof Decimal) => {
          const x = new (Dec.clone({ precision: 30 }))(a);
          return [x.ln(), x.exp(), x.pow(n), x.pow('0.3'), x.cbrt(), x.log(10)].map(String);
        };
        expect(of(shipped)).toEqual(of(Decimal));
      }),
      { numRuns: 40 },
    );
  });
});
