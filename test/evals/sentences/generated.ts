import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { held } from './reading.ts';

const templatesSchema = z.strictObject({
  language: z.string(),
  before: z.array(z.string()),
  after: z.array(z.string()),
  frames: z.array(z.strictObject({ do: z.string(), say: z.array(z.string()) })),
  unread: z.array(z.string()),
});

/** A sentence with what is expected of it, and whether its template is held out. */
export interface Case {
  readonly set: string;
  readonly language: string;
  readonly said: string;
  readonly expected: string;
  readonly isHeldOut: boolean;
}

export interface Generated extends Case {
  /** The words of the sentence that no planner may ignore, added to make a trap. */
  readonly unread: readonly string[];
}

type Random = <T>(some: readonly T[]) => T;

/** The same choices for the same seed, whatever the order in which templates are read. */
function randomOf(seed: string): Random {
  let at = 0;
  return (some) => {
    at += 1;
    const index = createHash('sha256').update(`${seed}/${at}`).digest().readUInt32BE() % some.length;
    return some[index] as (typeof some)[number];
  };
}

const names: readonly (readonly [said: string, symbol: string])[] = [
  ...['AAPL', 'MSFT', 'NVDA', 'KO', 'TSLA', 'VOO', 'SPY', 'QQQ', 'AMZN', 'JPM'].map((one) => [one, one] as const),
  ...[
    ['apple', 'AAPL'] as const,
    ['Microsoft', 'MSFT'] as const,
    ['nvidia', 'NVDA'] as const,
    ['Coca-Cola', 'KO'] as const,
    ['tesla', 'TSLA'] as const,
  ],
];

function fill(template: string, expected: string, random: Random): readonly [said: string, expected: string] {
  const asset = random(names);
  const own = random(names.filter(([, symbol]) => symbol in held));
  const plain = random(names.filter(([said, symbol]) => said === symbol));
  const ownPlain = random(names.filter(([said, symbol]) => said === symbol && symbol in held));
  const isEnglish = template.includes('{a}') || /[{]h[}]/.test(template);
  const holding = isEnglish ? own : ownPlain;
  const slots: Record<string, readonly [string, string]> = {
    a: asset,
    s: plain,
    h: holding,
    q: [...Array<string>(2).fill(random(['2', '3', '4', '5', '7', '8']))] as [string, string],
    u: [...Array<string>(2).fill(random(['50', '100', '250', '500']))] as [string, string],
    p: [...Array<string>(2).fill(random(['95', '145', '182.5', '240', '410']))] as [string, string],
    d: [...Array<string>(2).fill(random(['monday', 'friday', 'month']))] as [string, string],
  };
  const put = (text: string, which: 0 | 1) =>
    text.replace(/\{(\w)\}/g, (_, slot: string) => slots[slot]?.[which] ?? '');
  const wanted = put(expected, 1)
    .replace(/sell all (\S+)/g, (_, symbol: string) => `sell ${held[symbol]} ${symbol}`)
    .replace(/sell half (\S+)/g, (_, symbol: string) => `sell ${Number(held[symbol]) / 2} ${symbol}`);
  return [put(template, 0), wanted];
}

/** Two neighboring letters of one long word of a template swapped; slots stay. */
function mistyped(template: string, random: Random): string {
  const words = template.match(/(?<![{\p{L}])[a-z]{5,}(?![}\p{L}])/gu) ?? [];
  if (words.length === 0) return template;
  const word = random(words);
  const at = random(Array.from({ length: word.length - 3 }, (_, index) => index + 1));
  return template.replace(word, `${word.slice(0, at)}${word[at + 1]}${word[at]}${word.slice(at + 2)}`);
}

function noisy(template: string, { before, after }: z.infer<typeof templatesSchema>, random: Random): string {
  const kind = random(['before', 'after', 'both', 'typo', 'upper', 'point', 'spaces'] as const);
  switch (kind) {
    case 'before':
      return `${random(before)} ${template}`;
    case 'after':
      return `${template} ${random(after)}`;
    case 'both':
      return `${random(before)} ${template}, ${random(after)}`;
    case 'typo':
      return mistyped(template, random);
    case 'upper':
      return `${template.slice(0, 1).toUpperCase()}${template.slice(1)}`;
    case 'point':
      return /[.?!？。]$/.test(template) ? template : `${template}.`;
    default:
      return `  ${template.replaceAll(' ', '  ')}`;
  }
}

/** Sentences of every template, plain and noisy; half of the templates, chosen by the seed, are held out. */
export function generate(seed: string, each: number): Generated[] {
  const files = ['english.yaml', 'others.yaml'].map((file) =>
    parse(readFileSync(new URL(file, import.meta.url), 'utf8')),
  );
  return z
    .array(templatesSchema)
    .parse(files.flat())
    .flatMap((language) =>
      language.frames.flatMap(({ do: expected, say }) =>
        say.flatMap((template) => {
          const random = randomOf(`${seed}/${template}`);
          const isHeldOut = random([true, false]);
          return Array.from({ length: each }, (_, at) => {
            const text = at === 0 ? template : noisy(template, language, random);
            const [said, wanted] = fill(text, expected, random);
            const set = expected === 'none' ? 'traps' : at === 0 ? 'plain' : 'noisy';
            const { unread } = language;
            return { set, language: language.language, said, expected: wanted, isHeldOut, unread };
          });
        }),
      ),
    );
}

/** A word dropped, doubled or swapped with the next one. */
export function mutations(said: string): string[] {
  const words = said.trim().split(/\s+/);
  return words.flatMap((word, at) => [
    words.toSpliced(at, 1).join(' '),
    words.toSpliced(at, 0, word).join(' '),
    ...(at + 1 < words.length ? [words.toSpliced(at, 2, words[at + 1] ?? '', word).join(' ')] : []),
  ]);
}
