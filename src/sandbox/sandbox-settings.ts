import { createHmac } from 'node:crypto';
import type { JWK } from 'jose';
import type { Quotas } from '../approval/kernel/quotas.ts';
import { type NamedBroker, SINGLE_BROKER_NAME } from '../gateway/broker/named-broker.ts';
import type { RulesSource } from '../gateway/policy/rules.ts';
import type { HomeOptions } from '../home/home.ts';
import { LOGIN_CLIENT_ID } from '../home/identity-provider/protocol/protocol.ts';
import type { VaultOptions } from '../home/identity-provider/vault.ts';
import { MAX_TTL_S } from '../trading/proposal.ts';
import { defined } from '../values/defined.ts';
import type { AccountHistory } from './paper-broker/books/seed-accounts.ts';
import type { OAuthClient } from './paper-broker/oauth/oauth-routes.ts';
import type { PaperBrokerOptions } from './paper-broker/paper-broker.ts';
import type { AccessKey } from './paper-broker/routes/access.ts';
import { homeCompanySettings } from './sandbox-company.ts';
import type { SandboxHome, SandboxSeed } from './sandbox-home.ts';
import { type ThirdPartiesOptions, thirdPartyScopes } from './third-parties/third-parties.ts';

/* Settings that the sandbox's services share (addresses, keys, passwords), derived from the seed and the addresses. */

export interface SandboxAddresses {
  readonly issuer: string;
  readonly broker: string;
  readonly services: string;
  readonly company?: string;
}

const SECOND_BROKER = 'second';

export const BROKER_CONNECTION = 'paper-broker';

const GATEWAY_CLIENT_ID = 'trade-agent-gateway';

interface BrokerPeople extends Pick<ApprovalSettings, 'secondAccounts'> {
  readonly stories?: Readonly<Record<string, AccountHistory>> | undefined;
}

export function brokerSettings(
  seed: SandboxSeed,
  addresses: SandboxAddresses,
  { secondAccounts = false, stories = {} }: BrokerPeople,
): Pick<PaperBrokerOptions, 'url' | 'users' | 'oauthClients' | 'adminSecret'> {
  return {
    url: addresses.broker,
    users: seed.users.flatMap((user) => {
      const { username, name, broker_password: password } = user;
      const story = stories[username];
      const person = { username, name, password, key: brokerKey(user) };
      const second = { ...person, username: secondUsername(username), key: secondBrokerKey(user, seed) };
      const first = story === undefined ? person : { ...person, story };
      return secondAccounts ? [first, second] : [first];
    }),
    oauthClients: [connectionVaultClient(BROKER_CONNECTION, seed, addresses)],
    adminSecret: seed.admin_secret,
  };
}

export function brokerKeyPairs(
  { name }: Pick<NamedBroker, 'name'>,
  seed: SandboxSeed,
): { readonly username: string; readonly holder: string; readonly pair: AccessKey }[] {
  return seed.users.map((user) => {
    const { username } = user;
    return name === SECOND_BROKER
      ? { username, holder: secondUsername(username), pair: secondBrokerKey(user, seed) }
      : { username, holder: username, pair: brokerKey(user) };
  });
}

const secondUsername = (username: string): string => `${username}.${SECOND_BROKER}`;

type SeededUser = SandboxSeed['users'][number];

function brokerKey({ broker_key }: SeededUser): AccessKey {
  return { keyId: broker_key.key_id, secret: broker_key.secret };
}

/** Derives the user's key pair at the second broker from the first pair, so the seed does not need to contain both. */
function secondBrokerKey({ username, broker_key }: SeededUser, seed: SandboxSeed): AccessKey {
  const made = (what: string) => createHmac('sha256', seed.vault_key).update(`${what} ${username}`).digest();
  return {
    keyId: `PK2${made(broker_key.key_id).toString('hex').slice(0, 17).toUpperCase()}`,
    secret: made(broker_key.secret).toString('base64url'),
  };
}

export function thirdPartySettings(
  seed: SandboxSeed,
  addresses: SandboxAddresses,
): Pick<ThirdPartiesOptions, 'url' | 'users' | 'clients'> {
  return {
    url: addresses.services,
    users: seed.users.map(({ username, broker_password: password }) => ({ username, password })),
    clients: {
      slack: connectionVaultClient('slack', seed, addresses),
      gmail: connectionVaultClient('gmail', seed, addresses),
    },
  };
}

export function vaultSettings(
  seed: SandboxSeed,
  addresses: SandboxAddresses,
): Pick<VaultOptions, 'key' | 'connections'> {
  const client = vaultClient(seed);
  const connection = (name: string, url: string, label: string) => ({
    url,
    client,
    redirectUri: redirectUri(name, addresses),
    label,
  });
  return {
    key: Buffer.from(seed.vault_key, 'base64url'),
    connections: {
      [BROKER_CONNECTION]: connection(BROKER_CONNECTION, addresses.broker, 'Paper broker'),
      slack: {
        ...connection('slack', `${addresses.services}/slack`, 'Slack'),
        scopes: thirdPartyScopes.slack,
      },
      gmail: {
        ...connection('gmail', `${addresses.services}/gmail`, 'Gmail'),
        scopes: thirdPartyScopes.gmail,
      },
    },
  };
}

interface ApprovalSettings {
  readonly knownClients?: HomeOptions['knownClients'] | undefined;
  readonly servers?: HomeOptions['servers'];
  readonly companies?: HomeOptions['companies'];
  readonly signalReceivers?: HomeOptions['signalReceivers'];
  readonly mounts?: HomeOptions['gateway']['mounts'] | undefined;
  readonly quotas?: Quotas | undefined;
  readonly signature?: 'required' | 'off' | undefined;
  readonly credentials?: 'exchange' | 'key_pair' | undefined;
  readonly secondAccounts?: boolean | undefined;
  /** Whether the gateway listens to the paper broker's stream (default true). */
  readonly tradeUpdates?: boolean | undefined;
  readonly relations?: HomeOptions['gateway']['relations'] | undefined;
  readonly rules: RulesSource;
}

export function homeSettings(
  home: SandboxHome,
  addresses: SandboxAddresses,
  options: ApprovalSettings,
): Omit<HomeOptions, 'providerDatabase' | 'stores' | 'vault' | 'faults' | 'clock'> {
  const { seed, pairingSecret } = home;
  return {
    address: addresses.issuer,
    phonePairingSecret: pairingSecret,
    about: { name: 'Sandbox', environment: 'paper', simulated: true },
    thirdPartyPasswords: Object.fromEntries(
      seed.users.map(({ username, broker_password }) => [username, broker_password]),
    ),
    // A command that is killed before it stores its new refresh token must not lose the sign-in.
    refreshTokenReuse: 'until_confirmed',
    // The terminal phone signs with a software key, which is acceptable because no money is real.
    softwareKeys: true,
    ...defined({ knownClients: options.knownClients }),
    servers: options.servers,
    companies: options.companies,
    ...(addresses.company === undefined ? {} : homeCompanySettings(home, addresses.company)),
    signalReceivers: options.signalReceivers,
    gateway: gatewaySettings(home, addresses, options),
  };
}

function gatewaySettings(
  { seed }: SandboxHome,
  addresses: SandboxAddresses,
  options: ApprovalSettings,
): HomeOptions['gateway'] {
  const { quotas, signature = 'required', mounts = [], credentials, rules, relations } = options;
  const privateKey = gatewayKey(seed);
  const paper = {
    ...({ kind: 'alpaca', trading_url: addresses.broker, simulated: true } as const),
    ...defined({ trade_updates: options.tradeUpdates }),
  };
  return {
    exchange: { client_id: GATEWAY_CLIENT_ID, privateKey, audience: BROKER_CONNECTION },
    environment: 'paper',
    brokers: [
      {
        name: SINGLE_BROKER_NAME,
        ...paper,
        ...(credentials === undefined ? { unattended: 'key_pair' } : { credentials }),
      },
      ...(options.secondAccounts
        ? [{ name: SECOND_BROKER, label: 'Second paper account', ...paper, credentials: 'key_pair' as const }]
        : []),
    ],
    sealSecret: sealingSecret(seed),
    ...defined({ relations }),
    messages: {
      slack: { audience: 'slack', url: `${addresses.services}/slack/api` },
      gmail: { audience: 'gmail', url: addresses.services },
    },
    approval: {
      method: 'ciba',
      details: 'rar',
      signature,
      client: { id: GATEWAY_CLIENT_ID },
      privateKey,
      sealSecret: sealingSecret(seed),
      delivery: 'ping',
      maxTtl: MAX_TTL_S,
      phoneUrl: phoneUrl(addresses.issuer),
      ...defined({ quotas }),
    },
    requireBoundTokens: true,
    ownClients: [LOGIN_CLIENT_ID],
    mounts,
    rules,
  };
}

export function phoneUrl(issuer: string): string {
  return `${issuer}/phone`;
}

function connectionVaultClient(connection: string, seed: SandboxSeed, addresses: SandboxAddresses): OAuthClient {
  return { ...vaultClient(seed), redirect_uris: [redirectUri(connection, addresses)] };
}

function vaultClient(seed: SandboxSeed): Pick<OAuthClient, 'client_id' | 'client_secret'> {
  return { client_id: 'trade-agent-vault', client_secret: seed.vault_client_secret };
}

function redirectUri(connection: string, addresses: SandboxAddresses): string {
  return `${addresses.issuer}/connections/callback/${connection}`;
}

export function sealingSecret(seed: SandboxSeed): string {
  return gatewayKey(seed).d ?? '';
}

function gatewayKey(seed: SandboxSeed): JWK {
  return seed.gateway_key as JWK;
}
