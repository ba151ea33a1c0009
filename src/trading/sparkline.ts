import { Dec } from './decimal.ts';

const BLOCKS = '▁▂▃▄▅▆▇█';
const PLAIN = '_.-=*#';

function levels(values: readonly string[], steps: number): number[] {
  const exact = values.map((value) => new Dec(value));
  const low = Dec.min(...exact);
  const span = Dec.max(...exact).minus(low);
  return exact.map((value) =>
    span.isZero()
      ? Math.floor((steps - 1) / 2)
      : value
          .minus(low)
          .div(span)
          .mul(steps - 1)
          .round()
          .toNumber(),
  );
}

/** Draws values as a sparkline of `width` characters. Returns an empty string if there are too few values. */
export function sparkline(values: readonly string[], width: number, unicode: boolean): string {
  if (values.length < 2 || width < 1) return '';
  const signs = unicode ? BLOCKS : PLAIN;
  const shown = resample(values, Math.min(width, values.length));
  return levels(shown, signs.length)
    .map((level) => signs[level] ?? '')
    .join('');
}

function resample<T>(values: readonly T[], count: number): T[] {
  if (count >= values.length) return [...values];
  if (count === 1) return values.slice(-1);
  return Array.from(
    { length: count },
    (_, index) => values[Math.round((index * (values.length - 1)) / (count - 1))] as T,
  );
}
