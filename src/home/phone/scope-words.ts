/** What each scope lets a program do, for the person who is asked. */
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
