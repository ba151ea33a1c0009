import type { Approval, Proposer } from '../../approval/kind.ts';
import type { Membership } from '../../oauth/membership.ts';

/** The caller of a request, from a verified access token (RFC 9068 §2.2). */
export interface Caller {
  readonly sub: string;
  /** The delegate, if `sub` is an owner for whom somebody else acts (`actingFor`). */
  readonly by?: string;
  readonly clientId: string | undefined;
  readonly scopes: ReadonlySet<string>;
  /** Thumbprint of the key whose DPoP proof came with the token (RFC 9449 `cnf.jkt`). */
  readonly jkt?: string | undefined;
  /** Claim `client_name`: name and host of a client that is not ours. */
  readonly clientName?: string | undefined;
  readonly membership?: Membership | undefined;
  /** OpenID Connect Core §5.1 `preferred_username` and `email`, by which some providers look up people. */
  readonly username?: string | undefined;
  readonly email?: string | undefined;
  /** RFC 9068 §2.2.1 `auth_time`, seconds since the epoch. */
  readonly authTime?: number | undefined;
  /** The token's id. An approval with this id is used only once. */
  readonly jti: string;
  /** Claim `acr` (RFC 9068 §2.2.1) of each approver, the owner first; '' if absent. */
  readonly acr?: readonly string[] | undefined;
  /** RFC 9396 §9.1. Not checked yet. */
  readonly authorizationDetails: unknown;
  /** Claim `approval_evidence`: the signature of the person's key (approval/signature/statement.ts). Not checked yet. */
  readonly approvalEvidence?: unknown;
  /** The mandate that approved the order. Never set for requests. */
  readonly mandate?: string | undefined;
  /** Used only for the token exchange. Never logged, stored or echoed. */
  readonly accessToken: string;
  /** Milliseconds since the epoch, by this machine's clock. */
  readonly expiresAt: number;
  /** Proposer and approver, from the gateway's own row, while a proposal is executed. Never set for requests. */
  readonly proposer?: {
    readonly sub: string;
    readonly client: string;
    readonly at: number;
    readonly membership?: Membership | undefined;
  };
  readonly approvers?: readonly string[];
  /** See `Approved` in approval/kind.ts. */
  readonly isOurs?: (() => Promise<boolean>) | undefined;
}

/** Creates a caller that acts by an approval (or asks about one) and has no scopes, so it can do nothing else. */
export function toCaller(who: Approval | Proposer): Caller {
  return {
    scopes: new Set(),
    jti: '',
    authorizationDetails: undefined,
    expiresAt: 0,
    ...who,
  };
}
