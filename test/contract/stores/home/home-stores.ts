import { describe, expect, it } from 'vitest';
import { approvalRequestsContract } from './approval-requests.ts';
import { approvalStepsContract } from './approval-steps.ts';
import { clientsContract } from './clients.ts';
import { companyRevocationsContract } from './company-revocations.ts';
import { oidcStoreContract } from './oidc-store.ts';
import { homeDatabaseForEach, type OpenHomeDatabase } from './open-home-database.ts';
import { peopleContract } from './people.ts';
import { pushSubscriptionsContract } from './push-subscriptions.ts';
import { recoveryCodesContract } from './recovery-codes.ts';
import { requestNotificationsContract } from './request-notifications.ts';
import { sessionsContract } from './sessions.ts';
import { signalOutboxContract } from './signal-outbox.ts';
import { twoProcessNoticesContract } from './two-process-notices.ts';
import { vaultContract } from './vault.ts';

/** The contracts of all of a home's stores, for each kind of database. */
export function homeStoresContract(open: OpenHomeDatabase): void {
  describe('a home’s database', () => {
    const opened = homeDatabaseForEach(open);

    it('shows another process what was committed', async () => {
      const { database, another } = opened;
      await database.run('INSERT INTO wrong_codes (request, count) VALUES (@request, 1)', { request: 'r' });
      expect(await another.all('SELECT request, count FROM wrong_codes')).toEqual([{ request: 'r', count: 1 }]);
    });
  });

  peopleContract(open);
  sessionsContract(open);
  recoveryCodesContract(open);
  oidcStoreContract(open);
  clientsContract(open);
  vaultContract(open);
  companyRevocationsContract(open);
  signalOutboxContract(open);
  approvalRequestsContract(open);
  approvalStepsContract(open);
  requestNotificationsContract(open);
  pushSubscriptionsContract(open);
  twoProcessNoticesContract(open);
}
