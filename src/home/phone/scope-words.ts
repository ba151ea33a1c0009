export const scopeWords: Readonly<Record<string, string>> = {
  openid: 'Know who you are',
  profile: 'See your name',
  email: 'See your email address',
  offline_access: 'Stay signed in until you sign it out',
  'market:read': 'See market prices',
  'portfolio:read': 'See your account, positions and balances',
  'orders:read': 'See your orders',
  'orders:cancel': 'Cancel your open orders',
  'orders:propose': 'Ask you to approve orders',
  'messages:propose': 'Ask you to approve messages',
  'orders:mandate': 'Have orders placed within a mandate that you approved',
  'watchlist:write': 'Change your watchlist',
  'read:me:connected_accounts': 'See which accounts you have connected',
  'create:me:connected_accounts': 'Ask you to connect other accounts',
  'delete:me:connected_accounts': 'Disconnect your connected accounts',
};

export const thirdPartyScopeWords: Readonly<Record<string, string>> = {
  'account:write': 'see your account and change its settings',
  trading: 'place and cancel orders',
  'chat:write': 'send messages as you',
  'https://www.googleapis.com/auth/gmail.send': 'send email as you',
};

const STAY_SIGNED_IN = scopeWords.offline_access ?? '';

/**
 * Describes the access of a sign-in, with one line per scope.
 * @param use if it is `server`, the sign-in always persists, and `offline_access` allows work while the person is away
 */
export function describeSignInScopes(scopes: readonly string[], use: 'session' | 'mcp' | 'server'): string[] {
  const words = scopes.map((scope) => scopeWords[scope] ?? scope);
  if (use !== 'server') return words;
  const here = words.filter((line) => line !== STAY_SIGNED_IN);
  return [...here, STAY_SIGNED_IN, ...(scopes.includes('offline_access') ? [WORK_WHILE_AWAY] : [])];
}

/** Describes the server's separate grant, which the person can revoke separately. */
const WORK_WHILE_AWAY = 'Let that server work for you while you are away';
