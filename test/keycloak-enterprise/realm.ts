import { REALM } from '../keycloak/realm.ts';

export const ALICE = { id: 'acme-alice', username: 'alice', password: 'alice-at-acme' };
/** The company's client: what its back-channel logouts are for, and by whom signals are streamed. */
export const CLIENT = { id: 'trade-agent-acme', secret: 'client-secret-of-the-test' };

/** A company's realm: one person, one client, signals on. @param home where they go */
export function companyRealm(home: string): Record<string, unknown> {
  return {
    realm: REALM,
    enabled: true,
    attributes: { 'ssf.transmitterEnabled': 'true' },
    users: [
      {
        id: ALICE.id,
        username: ALICE.username,
        enabled: true,
        email: 'alice@example.com',
        emailVerified: true,
        firstName: 'Alice',
        lastName: 'Example',
        credentials: [{ type: 'password', value: ALICE.password, temporary: false }],
      },
    ],
    clients: [
      {
        clientId: CLIENT.id,
        secret: CLIENT.secret,
        enabled: true,
        publicClient: false,
        serviceAccountsEnabled: true,
        directAccessGrantsEnabled: true,
        redirectUris: ['http://127.0.0.1/*'],
        attributes: {
          'ssf.enabled': 'true',
          'ssf.validPushUrls': `${home}/*`,
          'ssf.defaultSubjects': 'ALL',
          'backchannel.logout.url': `${home}/backchannel-logout`,
          'backchannel.logout.session.required': 'true',
        },
      },
    ],
  };
}
