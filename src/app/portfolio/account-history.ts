import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import { type ImportedActivities, withImportedActivities } from '../../tools/gateway/imported-activities.ts';
import { EARLIEST_ACTIVITY_MS } from '../../trading/activity.ts';
import type { App } from '../app.ts';
import { type CheckStoreApp, withCheckStore } from '../check/with-check-store.ts';

export type AccountHistory = Awaited<ReturnType<typeof loadAccountHistory>>;

/**
 * Returns an account's positions, its activities (oldest first, with imported ones marked), and the broker's time.
 * @throws {TradeAgentError} `login_required`, and any error from reading the gateway
 */
export async function loadAccountHistory(app: CheckStoreApp & Pick<App, 'gateway'>) {
  const gateway = await openGatewayWithImportedActivities(app);
  const [account, positions, clock, activities] = await Promise.all([
    gateway.account(),
    gateway.positions(),
    gateway.clock(),
    gateway.activities({ after: EARLIEST_ACTIVITY_MS }),
  ]);
  return { account, positions, activities, now: Date.parse(clock.timestamp) };
}

export function createImportedActivitiesReader(app: CheckStoreApp): ImportedActivities {
  return (account) =>
    withCheckStore(
      app,
      async (store, owner) => store.imports({ profile: owner, account: await account() }).activities(),
      { otherwise: [] },
    );
}

/** Returns a gateway client whose activities include the imported ones. @throws {TradeAgentError} `login_required` */
export async function openGatewayWithImportedActivities(
  app: CheckStoreApp & Pick<App, 'gateway'>,
): Promise<GatewayClient> {
  return withImportedActivities(await app.gateway(), createImportedActivitiesReader(app));
}
