import type { Approved, Proposer } from '../../approval/kind.ts';
import type { Membership } from '../../oauth/membership.ts';

/** Who calls, by a verified access token (RFC 9068 §2.2). */
export interface Caller {
  readonly sub: string;
  /** Who acts, where `sub` is an owner that somebody else acts for (`actingFor`). */
  readonly by?: string;
  readonly clientId: string | undefined;
  readonly scopes: ReadonlySet<string>;
  /** Thumbprint of the key that the token is bound to, whose proof came with it (RFC 9449 `cnf.jkt`). */
  readonly jkt?: string | undefined;
  /** As whom the provider let a client in that is not our own (claim `client_name`): its name and host. */
  readonly clientName?: string | undefined;
  /** As whose they come, and who acts for them, where the token tells. */
  readonly membership?: Membership | undefined;
  /** By which some providers find people (OpenID Connect Core §5.1 `preferred_username`, `email`), where the token tells. */
  readonly username?: string | undefined;
  readonly email?: string | undefined;
  /** When they signed in (RFC 9068 §2.2.1 `auth_time`), where the token tells: seconds since the epoch. */
  readonly authTime?: number | undefined;
  /** The token's own id: what makes an approval usable once. */
  readonly jti: string;
  /** By which sign-in (claim `acr`, RFC 9068 §2.2.1) each of those who approved did so, the owner first; '' where not told. */
  readonly acr?: readonly string[] | undefined;
  /** RFC 9396 §9.1, as the token has it: not yet checked. */
  readonly authorizationDetails: unknown;
  /** Claim `approval_evidence`: what the person's own key signed (approval/signature/evidence.ts). Not yet checked. */
  readonly approvalEvidence?: unknown;
  /** Of an order that a mandate approved: by which. Left out for whoever comes through a door. */
  readonly mandate?: string | undefined;
  /** Only for the token exchange. Never logged, stored or echoed. */
  readonly accessToken: string;
  /** Milliseconds since the epoch, by this machine's clock and not by the provider's. */
  readonly expiresAt: number;
  /**
   * Of a proposal that is carried out: whose idea it was and who said yes, as the gateway's own row has it. Left out for whoever
   * comes through a door.
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

/** Whoever acts by an approval, or asks about one, acts by nothing else: no scope of theirs counts. */
export function callerOf(who: Approved | Proposer): Caller {
  return {
    scopes: new Set(),
    jti: '',
    authorizationDetails: undefined,
    expiresAt: 0,
    ...who,
  };
}
