import { NO_TOKEN } from '../../approval/access.ts';
import type { BrokerCredentials } from './broker-credentials.ts';

/** The caller's session if there is one; for pre-approved orders what the owner gave. A delegate gets neither. */
export function unattendedCredentials(
  bySession: BrokerCredentials,
  byKeyPair: Pick<BrokerCredentials, 'credentialsFor'>,
): BrokerCredentials {
  return {
    ...bySession,
    async credentialsFor(caller) {
      const { by, accessToken, mandate } = caller;
      const isAlone = by === undefined && (accessToken === NO_TOKEN || mandate !== undefined);
      return await (isAlone ? byKeyPair : bySession).credentialsFor(caller);
    },
  };
}
