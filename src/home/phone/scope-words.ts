export const scopeWords: Readonly<Record<string, string>> = {
  openid: 'Know who you are',
  profile: 'See your name',
  email: 'See your e-mail address',
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
  'create:me:connected_accounts': 'Ask you to connect accounts elsewhere',
  'delete:me:connected_accounts': 'Disconnect them',
};

export const partyScopeWords: Readonly<Record<string, string>> = {
  'account:write': 'see your account and change its settings',
  trading: 'place and cancel orders',
  'chat:write': 'send messages as you',
  'https://www.googleapis.com/auth/gmail.send': 'send e-mail as you',
};

const STAYS = scopeWords.offline_access ?? '';

/**
 * What a sign-in will be able to do, line by line.
 * @param use at a server every sign-in stays; `offline_access` is about what the server does meanwhile
 */
export function scopesInWords(scopes: readonly string[], use: 'session' | 'mcp' | 'server'): string[] {
  const words = scopes.map((scope) => scopeWords[scope] ?? scope);
  if (use !== 'server') return words;
  const here = words.filter((line) => line !== STAYS);
  return [...here, STAYS, ...(scopes.includes('offline_access') ? [AWAY] : [])];
}

/** A grant of the server's own, which is ended by itself. */
const AWAY = 'Have that server look after your account when you are away';
