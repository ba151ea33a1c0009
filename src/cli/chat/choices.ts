import type { Clock } from '../../machine/clock.ts';

/** A row of a list from which the person picks. */
export interface Choice {
  readonly label: string;
  /** Text after the label, such as a command's arguments. Not searched. */
  readonly args?: string;
  readonly what: string;
  /** Other names under which people look for the choice. */
  readonly also?: readonly string[];
}

/**
 * Returns the choices that match all typed words, best match first. Labels and other names match fuzzily from the start
 * of a word: `ptf` finds `portfolio`, `foo` does not. Descriptions match only from the start of a word.
 */
export function rankChoices<T extends Choice>(typed: string, all: readonly T[]): readonly T[] {
  const words = typed
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return all;
  return all
    .map((choice) => ({ choice, rank: words.reduce((sum, word) => sum + rankOf(word, choice), 0) }))
    .filter(({ rank }) => Number.isFinite(rank))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ choice }) => choice);
}

/** Minimum length of a word to search descriptions for. Shorter words occur in too many descriptions. */
const MIN_DESCRIPTION_WORD = 3;

function rankOf(word: string, { label, what, also = [] }: Choice): number {
  const names = [nameRank(word, label), ...also.map((name) => 1 + nameRank(word, name))];
  const described = word.length >= MIN_DESCRIPTION_WORD && wordStart(word, what.toLowerCase()) >= 0;
  return Math.min(...names, described ? 4 : Number.POSITIVE_INFINITY);
}

function nameRank(word: string, name: string): number {
  const within = name.toLowerCase();
  if (wordStart(word, within) >= 0) return 0;
  if (within.includes(word)) return 2;
  let at = wordStart(word.charAt(0), within);
  for (const character of word) {
    if (at < 0) return Number.POSITIVE_INFINITY;
    at = within.indexOf(character, at);
    if (at >= 0) at++;
  }
  return at < 0 ? Number.POSITIVE_INFINITY : 3;
}

/** Returns the position of the first word that starts with `start`, or -1 if there is none. */
function wordStart(start: string, text: string): number {
  let at = text.indexOf(start);
  while (at > 0 && /[\p{L}\p{N}]/u.test(text[at - 1] ?? '')) at = text.indexOf(start, at + 1);
  return at;
}

export interface Picker {
  readonly title: string;
  readonly typed: string;
  /** The choices that match the typed text. */
  readonly choices: readonly Choice[];
  readonly chosen: number;
}

interface Offer<T extends Choice> {
  readonly title: string;
  readonly choices: readonly T[];
  /** Converts the typed text to a choice, for lists that do not contain every possible choice. */
  readonly other?: (typed: string) => T | undefined;
  /** Finds more choices for the typed text. Its failures are ignored. */
  readonly search?: (typed: string) => Promise<readonly T[]>;
}

/** Milliseconds without a keystroke before `search` is called, so that not every letter causes a request. */
const SEARCH_PAUSE_MS = 250;

/** Shows one list of choices at a time, narrows the list while the person types, and returns the selected choice. */
export class ChoicePicker {
  readonly #clock: Clock;
  readonly #changed: (picker: Picker | undefined) => void;
  #picker: Picker | undefined;
  #offer: Offer<Choice> | undefined;
  #found: readonly Choice[] = [];
  #picked: ((choice: Choice | undefined) => void) | undefined;
  #typing = new AbortController();

  constructor(clock: Clock, changed: (picker: Picker | undefined) => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  /** Opens a list. Resolves with the selected choice, or undefined if the person cancels. */
  pick<T extends Choice>(offer: Offer<T>): Promise<T | undefined> {
    this.choose(false);
    this.#offer = offer as unknown as Offer<Choice>;
    this.#narrow('');
    return new Promise((resolve) => {
      this.#picked = resolve as (choice: Choice | undefined) => void;
    });
  }

  /** Moves the selection. A single step past one end of the list leads to the other end. */
  mark(by: number): void {
    if (this.#picker === undefined) return;
    const { choices, chosen } = this.#picker;
    const last = choices.length - 1;
    const next = chosen + by;
    const wrapped = Math.abs(by) > 1 ? Math.max(0, Math.min(last, next)) : next > last ? 0 : next < 0 ? last : next;
    this.#show({ ...this.#picker, chosen: Math.max(0, wrapped) });
  }

  type(change: (typed: string) => string): void {
    if (this.#picker !== undefined) this.#narrow(change(this.#picker.typed));
  }

  choose(taken: boolean): void {
    if (this.#picker === undefined) return;
    const { choices, chosen } = this.#picker;
    // With nothing to select, Enter does nothing.
    if (taken && choices.length === 0) return;
    const picked = this.#picked;
    this.#picked = undefined;
    this.#typing.abort();
    this.#found = [];
    this.#show(undefined);
    picked?.(taken ? choices[chosen] : undefined);
  }

  #narrow(typed: string): void {
    if (this.#offer === undefined) return;
    const { title, search } = this.#offer;
    this.#found = rankChoices(typed, this.#found);
    this.#typing.abort();
    this.#typing = new AbortController();
    this.#show({ title, typed, choices: this.#matching(typed), chosen: 0 });
    if (search !== undefined && typed.trim() !== '') void this.#searchMore(search, typed, this.#typing.signal);
  }

  #matching(typed: string): readonly Choice[] {
    if (this.#offer === undefined) return [];
    const { choices, other } = this.#offer;
    const known = new Set(choices.map(({ label }) => label));
    const matching = [...rankChoices(typed, choices), ...this.#found.filter(({ label }) => !known.has(label))];
    if (other === undefined || typed.trim() === '') return matching;
    const made = other(typed.trim());
    return made === undefined || matching.some(({ label }) => label === made.label) ? matching : [...matching, made];
  }

  async #searchMore(search: NonNullable<Offer<Choice>['search']>, typed: string, signal: AbortSignal): Promise<void> {
    const found = await this.#clock
      .sleep(SEARCH_PAUSE_MS, signal)
      .then(() => search(typed.trim()))
      .catch(() => []);
    if (signal.aborted || this.#picker === undefined) return;
    this.#found = found;
    const marked = this.#picker.choices[this.#picker.chosen];
    const choices = this.#matching(typed);
    // Keeps the mark on the choice to which the person moved it.
    const chosen =
      this.#picker.chosen === 0
        ? 0
        : Math.max(
            0,
            choices.findIndex(({ label }) => label === marked?.label),
          );
    this.#show({ ...this.#picker, choices, chosen });
  }

  #show(picker: Picker | undefined): void {
    this.#picker = picker;
    this.#changed(picker);
  }
}
