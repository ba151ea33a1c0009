import { NO_TOKEN } from '../../approval/access.ts';
import type { BrokerCredentials } from './broker-credentials.ts';

/**
 * The caller's own session where there is one; what is kept for them where the gateway acts by what they approved
 * beforehand. Somebody else who acts for an owner gets neither.
 */
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
