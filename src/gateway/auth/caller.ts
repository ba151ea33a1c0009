import type { Approval, Proposer } from '../../approval/kind.ts';
import type { Membership } from '../../oauth/membership.ts';

/** The caller of a request, from a verified access token (RFC 9068 §2.2). */
export interface Caller {
  readonly sub: string;
  /** The delegate's `sub`, if somebody acts for the owner `sub` (`actingFor`). */
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
  /** The token's ID. Each approval token is used only once. */
  readonly jti: string;
  /** Claim `acr` (RFC 9068 §2.2.1) of each approver, the owner first; '' if absent. */
  readonly acr?: readonly string[] | undefined;
  /** Claim `authorization_details` (RFC 9396 §9.1), not checked yet. */
  readonly authorizationDetails: unknown;
  /**
   * Claim `approval_evidence`, not checked yet: the signature of the person's key (approval/signature/statement.ts).
   */
  readonly approvalEvidence?: unknown;
  /** The mandate that approved the order. Set only while the gateway executes a proposal. */
  readonly mandate?: string | undefined;
  /** Used only for the token exchange. Never logged, stored or echoed. */
  readonly accessToken: string;
  /** Milliseconds since the epoch, by this machine's clock. */
  readonly expiresAt: number;
  /** Proposer and approver, read from the proposal's row. Set only while the gateway executes a proposal. */
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

/** Creates the caller for an approval or a proposer. Without scopes, it can't do anything else. */
export function toCaller(who: Approval | Proposer): Caller {
  return {
    scopes: new Set(),
    jti: '',
    authorizationDetails: undefined,
    expiresAt: 0,
    ...who,
  };
}
