/** What the gateway's access tokens may do, each for one kind of request. */
export const READ_SCOPES = ['market:read', 'portfolio:read', 'orders:read'] as const;
/** May cancel an order, and halt trading. */
export const CANCEL_SCOPE = 'orders:cancel';
/** May ring the owner's phone, and nothing else. */
export const PROPOSE_ORDERS = 'orders:propose';
export const PROPOSE_MESSAGES = 'messages:propose';
/** May ask for a mandate, and have orders placed within one: of our own login client alone. */
export const USE_MANDATES = 'orders:mandate';
/** May change what is on the owner's watchlist: it trades nothing, and no program of somebody else's has it. */
export const WATCHLIST_SCOPE = 'watchlist:write';
export type ProposeScope = typeof PROPOSE_ORDERS | typeof PROPOSE_MESSAGES | typeof USE_MANDATES;
/** What a session may do. Placing an order that its owner has not said yes to is not among it. */
export const SESSION_SCOPES = [
  ...READ_SCOPES,
  CANCEL_SCOPE,
  PROPOSE_ORDERS,
  PROPOSE_MESSAGES,
  USE_MANDATES,
  WATCHLIST_SCOPE,
] as const;

/** What anybody's agent may have at `/mcp`: to look, to cancel, and to ask. */
export const MCP_SCOPES = [...READ_SCOPES, CANCEL_SCOPE, PROPOSE_ORDERS] as const;

/** Granted with the approval of one order, for that order. */
export const ORDER_SCOPE = 'orders:write';
/** Granted with the approval of one message, for that message. */
export const MESSAGE_SCOPE = 'messages:write';
/** What an approval's token may do, and nothing else: no session's token has them. */
export const APPROVAL_SCOPES = [ORDER_SCOPE, MESSAGE_SCOPE] as const;
export type ApprovalScope = (typeof APPROVAL_SCOPES)[number];

export const SCOPES = [...SESSION_SCOPES, ...APPROVAL_SCOPES] as const;
export type Scope = (typeof SCOPES)[number];

/** Who the person is (OpenID Connect Core §5.4, §11), at the identity provider. */
export const IDENTITY_SCOPES = ['openid', 'profile', 'email', 'offline_access'] as const;
/** At the provider's own API for accounts elsewhere (as Auth0 names them): they let nobody into such an account. */
export const CONNECTION_SCOPES = [
  'read:me:connected_accounts',
  'create:me:connected_accounts',
  'delete:me:connected_accounts',
] as const;
