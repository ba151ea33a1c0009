import { describe, expect, it } from 'vitest';
import { type Choice, ChoicePicker, type Picker, rankChoices } from '../../../../src/cli/chat/choices.ts';
import { manualClock } from '../manual-clock.ts';

const apple: Choice = { label: 'AAPL', what: 'Apple Inc.' };
const microsoft: Choice = { label: 'MSFT', what: 'Microsoft Corporation' };
const alphabet: Choice = { label: 'GOOGL', what: 'Alphabet Inc.', also: ['google'] };
const all = [microsoft, alphabet, apple];
const labels = (choices: readonly Choice[]) => choices.map(({ label }) => label);

describe('the order of choices', () => {
  it('is the given one until something is typed', () => {
    expect(rankChoices('', all)).toBe(all);
    expect(rankChoices('  ', all)).toBe(all);
  });

  it('puts a name that starts with it first, then other names, letters in order, and descriptions', () => {
    expect(labels(rankChoices('a', all))).toEqual(['AAPL']);
    expect(labels(rankChoices('goog', all))).toEqual(['GOOGL']);
    expect(labels(rankChoices('mf', all))).toEqual(['MSFT']);
    expect(labels(rankChoices('inc', all))).toEqual(['GOOGL', 'AAPL']);
    expect(labels(rankChoices('corp micro', all))).toEqual(['MSFT']);
    expect(rankChoices('corp apple', all)).toEqual([]);
  });
});

function opened() {
  const clock = manualClock();
  let shown: Picker | undefined;
  const picker = new ChoicePicker(clock, (now) => {
    shown = now;
  });
  return { clock, picker, shown: () => shown };
}

describe('a list to pick from', () => {
  it('moves its mark around, by pages only to the ends, and gives what is marked', async () => {
    const { picker, shown } = opened();
    const picked = picker.pick({ title: 'Which?', choices: all });
    picker.mark(-1);
    expect(shown()?.chosen).toBe(2);
    picker.mark(1);
    expect(shown()?.chosen).toBe(0);
    picker.mark(8);
    expect(shown()?.chosen).toBe(2);
    picker.choose(true);
    expect(await picked).toBe(apple);
    expect(shown()).toBeUndefined();
  });

  it('gives nothing where it is canceled, or another one is opened', async () => {
    const { picker } = opened();
    const first = picker.pick({ title: 'Which?', choices: all });
    const second = picker.pick({ title: 'And which?', choices: all });
    expect(await first).toBeUndefined();
    picker.choose(false);
    expect(await second).toBeUndefined();
  });

  it('is narrowed by what is typed, and stays open where nothing matches', async () => {
    const { picker, shown } = opened();
    const picked = picker.pick({ title: 'Which?', choices: all });
    picker.type(() => 'micro');
    expect(labels(shown()?.choices ?? [])).toEqual(['MSFT']);
    picker.type((typed) => `${typed}x`);
    expect(shown()?.choices).toEqual([]);
    picker.choose(true);
    expect(shown()?.typed).toBe('microx');
    picker.type((typed) => typed.slice(0, -1));
    picker.choose(true);
    expect(await picked).toBe(microsoft);
  });

  it('takes another name where it is not complete', async () => {
    const { picker, shown } = opened();
    const other = (typed: string) => (/^\w+$/.test(typed) ? { label: typed.toUpperCase(), what: 'other' } : undefined);
    const picked = picker.pick({ title: 'Which?', choices: all, other });
    picker.type(() => 'aapl');
    expect(labels(shown()?.choices ?? [])).toEqual(['AAPL']);
    picker.type(() => 'a b');
    expect(shown()?.choices).toEqual([]);
    picker.type(() => 'ko');
    picker.choose(true);
    expect(await picked).toEqual({ label: 'KO', what: 'other' });
  });

  it('asks for more once typing pauses, and shows nothing of an answer that comes too late', async () => {
    const { clock, picker, shown } = opened();
    const asked: string[] = [];
    const answers = new Map<string, (choices: readonly Choice[]) => void>();
    const search = (typed: string) => {
      asked.push(typed);
      return new Promise<readonly Choice[]>((resolve) => answers.set(typed, resolve));
    };
    void picker.pick({ title: 'Which?', choices: all, search });
    for (const typed of ['k', 'ko']) picker.type(() => typed);
    await clock.slept(250);
    clock.advance(250);
    await expect.poll(() => asked).toEqual(['ko']);
    picker.type(() => 'app');
    await clock.slept(250);
    clock.advance(250);
    await expect.poll(() => asked).toEqual(['ko', 'app']);
    answers.get('ko')?.([{ label: 'KO', what: 'Coca-Cola' }]);
    answers.get('app')?.([{ label: 'APP', what: 'AppLovin' }, apple]);
    await expect.poll(() => labels(shown()?.choices ?? [])).toEqual(['AAPL', 'APP']);
  });

  it('stays as it is where the search fails', async () => {
    const { clock, picker, shown } = opened();
    let asked = 0;
    const search = () => {
      asked++;
      return Promise.reject(new Error('down'));
    };
    void picker.pick({ title: 'Which?', choices: all, search });
    picker.type(() => 'msft');
    await clock.slept(250);
    clock.advance(250);
    await expect.poll(() => asked).toBe(1);
    expect(labels(shown()?.choices ?? [])).toEqual(['MSFT']);
  });
});
