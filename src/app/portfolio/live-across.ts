import type { AccountEntry } from '../../trading/account-entry.ts';
import { totalsAcross } from '../../trading/portfolio/totals-across.ts';
import type { Proposal } from '../../trading/proposal.ts';
import { inOne, type MissingAccount } from '../accounts/each-account.ts';
import type { App } from '../app.ts';
import { type LiveFigures, liveFigures } from './live-figures.ts';
import type { PortfolioAcross } from './portfolio-across.ts';

/** Between two tries at an account that could not be read. */
const AGAIN_MS = 30_000;

/** All of a person's accounts as they stand at an instant. */
export interface LiveAcross extends PortfolioAcross {
  /** When the oldest of their prices were read, milliseconds since the epoch. */
  readonly at: number;
  /** Whether those of any are no longer what the market says. */
  readonly stale: boolean;
}

/**
 * Keeps all of a person's accounts up to date until `signal` aborts, each by itself. One that can't be read is named, and tried
 * again.
 * @throws {TradeAgentError} `login_required`, and what asking for the accounts does
 */
export async function liveAcross(
  app: App,
  {
    signal,
    changed,
    told,
  }: {
    readonly signal: AbortSignal;
    readonly changed: (across: LiveAcross) => void;
    readonly told: (proposal: Proposal) => void;
  },
): Promise<void> {
  const entries = await app.accounts();
  const live = new Map<AccountEntry, LiveFigures>();
  const missing = new Map<AccountEntry, MissingAccount>();
  const tell = () => changed(acrossOf(entries, live, missing));
  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  const follow = async (entry: AccountEntry): Promise<void> => {
    while (!until.aborted) {
      const came = await inOne(app, entry, (own) =>
        liveFigures(own, {
          ...{ signal: until, lines: 0, told },
          changed: (figures) => {
            live.set(entry, figures);
            missing.delete(entry);
            tell();
          },
        }),
      );
      if ('at' in came || until.aborted) return;
      live.delete(entry);
      missing.set(entry, came);
      tell();
      await app.clock.sleep(AGAIN_MS, until).catch(() => undefined);
    }
  };
  try {
    await Promise.all(entries.map(follow));
  } finally {
    ended.abort();
  }
}

function acrossOf(
  entries: readonly AccountEntry[],
  live: ReadonlyMap<AccountEntry, LiveFigures>,
  missing: ReadonlyMap<AccountEntry, MissingAccount>,
): LiveAcross {
  const read = entries.flatMap((entry) => {
    const figures = live.get(entry);
    return figures === undefined ? [] : [{ entry, figures }];
  });
  return {
    accounts: read.map(({ entry: { broker, label, default: isDefault }, figures }) => ({
      ...{ broker, label, default: isDefault },
      account: figures.account,
      positions: figures.positions,
    })),
    missing: entries.flatMap((entry) => missing.get(entry) ?? []),
    totals: totalsAcross(read.map(({ figures }) => figures.account)),
    at: Math.min(...read.map(({ figures }) => figures.at)),
    stale: read.some(({ figures }) => figures.stale),
  };
}
