import type { Approved, Proposer } from '../../approval/kind.ts';
import type { Membership } from '../../oauth/membership.ts';

/** Who calls, by a verified access token (RFC 9068 §2.2). */
export interface Caller {
  readonly sub: string;
  /** The delegate, if `sub` is an owner that somebody else acts for (`actingFor`). */
  readonly by?: string;
  readonly clientId: string | undefined;
  readonly scopes: ReadonlySet<string>;
  /** Thumbprint of the key whose DPoP proof came with the token (RFC 9449 `cnf.jkt`). */
  readonly jkt?: string | undefined;
  /** Claim `client_name`: name and host of a client that is not our own. */
  readonly clientName?: string | undefined;
  readonly membership?: Membership | undefined;
  /** OpenID Connect Core §5.1 `preferred_username`, `email`: some providers find people by these. */
  readonly username?: string | undefined;
  readonly email?: string | undefined;
  /** RFC 9068 §2.2.1 `auth_time`, seconds since the epoch. */
  readonly authTime?: number | undefined;
  /** The token's id, by which an approval is used only once. */
  readonly jti: string;
  /** Claim `acr` (RFC 9068 §2.2.1) of each approver, the owner first; '' if absent. */
  readonly acr?: readonly string[] | undefined;
  /** RFC 9396 §9.1, not yet checked. */
  readonly authorizationDetails: unknown;
  /** Claim `approval_evidence`: what the person's key signed (approval/signature/statement.ts). Not yet checked. */
  readonly approvalEvidence?: unknown;
  /** The mandate that approved the order; never set for requests. */
  readonly mandate?: string | undefined;
  /** Only for the token exchange. Never logged, stored or echoed. */
  readonly accessToken: string;
  /** Milliseconds since the epoch, by this machine's clock. */
  readonly expiresAt: number;
  /**
   * Of a proposal that is carried out, from the gateway's own row: who proposed and who approved. Never set for requests.
   */
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

/** Acts by an approval (or asks about one) and by nothing else: without scopes. */
export function callerOf(who: Approved | Proposer): Caller {
  return {
    scopes: new Set(),
    jti: '',
    authorizationDetails: undefined,
    expiresAt: 0,
    ...who,
  };
}
