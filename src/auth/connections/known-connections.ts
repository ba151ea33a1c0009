import type { Profile } from '../../config/profile.ts';

export const connectionNames = ['broker', 'slack', 'gmail'] as const;
export type ConnectionName = (typeof connectionNames)[number];

/** Default local port to which providers redirect the browser after a `loopback` connection. */
export const DEFAULT_REDIRECT_PORT = 4766;

export interface KnownConnection {
  readonly label: string;
  readonly scopes: readonly string[];
}

export const knownConnections: Readonly<Record<ConnectionName, KnownConnection>> = {
  // The scopes are from Alpaca's documentation, "Using OAuth2 and Trading API".
  broker: { label: 'your brokerage account', scopes: ['account:write', 'trading'] },
  slack: { label: 'Slack', scopes: ['chat:write'] },
  gmail: { label: 'Gmail', scopes: ['https://www.googleapis.com/auth/gmail.send'] },
};

/** Returns the connection's name at the provider: the one in the profile's `connections`, or else `name`. */
export function providerConnectionName(profile: Pick<Profile, 'connections'>, name: ConnectionName): string {
  return profile.connections?.[name] ?? name;
}

const scopeWords: Readonly<Record<string, string>> = {
  'account:write': 'see your account and change its settings',
  trading: 'place and cancel orders (each order still needs your approval)',
  'chat:write': 'send messages (each still needs your approval)',
  'https://www.googleapis.com/auth/gmail.send': 'send email as you (each still needs your approval)',
};

export function describeConnectionScopes(scopes: readonly string[]): string[] {
  return scopes.map((scope) => scopeWords[scope] ?? scope);
}
