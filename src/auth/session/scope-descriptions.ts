const connectedAccountsText = 'see, add and remove the accounts you connect';

const descriptions: Record<string, string> = {
  openid: 'know who you are',
  profile: 'see your name',
  email: 'see your email address',
  offline_access: 'stay signed in on this computer',
  'market:read': 'see quotes and market hours',
  'portfolio:read': 'see your account and positions',
  'orders:read': 'see your orders',
  'orders:cancel': 'cancel your open orders',
  'orders:propose': 'propose orders and messages to you',
  'messages:propose': 'propose orders and messages to you',
  'orders:mandate': 'have orders placed within a mandate that you approved',
  'watchlist:write': 'change your watchlist',
  'read:me:connected_accounts': connectedAccountsText,
  'create:me:connected_accounts': connectedAccountsText,
  'delete:me:connected_accounts': connectedAccountsText,
};

/** Descriptions for a sign-in to a server, which stores the refresh token and uses it while the person is away. */
const serverDescriptions = { offline_access: 'let the server work for you while you are away' };

/**
 * Describes the scopes in plain language, in order and without duplicates. Unknown scopes are returned as is.
 * @param at whether the sign-in is to the gateway or to a server
 */
export function describeScopes(scopes: readonly string[], at: 'gateway' | 'server' = 'gateway'): string[] {
  const words = at === 'server' ? { ...descriptions, ...serverDescriptions } : descriptions;
  return [...new Set(scopes.map((scope) => words[scope] ?? scope))];
}

/** Displayed at every sign-in, because device codes are vulnerable to consent phishing (RFC 10027, BCP 247). */
export const loginWarning =
  'Continue only if you started this sign-in yourself, on this computer, just now. ' +
  'A code or link that someone sent you is an attempt to get into your account.';
