import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { ChangeListener } from '../../approval/change-notifier.ts';
import type { Clock } from '../../machine/clock.ts';
import type { PeopleStore } from '../../store/home/people.ts';
import type { ProposalStore, StoredProposal } from '../../store/proposal-store.ts';
import { type Fill, proposalFills } from './fill.ts';
import { lateOrderNews, type OrderNews } from './order-news.ts';

interface FillNotifierOptions {
  readonly database: Database;
  readonly proposals: Pick<ProposalStore, 'changedSince' | 'version'>;
  readonly people: Pick<PeopleStore, 'list'>;
  readonly news: ChangeListener;
  /** Polls a person's open orders at the broker and reports their changes. */
  readonly lookAtOrders: (sub: string) => Promise<void>;
  /** Notifies the person of a fill. Resolves once the notice was sent or abandoned, and rejects if interrupted. */
  readonly tell: (fill: Fill) => Promise<void>;
  /** Does the same as `tell`, for an order that was reported as not placed but later reached the broker. */
  readonly notifyOrder: (news: OrderNews) => Promise<void>;
  readonly clock: Clock;
  /** Reports internal errors. The message never contains an order. */
  readonly onError: (message: string) => void;
}

/** Polling interval, in ms, for orders that the gateway no longer follows and whose broker sends no updates. */
const ORDER_POLL_INTERVAL_MS = 5 * 60_000;
/** Pause before retrying after an internal error, in milliseconds. */
const RETRY_MS = 5_000;

/**
 * Notifies each person once about each of their filled orders, no matter who proposed it. Reads the proposals that
 * changed since the last version read, so orders that fill while the home is down are reported at its next start. A
 * notice is recorded only after it was sent, so a crash can repeat the notice with the same key, but never lose it.
 */
export function startFillNotifier(options: FillNotifierOptions) {
  const { proposals, people, news, clock, onError } = options;
  const told = openNotifiedFills(options.database);
  const closing = new AbortController();
  let pollAt = clock.now();

  const tellNew = async (): Promise<void> => {
    const seen = new Map<string, number>();
    const changed: StoredProposal[] = [];
    for (const { username } of await people.list()) {
      const since = told.since(username, await proposals.version(username));
      const page = await proposals.changedSince(username, since);
      changed.push(...page);
      seen.set(username, page.at(-1)?.version ?? since);
    }
    if (changed.length === 0) return;
    const news = [
      ...changed.flatMap(proposalFills).map((fill) => [fill.key, () => options.tell(fill)] as const),
      ...changed.flatMap((proposal) => {
        const late = lateOrderNews(proposal);
        return late === undefined ? [] : [[late.key, () => options.notifyOrder(late)] as const];
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
    for (const [sub, version] of seen) told.seen(sub, version);
  };

  const look = async (): Promise<void> => {
    if (clock.now() < pollAt) return;
    pollAt = clock.now() + ORDER_POLL_INTERVAL_MS;
    for (const { username } of await people.list()) {
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
        await news.next(Math.max(0, pollAt - clock.now()), [closing.signal]);
      } catch (error) {
        if (closing.signal.aborted) return;
        onError(`fills: ${error instanceof Error ? error.message : 'error'}`);
        await clock.sleep(RETRY_MS, closing.signal).catch(() => undefined);
      }
    }
  };
  // Starts asynchronously, because a home that is still being set up can't answer yet.
  const ran = Promise.resolve()
    .then(run)
    .finally(() => news.end());
  return {
    stop: () => closing.abort(),
    /** Resolves when the notifier has stopped. */
    ended: (): Promise<void> => ran,
  };
}

/** Opens the tables of sent notices and of the last version read of each person's proposals. Fills from before their creation are not reported. */
function openNotifiedFills(database: Database) {
  const begin = database.prepare<[string, number]>('INSERT OR IGNORE INTO fills_seen VALUES (?, ?)');
  const since = database.prepare<[string], number>('SELECT version FROM fills_seen WHERE sub = ?').pluck();
  const seen = database.prepare<[number, string]>('UPDATE fills_seen SET version = max(version, ?) WHERE sub = ?');
  const has = database.prepare<[string], number>('SELECT 1 FROM told_fills WHERE fill = ?').pluck();
  const note = database.prepare<[string, number]>('INSERT OR IGNORE INTO told_fills VALUES (?, ?)');
  return {
    since(sub: string, version: number): number {
      begin.run(sub, version);
      return since.get(sub) ?? version;
    },
    seen: (sub: string, version: number) => void seen.run(version, sub),
    has: (key: string) => has.get(key) !== undefined,
    note: (key: string, now: number) => void note.run(key, now),
  };
}
