import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import { type Activity, FIRST_ACTIVITY } from '../../trading/activity.ts';
import { withImported } from '../../trading/portfolio/imported.ts';
import type { Account, Position } from '../../trading/views.ts';
import type { App } from '../app.ts';
import { type StoreApp, withCheckStore } from '../check/with-check-store.ts';

/** All that is known of an account's past, and what it holds. */
export interface AccountHistory {
  readonly account: Account;
  readonly positions: readonly Position[];
  /** Oldest first; those from files say so. */
  readonly activities: readonly Activity[];
  /** The broker's time, milliseconds since the epoch. */
  readonly now: number;
}

/** @throws {TradeAgentError} `login_required`, and what the gateway's reads throw */
export async function accountHistory(app: StoreApp & Pick<App, 'gateway'>): Promise<AccountHistory> {
  const gateway = await app.gateway();
  const [account, positions, clock, broker] = await Promise.all([
    gateway.account(),
    gateway.positions(),
    gateway.clock(),
    gateway.activities({ after: FIRST_ACTIVITY }),
  ]);
  const activities = withImported(broker, await importedActivities(app, account.account));
  return { account, positions, activities, now: Date.parse(clock.timestamp) };
}

/** What the person imported for an account, oldest first. */
export async function importedActivities(app: StoreApp, account: string): Promise<readonly Activity[]> {
  return withCheckStore(app, (store, owner) => store.imports({ profile: owner, account }).activities(), {
    otherwise: [],
  });
}

/** A gateway whose activities have the imported ones among them, for figures that go by them. */
export async function withImportedActivities(
  app: StoreApp & Pick<App, 'gateway'>,
): Promise<Pick<GatewayClient, 'account' | 'clock' | 'activities'>> {
  const gateway = await app.gateway();
  const account = once(() => gateway.account());
  return {
    account,
    clock: () => gateway.clock(),
    activities: async ({ after }) => {
      const [found, imported] = await Promise.all([
        gateway.activities({ after }),
        account().then((one) => importedActivities(app, one.account)),
      ]);
      const wanted = imported.filter(({ at }) => Date.parse(at) > after);
      // Where the broker's history begins is known by all of it alone.
      const all = wanted.length === 0 ? found : await gateway.activities({ after: FIRST_ACTIVITY });
      return withImported(all, wanted).filter(({ at }) => Date.parse(at) > after);
    },
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
