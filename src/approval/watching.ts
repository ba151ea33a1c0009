import type { Clock } from '../machine/clock.ts';
import type { ProposalStore, StoredProposal } from '../store/proposal-store.ts';
import type { Changes } from './changes.ts';

/** Between signs of life to who follows, milliseconds. */
const ALIVE_MS = 15_000;

interface Watching {
  readonly store: Pick<ProposalStore, 'get' | 'changedSince' | 'version'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly changes: Changes;
}

/** How a proposal stands once it has changed since a version, after `ms`, or when one of the signals aborts. */
export async function changeOf(
  { store, clock, changes }: Watching,
  { id, version }: Pick<StoredProposal, 'id' | 'version'>,
  ms: number,
  signals: readonly AbortSignal[],
): Promise<StoredProposal> {
  const until = clock.now() + ms;
  const news = changes.listen({ proposal: id });
  try {
    for (;;) {
      news.forget();
      const proposal = await store.get(id);
      if (proposal === undefined) throw new Error('the store has lost a proposal');
      const left = until - clock.now();
      if (proposal.version !== version || left <= 0 || isOver(signals)) return proposal;
      await news.next(left, signals);
    }
  } finally {
    news.end();
  }
}

/** What of a person's changed. */
export interface Changed {
  /** In the order of their changes, each as it stands now; none as a sign of life. */
  readonly proposals: readonly StoredProposal[];
  /** Whoever follows after this one misses nothing. */
  readonly version: number;
}

/** Those of a person that changed after a version, each time they do. Ends when one of the signals aborts. */
export async function* changesOf(
  { store, changes }: Watching,
  sub: string,
  version: number | undefined,
  signals: readonly AbortSignal[],
): AsyncGenerator<Changed> {
  const news = changes.listen({ sub });
  try {
    let seen = version ?? (await store.version());
    while (!isOver(signals)) {
      const changed = await store.changedSince(sub, seen);
      seen = changed.at(-1)?.version ?? seen;
      yield { proposals: changed, version: seen };
      news.forget();
      if ((await store.changedSince(sub, seen)).length === 0) await news.next(ALIVE_MS, signals);
    }
  } finally {
    news.end();
  }
}

function isOver(signals: readonly AbortSignal[]): boolean {
  return signals.some(({ aborted }) => aborted);
}
