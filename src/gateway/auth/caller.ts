import type { Approval, Proposer } from '../../approval/kind.ts';
import type { Membership } from '../../oauth/membership.ts';

/** The caller of a request, from a verified access token (RFC 9068 §2.2). */
export interface Caller {
  readonly sub: string;
  /** Set if a delegate acts for the owner `sub`: the delegate's own `sub`. */
  readonly by?: string;
  readonly clientId: string | undefined;
  readonly scopes: ReadonlySet<string>;
  /** Thumbprint of the key whose DPoP proof came with the token (RFC 9449 `cnf.jkt`). */
  readonly jkt?: string | undefined;
  /** Claim `client_name`: the name and host of a third party's client. */
  readonly clientName?: string | undefined;
  readonly membership?: Membership | undefined;
  /** OpenID Connect Core §5.1 `preferred_username` and `email`, by which some providers look up people. */
  readonly username?: string | undefined;
  readonly email?: string | undefined;
  /** RFC 9068 §2.2.1 `auth_time`, seconds since the epoch. */
  readonly authTime?: number | undefined;
  /** The token's ID. Each approval token is used only once. */
  readonly jti: string;
  /** Claim `acr` (RFC 9068 §2.2.1) of each approver, the owner first; '' if absent. */
  readonly acr?: readonly string[] | undefined;
  /** Claim `authorization_details` (RFC 9396 §9.1), not checked yet. */
  readonly authorizationDetails: unknown;
  /**
   * Claim `approval_evidence`, not checked yet: the signature by the approver's key (approval/signature/statement.ts).
   */
  readonly approvalEvidence?: unknown;
  /** The mandate that approved the order. Set only while the gateway executes a proposal. */
  readonly mandate?: string | undefined;
  /** Used only for the token exchange. Never logged, stored or returned. */
  readonly accessToken: string;
  /** Milliseconds since the epoch, by this machine's clock. */
  readonly expiresAt: number;
  /** Read from the proposal's row, like `approvers`. Set only while the gateway executes a proposal. */
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

/** Creates a caller that stands for an approval or a proposer. The caller has no scopes, so it can't call any route. */
export function toCaller(who: Approval | Proposer): Caller {
  return {
    scopes: new Set(),
    jti: '',
    authorizationDetails: undefined,
    expiresAt: 0,
    ...who,
  };
}
