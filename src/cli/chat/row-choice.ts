import type { Picker } from './chat-snapshot.ts';

/** A row chosen from a list by the arrows and Enter. */
export class RowChoice {
  readonly #changed: (picker: Picker | undefined) => void;
  #picker: Picker | undefined;
  #picked: ((row: number | undefined) => void) | undefined;

  constructor(changed: (picker: Picker | undefined) => void) {
    this.#changed = changed;
  }

  /** Resolves with the row that was taken; undefined where the list was left. */
  pick(title: string, rows: readonly string[]): Promise<number | undefined> {
    this.choose(false);
    this.#show({ title, rows, chosen: 0 });
    return new Promise((resolve) => {
      this.#picked = resolve;
    });
  }

  /** Marks the next row, or the one before; from the last to the first. */
  mark(by: 1 | -1): void {
    if (this.#picker === undefined) return;
    const { length } = this.#picker.rows;
    this.#show({ ...this.#picker, chosen: (this.#picker.chosen + by + length) % length });
  }

  /** Takes the marked row, or none. */
  choose(taken: boolean): void {
    if (this.#picker === undefined) return;
    const { chosen } = this.#picker;
    const picked = this.#picked;
    this.#picked = undefined;
    this.#show(undefined);
    picked?.(taken ? chosen : undefined);
  }

  #show(picker: Picker | undefined): void {
    this.#picker = picker;
    this.#changed(picker);
  }
}
