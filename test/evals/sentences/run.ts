import { finagentCases } from './foreign-cases.ts';
import { type Case, generate, mutations } from './generated.ts';
import { isLarger, judge, readSentence, type Verdict } from './reading.ts';

const verdicts = ['understood', 'asked', 'not understood', 'misread'] as const satisfies readonly Verdict[];

interface Judged extends Case {
  readonly verdict: Verdict;
  readonly did: string;
}

function judged(one: Case): Judged {
  const reading = readSentence(one.said);
  // The package counts a change of the watchlist as a call of a tool; here it is neither an order nor a misreading.
  const acts =
    one.set === 'finagent-evals' ? reading.acts.filter((act) => !act.startsWith('set_watchlist')) : reading.acts;
  const did = [...reading.acts, ...reading.reads, reading.answer].join('; ');
  return { ...one, verdict: judge(one.expected, { ...reading, acts }), did };
}

/** Mutations of sentences that are understood as orders, and the same sentences with words that no reader may ignore. */
function traps(plain: readonly (Judged & { readonly unread: readonly string[] })[]): Judged[] {
  const orders = plain.filter(
    ({ set, verdict, expected }) => set === 'plain' && verdict === 'understood' && /\d/.test(expected),
  );
  return orders.flatMap(({ said, expected, language, isHeldOut, unread }) => {
    const tried = (set: string, sentence: string, isWrong: (acts: readonly string[]) => boolean): Judged => {
      const { acts, answer } = readSentence(sentence);
      const verdict = isWrong(acts) ? 'misread' : acts.length > 0 ? 'understood' : 'asked';
      return { set, language, said: sentence, expected, isHeldOut, verdict, did: [...acts, answer].join('; ') };
    };
    return [
      ...mutations(said).map((one) => tried('mutated', one, (acts) => isLarger(acts, expected.split(' + ')))),
      ...unread.flatMap((words) =>
        [`${said} ${words}`, `${words} ${said}`].map((one) => tried('unconsumed', one, (acts) => acts.length > 0)),
      ),
    ];
  });
}

function table(all: readonly Judged[]): string {
  const rows = new Map<string, Judged[]>();
  for (const one of all) {
    const key = `${one.set.padEnd(15)}${one.language.padEnd(12)}${one.isHeldOut ? 'held out' : 'open'}`;
    rows.set(key, [...(rows.get(key) ?? []), one]);
  }
  const line = (key: string, some: readonly Judged[]) =>
    [
      key.padEnd(37),
      String(some.length).padStart(7),
      ...verdicts.map((each) => String(some.filter(({ verdict }) => verdict === each).length).padStart(16)),
    ].join('');
  return [
    `${'set            language    half'.padEnd(37)}  cases${verdicts.map((each) => each.padStart(16)).join('')}`,
    ...[...rows].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, some]) => line(key, some)),
    line('all', all),
  ].join('\n');
}

/**
 * Prints how the built-in planner reads generated and published sentences. Sentences are printed only if asked for, and
 * never those of the held-out half.
 * @returns whether nothing was misread
 */
export function evaluatePlanner({
  seed,
  each,
  isPrinting,
}: {
  seed: string;
  each: number;
  isPrinting: boolean;
}): boolean {
  const generated = generate(seed, each).map((one) => ({ ...judged(one), unread: one.unread }));
  const all: Judged[] = [...generated, ...traps(generated), ...(finagentCases() ?? []).map(judged)];
  if (isPrinting) {
    for (const { said, expected, verdict, did, isHeldOut } of all) {
      if (!isHeldOut && verdict !== 'understood' && (verdict === 'misread' || expected !== 'none')) {
        process.stdout.write(`${verdict.padEnd(16)}${said}\n${' '.repeat(16)}expected ${expected}; did ${did}\n`);
      }
    }
  }
  process.stdout.write(`${table(all)}\n`);
  return all.every(({ verdict }) => verdict !== 'misread');
}
