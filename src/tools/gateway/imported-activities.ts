import { type Activity, EARLIEST_ACTIVITY_MS } from '../../trading/activity.ts';
import { mergeImportedActivities } from '../../trading/portfolio/imported.ts';
import type { GatewayClient } from './gateway-client.ts';

/**
 * Reads the activities that the person imported on this machine, oldest first.
 * @param account returns the account number; not called if the person has not imported anything
 */
export type ImportedActivities = (account: () => Promise<string>) => Promise<readonly Activity[]>;

/** Returns a gateway client whose activities include the imported activities, marked as imported. */
export function withImportedActivities(gateway: GatewayClient, imported: ImportedActivities): GatewayClient {
  return {
    ...gateway,
    inAccount: (account) => withImportedActivities(gateway.inAccount(account), imported),
    activities: async ({ after }) => {
      const [found, rows] = await Promise.all([
        gateway.activities({ after }),
        imported(async () => (await gateway.account()).account),
      ]);
      const wanted = rows.filter(({ at }) => Date.parse(at) > after);
      if (wanted.length === 0) return found;
      // Reads the broker's whole history, to find where it begins.
      const all = await gateway.activities({ after: EARLIEST_ACTIVITY_MS });
      return mergeImportedActivities(all, wanted).filter(({ at }) => Date.parse(at) > after);
    },
  };
}
