/** In [0, 1). */
export type Random = () => number;

export interface Breeding {
  readonly random: Random;
  readonly corpus: readonly string[];
  readonly words: readonly string[];
  readonly longest: number;
}

type Mutation = (text: string, breeding: Breeding) => string;

const pick = <T>(random: Random, from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
const place = (random: Random, text: string) => Math.floor(random() * (text.length + 1));
const token = /[\w.$%]+|[^\w\s]/g;

function span({ random }: Breeding, text: string): [from: number, to: number] {
  const from = place(random, text);
  const length = Math.ceil(random() ** 3 * Math.min(text.length, 40));
  return [from, Math.min(text.length, from + length)];
}

function withToken(text: string, random: Random, change: (token: string) => string): string {
  const found = pick(random, [...text.matchAll(token)]);
  if (found === undefined) return text;
  return `${text.slice(0, found.index)}${change(found[0])}${text.slice(found.index + found[0].length)}`;
}

const numbers = [
  '0',
  '-1',
  '1',
  '0.1',
  '1e9',
  '1e-9',
  '999999999999',
  '9007199254740993',
  '-0',
  'NaN',
  '00',
  '1.',
  '.5',
];
/** Confusable, invisible, direction-changing, or half of a character. */
const signs = [...'"\'\\{}[]():,;|#&*!%@`<>=+-/~^$?. \n\r\t', ...'\0\u200b\u202e\u2028\ufeff\ud800\u0130ßé٣２', '😀'];

const mutations: readonly Mutation[] = [
  (text, breeding) => {
    const [from, to] = span(breeding, text);
    return text.slice(0, from) + text.slice(to);
  },
  (text, breeding) => {
    const [from, to] = span(breeding, text);
    const at = place(breeding.random, text);
    return text.slice(0, at) + text.slice(from, to) + text.slice(at);
  },
  (text, { random }) => {
    const at = place(random, text);
    return text.slice(0, at) + pick(random, signs) + text.slice(random() < 0.5 ? at : at + 1);
  },
  (text, { random, words }) => {
    const at = place(random, text);
    const space = random() < 0.5 ? ' ' : '';
    return text.slice(0, at) + space + (pick(random, words) ?? '') + space + text.slice(at);
  },
  (text, { random, words }) => withToken(text, random, (found) => pick(random, words) ?? found),
  (text, { random }) => withToken(text, random, () => pick(random, numbers) ?? ''),
  (text, { random, corpus }) => {
    const other = pick(random, [...(pick(random, corpus) ?? '').matchAll(token)]);
    return withToken(text, random, (found) => other?.[0] ?? found);
  },
  (text, { random, corpus }) => {
    const other = pick(random, corpus) ?? '';
    return text.slice(0, place(random, text)) + other.slice(place(random, other));
  },
  (text, { random, words }) => withValue(text, random, words),
  (text, breeding) => {
    const [from, to] = span(breeding, text);
    return text.slice(0, to) + text.slice(from, to).repeat(1 + Math.floor(breeding.random() * 20)) + text.slice(to);
  },
];

/** Replaces, removes or doubles a value of a JSON text. */
function withValue(text: string, random: Random, words: readonly string[]): string {
  const start = text.search(/[[{]/);
  if (start < 0) return text;
  let json: unknown;
  try {
    json = JSON.parse(text.slice(start));
  } catch {
    return text;
  }
  const places: (readonly [within: Record<string, unknown>, name: string])[] = [];
  const left: unknown[] = [json];
  while (left.length > 0) {
    const within = left.pop();
    if (typeof within !== 'object' || within === null) continue;
    for (const [name, inner] of Object.entries(within)) {
      places.push([within as Record<string, unknown>, name]);
      left.push(inner);
    }
  }
  const found = pick(random, places);
  if (found === undefined) return text;
  const [within, name] = found;
  const other = pick(random, places);
  const values: readonly (() => unknown)[] = [
    () => null,
    () => pick(random, words),
    () => Number(pick(random, numbers)),
    () => pick(random, numbers),
    () => [within[name]],
    () => ({}),
    () => [],
    () => random() < 0.5,
    () => (other === undefined ? null : structuredClone(other[0][other[1]])),
    () => [within[name], within[name]],
  ];
  const chance = random();
  if (chance < 0.15) delete within[name];
  else if (chance < 0.25) within[pick(random, words) ?? name] = within[name];
  else within[name] = pick(random, values)?.();
  return text.slice(0, start) + JSON.stringify(json);
}

export function bred(breeding: Breeding): string {
  const { random, corpus, longest } = breeding;
  // The newest got furthest; of two the shorter is read sooner, and more of it matters.
  const newest = random() < 0.4 ? corpus.at(-1 - Math.floor(random() * 20)) : undefined;
  const [one = '', other = one] = [newest ?? pick(random, corpus), pick(random, corpus)];
  let text = other.length < one.length ? other : one;
  for (let times = 1 + Math.floor(random() ** 2 * 6); times > 0; times--) {
    text = pick(random, mutations)?.(text, breeding) ?? text;
  }
  return text.slice(0, longest);
}
