import type Database from 'better-sqlite3-multiple-ciphers';
import type { Clock } from '../../src/machine/clock.ts';
import type { Activity } from './activity.ts';

/** Thrown into code whose process is gone. Whatever it does about it no longer reaches anything. */
export class Gone extends Error {
  override name = 'Gone';
}

/** One simulated process. It may die or be stopped before and after each request, sleep and statement. */
export class Life {
  readonly name: string;
  /** Its database does not answer: no statement and no transaction begins. */
  isStoreAway = false;
  readonly died: Promise<void>;
  readonly #activity: Activity;
  #left = Number.POSITIVE_INFINITY;
  #untilPause = Number.POSITIVE_INFINITY;
  #dead = false;
  #tellDeath: () => void = () => undefined;
  #gate: Promise<void> | undefined;
  #open: () => void = () => undefined;

  constructor(name: string, activity: Activity) {
    this.name = name;
    this.#activity = activity;
    this.died = new Promise((resolve) => {
      this.#tellDeath = resolve;
    });
  }

  get dead(): boolean {
    return this.#dead;
  }

  get paused(): boolean {
    return this.#gate !== undefined;
  }

  /** Dies at the n-th point from now; at 0 at once. */
  dieAfter(points: number): void {
    this.#left = points;
    if (points <= 0) this.#die();
  }

  /** Is stopped at the n-th point from now where it waits anyway; at 0 at once. */
  pauseAfter(points: number): void {
    this.#untilPause = points;
    if (points <= 0) this.#pause();
  }

  #pause(): void {
    this.#untilPause = Number.POSITIVE_INFINITY;
    if (this.#gate !== undefined || this.#dead) return;
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  unpause(): void {
    this.#untilPause = Number.POSITIVE_INFINITY;
    this.#gate = undefined;
    this.#open();
  }

  /** A point between two statements. @throws {Gone} */
  pass(): void {
    if (!this.#dead && --this.#left <= 0) this.#die();
    if (this.#dead) throw new Gone(`${this.name} is gone`);
  }

  /** A point where it waits anyway: dead, it never goes on; stopped, it goes on later. */
  async cross(): Promise<void> {
    this.#activity.sign();
    if (!this.#dead && --this.#left <= 0) this.#die();
    if (--this.#untilPause <= 0) this.#pause();
    if (this.#gate !== undefined || this.#dead) await this.running();
  }

  /** Goes on once the process runs: unlike `cross` no point at which it may die or be stopped. Dead, it never goes on. */
  async running(): Promise<void> {
    while (this.#gate !== undefined && !this.#dead) await this.#gate;
    // A promise of its own each time: a shared one would keep all that ever waited for it in memory.
    if (this.#dead) await new Promise(() => undefined);
  }

  /** Work outside the process, seen from inside it. */
  async outside<T>(work: () => Promise<T>): Promise<T> {
    await this.cross();
    const result = await work().then(
      (value) => ({ ok: true as const, value }),
      (error: unknown) => ({ ok: false as const, error }),
    );
    await this.cross();
    if (result.ok) return result.value;
    throw result.error;
  }

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      sleep: (ms, signal) => this.outside(() => clock.sleep(ms, signal)),
    };
  }

  #die(): void {
    this.#dead = true;
    this.#open();
    this.#tellDeath();
  }
}

/** As PostgreSQL says that it is shut down (57P01). */
export class StoreAway extends Error {
  override name = 'StoreAway';
  readonly code = '57P01';
  constructor() {
    super('terminating connection due to administrator command');
  }
}

/** Called after each statement of the process's that changed rows. */
export type StatementWatch = (sql: string, parameters: readonly unknown[]) => void;

/** Makes every statement and transaction of an open database points of a life. */
export function livingDatabase<D extends Database.Database>(database: D, life: Life, watch?: StatementWatch): D {
  const prepare = database.prepare.bind(database);
  const exec = database.exec.bind(database);
  const transaction = database.transaction.bind(database);
  let depth = 0;
  const between = () => {
    if (depth === 0) life.pass();
    else if (life.dead) throw new Gone(`${life.name} is gone`);
  };
  const around = <T>(work: () => T): T => {
    between();
    if (life.isStoreAway && depth === 0) throw new StoreAway();
    const result = work();
    between();
    return result;
  };
  const patched = database as unknown as Record<string, unknown>;
  // Made when it is first used: a process has hundreds of statements, and most histories use a few of them.
  patched.prepare = (sql: string) => {
    let made: Database.Statement | undefined;
    let isPlucked = false;
    const statement = () => {
      made ??= isPlucked ? prepare(sql).pluck() : prepare(sql);
      return made as unknown as Record<string, (...parameters: unknown[]) => unknown>;
    };
    const called =
      (name: 'run' | 'get' | 'all') =>
      (...parameters: unknown[]) =>
        around(() => {
          const result = statement()[name]?.(...parameters);
          if (name === 'run' && (result as { changes: number }).changes > 0) watch?.(sql, parameters);
          return result;
        });
    const lazy = {
      ...{ run: called('run'), get: called('get'), all: called('all') },
      pluck() {
        isPlucked = true;
        return lazy;
      },
    };
    return lazy;
  };
  patched.exec = (sql: string) => around(() => exec(sql));
  patched.transaction = (work: (...parameters: unknown[]) => unknown) => {
    const made = transaction((...parameters: unknown[]) => {
      depth += 1;
      try {
        return work(...parameters);
      } finally {
        depth -= 1;
      }
    });
    const wrapped = (...parameters: unknown[]) => around(() => made(...parameters));
    const immediate = (...parameters: unknown[]) => around(() => made.immediate(...parameters));
    return Object.assign(wrapped, { immediate, deferred: wrapped, exclusive: immediate, default: wrapped });
  };
  return database;
}
