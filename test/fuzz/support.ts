import fc from 'fast-check';

/** Seconds of the whole run; half of them guided by coverage, a quarter for routes by chance, a quarter for parsers. */
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 60);
export const msOf = (share: number) => SECONDS * 1000 * share;

/** fast-check for this share of the time; a failure is shrunk and reported with its seed. */
export const forShare = (share: number) => ({
  numRuns: Number.MAX_SAFE_INTEGER,
  interruptAfterTimeLimit: msOf(share),
  markInterruptAsFailure: false,
  endOnFailure: false,
});

export const words = [
  ...[
    'buy',
    'sell',
    '5',
    'AAPL',
    'MSFT',
    'limit',
    '180',
    'at',
    'stop',
    'half',
    'my',
    'all',
    'every',
    'monday',
    'if',
    'above',
  ],
  ...[
    '$',
    '%',
    '-1',
    '1e9',
    'NaN',
    '0.1',
    '２',
    'and then',
    ',',
    ';',
    '"',
    "'",
    '\\',
    '{',
    '}',
    '[',
    ']',
    ':',
    '\n',
    '\t',
  ],
  ...[
    '\u0000',
    '\u202e',
    '\u200b',
    '\ud800',
    'Å',
    '5m',
    '2h',
    '3d',
    '/',
    '--',
    '=',
    'null',
    'true',
    '__proto__',
    'quote',
  ],
];

export const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.json({ maxDepth: 4 }),
  fc.array(fc.constantFrom(...words), { maxLength: 30 }).map((some) => some.join(' ')),
);

/** Any JSON, or one of these with up to three parts replaced or removed. */
export function like(...sound: readonly unknown[]): fc.Arbitrary<unknown> {
  const part = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom<unknown>(...words), text);
  const changed = fc
    .tuple(fc.constantFrom(...sound), fc.array(fc.tuple(fc.nat(), fc.option(part)), { minLength: 1, maxLength: 3 }))
    .map(([base, changes]) => changes.reduce((value, [at, by]) => replaced(value, at, by), base));
  return fc.oneof({ weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }) }, { weight: 4, arbitrary: changed });
}

/** Null removes the part. */
function replaced(value: unknown, at: number, by: unknown): unknown {
  const places: { readonly within: Record<string, unknown>; readonly name: string }[] = [];
  const copy: unknown = structuredClone(value);
  const left = [copy];
  while (left.length > 0) {
    const within = left.pop();
    if (typeof within !== 'object' || within === null) continue;
    for (const [name, inner] of Object.entries(within)) {
      places.push({ within: within as Record<string, unknown>, name });
      left.push(inner);
    }
  }
  const place = places[at % Math.max(1, places.length)];
  if (place === undefined) return by;
  if (by === null) delete place.within[place.name];
  else place.within[place.name] = by;
  return copy;
}
