import type { Approval, Proposer } from '../../approval/kind.ts';
import type { Membership } from '../../oauth/membership.ts';

/** The caller of a request, from a verified access token (RFC 9068 §2.2). */
export interface Caller {
  readonly sub: string;
  /** The delegate's `sub`, if a delegate acts for the owner. The field `sub` then contains the owner's `sub`. */
  readonly by?: string;
  readonly clientId: string | undefined;
  readonly scopes: ReadonlySet<string>;
  /** Thumbprint of the key whose DPoP proof came with the token (RFC 9449 `cnf.jkt`). */
  readonly jkt?: string | undefined;
  /** Claim `client_name`: the name and host of a third party's client. */
  readonly clientName?: string | undefined;
  readonly membership?: Membership | undefined;
  /** Claims `preferred_username` and `email` (OpenID Connect Core §5.1), by which some providers look up people. */
  readonly username?: string | undefined;
  readonly email?: string | undefined;
  /** Claim `auth_time` (RFC 9068 §2.2.1), in seconds since the epoch. */
  readonly authTime?: number | undefined;
  /** The token's ID. Each approval token is used only once. */
  readonly jti: string;
  /** Claim `acr` (RFC 9068 §2.2.1) of each approver, the owner first; '' if absent. */
  readonly acr?: readonly string[] | undefined;
  /** Claim `authorization_details` (RFC 9396 §9.1), not checked yet. */
  readonly authorizationDetails: unknown;
  /** Claim `approval_evidence`, not checked yet: the approver's signature (approval/signature/statement.ts). */
  readonly approvalEvidence?: unknown;
  /** The mandate that approved the order. Set only while the gateway executes a proposal. */
  readonly mandate?: string | undefined;
  /** Used only for the token exchange. Never logged, stored or returned. */
  readonly accessToken: string;
  /** Milliseconds since the epoch, by this machine's clock. */
  readonly expiresAt: number;
  /** The proposer, as stored with the proposal. Set, like `approvers`, only while the gateway executes a proposal. */
  readonly proposer?: {
    readonly sub: string;
    readonly client: string;
    readonly at: number;
    readonly membership?: Membership | undefined;
  };
  readonly approvers?: readonly string[];
  /** The digest of the rules under which the owner approved the proposal. */
  readonly policy?: string | undefined;
  /** Returns whether this process still handles the proposal. Called right before the order or message is sent. */
  readonly isOurs?: (() => Promise<boolean>) | undefined;
}

/** Creates a caller from an approval or a proposer. The caller has no scopes, so it can't call any route. */
export function toCaller(who: Approval | Proposer): Caller {
  return {
    scopes: new Set(),
    jti: '',
    authorizationDetails: undefined,
    expiresAt: 0,
    ...who,
  };
}
