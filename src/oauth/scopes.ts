export const READ_SCOPES = ['market:read', 'portfolio:read', 'orders:read'] as const;
/** Allows canceling orders and halting trading. */
export const CANCEL_SCOPE = 'orders:cancel';
/** Allows only proposing orders, which the owner then approves or denies on the phone. */
export const PROPOSE_ORDERS_SCOPE = 'orders:propose';
export const PROPOSE_MESSAGES_SCOPE = 'messages:propose';
/** Allows requesting a mandate, and placing orders under one. Only for our own login client. */
export const MANDATE_SCOPE = 'orders:mandate';
/** Allows changing the owner's watchlist, but no trading. No third-party client gets this scope. */
export const WATCHLIST_SCOPE = 'watchlist:write';
export type ProposeScope = typeof PROPOSE_ORDERS_SCOPE | typeof PROPOSE_MESSAGES_SCOPE | typeof MANDATE_SCOPE;
/** Scopes of a session. They do not allow placing an order that the owner has not approved. */
export const SESSION_SCOPES = [
  ...READ_SCOPES,
  CANCEL_SCOPE,
  PROPOSE_ORDERS_SCOPE,
  PROPOSE_MESSAGES_SCOPE,
  MANDATE_SCOPE,
  WATCHLIST_SCOPE,
] as const;

/** Scopes that any agent can get at `/mcp`: reading, canceling, and proposing orders. */
export const MCP_SCOPES = [...READ_SCOPES, CANCEL_SCOPE, PROPOSE_ORDERS_SCOPE] as const;

export const ORDER_SCOPE = 'orders:write';
/** Allows sending one message. Granted with the approval of that message. */
export const MESSAGE_SCOPE = 'messages:write';
/** Scopes that only the token of an approval can have. No session's token has them. */
export const APPROVAL_SCOPES = [ORDER_SCOPE, MESSAGE_SCOPE] as const;
export type ApprovalScope = (typeof APPROVAL_SCOPES)[number];

export const SCOPES = [...SESSION_SCOPES, ...APPROVAL_SCOPES] as const;
export type Scope = (typeof SCOPES)[number];

/** Scopes of the identity provider for a person's identity (OpenID Connect Core §5.4, §11). */
export const IDENTITY_SCOPES = ['openid', 'profile', 'email', 'offline_access'] as const;
/**
 * Scopes of the provider's API for connected accounts, with Auth0's names. They give no access to the accounts
 * themselves.
 */
export const CONNECTION_SCOPES = [
  'read:me:connected_accounts',
  'create:me:connected_accounts',
  'delete:me:connected_accounts',
] as const;

/** All scopes of the identity provider and its APIs. Each client gets only the scopes for its kind of client. */
export const ALL_SCOPES = [...IDENTITY_SCOPES, ...SCOPES, ...CONNECTION_SCOPES] as const;
