import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { News } from '../../approval/changes.ts';
import type { Clock } from '../../machine/clock.ts';
import type { People } from '../../store/home/people.ts';
import type { ProposalStore } from '../../store/proposal-store.ts';
import { type Fill, fillsOf } from './fill.ts';
import { lateOrderOf, type OrderNews } from './order-news.ts';

interface TellFillsOptions {
  readonly database: Database;
  readonly proposals: Pick<ProposalStore, 'changedSince' | 'version'>;
  readonly people: Pick<People, 'list'>;
  readonly news: News;
  /** Has the broker asked about a person's open orders, and those followed whose changes are told. */
  readonly lookAtOrders: (sub: string) => Promise<void>;
  /** Resolves when it is told or given up; rejects where it was cut off. */
  readonly tell: (fill: Fill) => Promise<void>;
  /** As `tell`, of an order that was reported as not placed and reached the broker later. */
  readonly tellOrder: (news: OrderNews) => Promise<void>;
  readonly clock: Clock;
  /** Told of what went wrong inside; never holds an order. */
  readonly onError: (message: string) => void;
}

/** An order that its broker tells nothing of is asked about so often, once the gateway follows it no more. */
const LOOK_MS = 5 * 60_000;
/** Something here went wrong, not at a channel: it is tried again, but not at once. */
const RETRY_MS = 5_000;

/**
 * Tells people what was filled of theirs, whoever proposed it: each order once. By what the gateway's proposals say, from where
 * this last looked: what fills while a home is down is told at its next start. That it was told is noted after it was: a crash
 * in between tells once more, under the same name, and never not at all.
 */
export function tellFills(options: TellFillsOptions) {
  const { proposals, people, news, clock, onError } = options;
  const told = openTold(options.database);
  const closing = new AbortController();
  let lookAt = clock.now();

  const tellNew = async (): Promise<void> => {
    const version = await proposals.version();
    const since = told.since(version);
    if (version === since) return;
    const everybody = people.list().map(({ username }) => username);
    const changed = (await Promise.all(everybody.map((sub) => proposals.changedSince(sub, since)))).flat();
    const news = [
      ...changed.flatMap(fillsOf).map((fill) => [fill.key, () => options.tell(fill)] as const),
      ...changed.flatMap((proposal) => {
        const late = lateOrderOf(proposal);
        return late === undefined ? [] : [[late.key, () => options.tellOrder(late)] as const];
      }),
    ];
    await Promise.all(
      [...new Map(news)]
        .filter(([key]) => !told.has(key))
        .map(async ([key, tell]) => {
          await tell();
          told.note(key, clock.now());
        }),
    );
    told.seen(version);
  };

  const look = async (): Promise<void> => {
    if (clock.now() < lookAt) return;
    lookAt = clock.now() + LOOK_MS;
    for (const { username } of people.list()) {
      if (closing.signal.aborted) return;
      await options.lookAtOrders(username);
    }
  };

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        news.forget();
        await tellNew();
        await look();
        await news.next(Math.max(0, lookAt - clock.now()), [closing.signal]);
      } catch (error) {
        if (closing.signal.aborted) return;
        onError(`fills: ${error instanceof Error ? error.message : 'error'}`);
        await clock.sleep(RETRY_MS, closing.signal).catch(() => undefined);
      }
    }
  };
  // A home that is being put together answers nothing yet.
  const ran = Promise.resolve()
    .then(run)
    .finally(() => news.end());
  return {
    stop: () => closing.abort(),
    /** Resolves when nobody is being told anything. */
    ended: (): Promise<void> => ran,
  };
}

/** What was told, and up to which version of the proposals. Of what was there before this table nobody is told. */
function openTold(database: Database) {
  const begin = database.prepare<[number]>('INSERT OR IGNORE INTO fills_seen VALUES (1, ?)');
  const since = database.prepare<[], number>('SELECT version FROM fills_seen').pluck();
  const seen = database.prepare<[number]>('UPDATE fills_seen SET version = max(version, ?)');
  const has = database.prepare<[string], number>('SELECT 1 FROM told_fills WHERE fill = ?').pluck();
  const note = database.prepare<[string, number]>('INSERT OR IGNORE INTO told_fills VALUES (?, ?)');
  return {
    since(version: number): number {
      begin.run(version);
      return since.get() ?? version;
    },
    seen: (version: number) => void seen.run(version),
    has: (key: string) => has.get(key) !== undefined,
    note: (key: string, now: number) => void note.run(key, now),
  };
}
