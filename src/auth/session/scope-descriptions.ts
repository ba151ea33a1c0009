const accounts = 'see, add and remove the accounts you connect';

const descriptions: Record<string, string> = {
  openid: 'know who you are',
  profile: 'see your name',
  email: 'see your e-mail address',
  offline_access: 'stay signed in on this computer',
  'market:read': 'see quotes and market hours',
  'portfolio:read': 'see your account and positions',
  'orders:read': 'see your orders',
  'orders:cancel': 'cancel your open orders',
  'orders:propose': 'propose orders and messages to you',
  'messages:propose': 'propose orders and messages to you',
  'orders:mandate': 'have orders placed within a mandate that you approved',
  'watchlist:write': 'change your watchlist',
  'read:me:connected_accounts': accounts,
  'create:me:connected_accounts': accounts,
  'delete:me:connected_accounts': accounts,
};

/** At a server every sign-in stays; this is about what the server does meanwhile. */
const atServer = { offline_access: 'have the server look after your account when you are away' };

/**
 * The scopes in words, in the order asked, nothing said twice; an unknown one by its own name.
 * @param at whether it is a server that one signs in at
 */
export function describeScopes(scopes: readonly string[], at: 'gateway' | 'server' = 'gateway'): string[] {
  const words = at === 'server' ? { ...descriptions, ...atServer } : descriptions;
  return [...new Set(scopes.map((scope) => words[scope] ?? scope))];
}

/** Said at every sign-in: device codes are open to consent phishing (RFC 10027, BCP 247). */
export const loginWarning =
  'Only go on if you started this sign-in yourself, on this computer, just now. ' +
  'A code or link that someone sent you is an attempt to get into your account.';
