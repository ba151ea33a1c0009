import { type Activity, FIRST_ACTIVITY } from '../../trading/activity.ts';
import { withImported } from '../../trading/portfolio/imported.ts';
import type { GatewayClient } from './gateway-client.ts';

/**
 * What the person imported for an account on this machine, oldest first.
 * @param account asks for its number: not needed where nothing was ever imported
 */
export type ImportedActivities = (account: () => Promise<string>) => Promise<readonly Activity[]>;

/** A gateway whose activities have the imported ones among them, marked as such, in whichever account it is asked about. */
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
      // Where the broker's history begins is known by all of it alone.
      const all = await gateway.activities({ after: FIRST_ACTIVITY });
      return withImported(all, wanted).filter(({ at }) => Date.parse(at) > after);
    },
  };
}
