import type { ChangeListener } from '../../approval/change-notifier.ts';
import type { Clock } from '../../machine/clock.ts';
import { createClaims } from '../../store/home/claims.ts';
import type { PeopleStore } from '../../store/home/people.ts';
import type { OtherProcesses } from '../../store/other-processes.ts';
import type { ProposalStore, StoredProposal } from '../../store/proposal-store.ts';
import { one, run, type SqlTransactions } from '../../store/sql/sql-database.ts';
import { type Fill, proposalFills } from './fill.ts';
import { lateOrderNews, type OrderNews } from './order-news.ts';

interface FillNotifierOptions {
  readonly database: SqlTransactions;
  /** The other processes that use the database, if any. Only one of the processes sends each notice. */
  readonly others?: OtherProcesses | undefined;
  readonly proposals: Pick<ProposalStore, 'changedSince' | 'version'>;
  readonly people: Pick<PeopleStore, 'list'>;
  readonly news: ChangeListener;
  /** Polls a person's open orders at the broker and reports changes. */
  readonly lookAtOrders: (sub: string) => Promise<void>;
  /** Notifies the person of a fill. Resolves when the notice was sent or abandoned, and rejects if interrupted. */
  readonly tell: (fill: Fill) => Promise<void>;
  /** Like `tell`, for an order that was reported as not placed but that reached the broker later. */
  readonly notifyOrder: (news: OrderNews) => Promise<void>;
  readonly clock: Clock;
  /** Reports internal errors. The message never contains an order. */
  readonly onError: (message: string) => void;
}

/** Polling interval in milliseconds for orders that the gateway no longer follows and whose broker sends no updates. */
const ORDER_POLL_INTERVAL_MS = 5 * 60_000;
/** Pause before retrying after an internal error, in milliseconds. */
const RETRY_MS = 5_000;
/** Pause in milliseconds before checking whether another process has sent its notices or has crashed. */
const OTHERS_CHECK_MS = 5_000;

/**
 * Notifies each person once about each of their filled orders, no matter who proposed it. Reads the proposals that
 * changed since the last version read, so fills are not missed while the home is down. A notice is recorded only after
 * it was sent. A crash can therefore repeat a notice with the same key, but never lose it.
 */
export function startFillNotifier(options: FillNotifierOptions) {
  const { proposals, people, others, news, clock, onError } = options;
  const told = openNotifiedFills(options.database, () => clock.now());
  const closing = new AbortController();
  let pollAt = clock.now();
  let isFirstPoll = true;

  /** Sends a notice, unless it was already sent. @returns false if another process is sending it */
  const tellOnce = async (key: string, tell: () => Promise<void>): Promise<boolean> => {
    if (await told.has(key)) return true;
    if (others === undefined) await tell();
    else if (await told.claim(key)) await told.hold(key, tell);
    else return await told.has(key);
    await told.note(key);
    return true;
  };

  /** Sends all new notices. @returns false if another process is still sending one of them */
  const tellNew = async (): Promise<boolean> => {
    const seen = new Map<string, number>();
    const changed: StoredProposal[] = [];
    for (const { username } of await people.list()) {
      const since = await told.since(username, await proposals.version(username));
      const page = await proposals.changedSince(username, since);
      changed.push(...page);
      seen.set(username, page.at(-1)?.version ?? since);
    }
    if (changed.length === 0) return true;
    const news = [
      ...changed.flatMap(proposalFills).map((fill) => [fill.key, () => options.tell(fill)] as const),
      ...changed.flatMap((proposal) => {
        const late = lateOrderNews(proposal);
        return late === undefined ? [] : [[late.key, () => options.notifyOrder(late)] as const];
      }),
    ];
    const done = await Promise.all([...new Map(news)].map(([key, tell]) => tellOnce(key, tell)));
    const isAll = done.every(Boolean);
    if (isAll) for (const [sub, version] of seen) await told.seen(sub, version);
    return isAll;
  };

  const look = async (): Promise<void> => {
    if (clock.now() < pollAt) return;
    pollAt = clock.now() + ORDER_POLL_INTERVAL_MS;
    for (const { username } of await people.list()) {
      if (closing.signal.aborted) return;
      // Each process polls when it starts. Later, only one process polls.
      const isOurs = others === undefined || (await told.claimPoll(username));
      if (isOurs || isFirstPoll) await options.lookAtOrders(username);
    }
    isFirstPoll = false;
  };

  const untilDue = (isAllTold: boolean): number => {
    const pause = Math.max(0, pollAt - clock.now());
    return isAllTold ? pause : Math.min(pause, OTHERS_CHECK_MS);
  };

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        news.forget();
        const isAllTold = await tellNew();
        await look();
        await news.next(untilDue(isAllTold), [closing.signal]);
      } catch (error) {
        if (closing.signal.aborted) return;
        onError(`fills: ${error instanceof Error ? error.message : 'error'}`);
        await clock.sleep(RETRY_MS, closing.signal).catch(() => undefined);
      }
    }
  };
  // Starts asynchronously, because the home can't respond until it is set up.
  const ran = Promise.resolve()
    .then(run)
    .finally(() => news.end());
  return {
    stop: () => closing.abort(),
    ended: (): Promise<void> => ran,
  };
}

/** Stores the sent notices and the last-read version of a person's proposals. Skips fills before the first read. */
function openNotifiedFills(database: SqlTransactions, now: () => number) {
  const { dialect } = database;
  const { claim, hold } = createClaims(database, 'told_fills', 'fill', now);
  return {
    async since(sub: string, version: number): Promise<number> {
      const read = () => one<{ version: number }>('SELECT version FROM fills_seen WHERE sub = @sub', { sub });
      const known = await database.read(read);
      if (known !== undefined) return known.version;
      return await database.write(function* () {
        yield* run('INSERT INTO fills_seen (sub, version) VALUES (@sub, @version) ON CONFLICT DO NOTHING', {
          sub,
          version,
        });
        return (yield* read())?.version ?? version;
      });
    },
    async seen(sub: string, version: number): Promise<void> {
      await database.run('UPDATE fills_seen SET version = @version WHERE sub = @sub AND version < @version', {
        sub,
        version,
      });
    },
    async has(key: string): Promise<boolean> {
      const row = await database.one('SELECT 1 FROM told_fills WHERE fill = @key AND told_at IS NOT NULL', { key });
      return row !== undefined;
    },
    async note(key: string): Promise<void> {
      await database.run(
        `INSERT INTO told_fills (fill, told_at) VALUES (@key, @now)
         ON CONFLICT (${dialect.tenant}fill) DO UPDATE SET told_at = coalesce(told_fills.told_at, excluded.told_at)`,
        { key, now: now() },
      );
    },
    /** Claims the sending of a notice. @returns false if another process is sending or has sent it */
    claim: (key: string): Promise<boolean> =>
      database.write(function* () {
        yield* run('INSERT INTO told_fills (fill) VALUES (@key) ON CONFLICT DO NOTHING', { key });
        return yield* claim(key, 'told_at IS NULL');
      }),
    hold,
    /** Claims a due poll of a person's open orders. @returns false if another process polled in the meantime */
    async claimPoll(sub: string): Promise<boolean> {
      const claimed = await database.run(
        `UPDATE fills_seen SET polled_at = ${dialect.now}
         WHERE sub = @sub AND polled_at <= ${dialect.now} - ${ORDER_POLL_INTERVAL_MS}`,
        { sub, now: now() },
      );
      return claimed === 1;
    },
  };
}
