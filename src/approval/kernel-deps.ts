import type { Clock } from '../machine/clock.ts';
import type { EarlyPingStore } from '../store/early-ping-store.ts';
import type { HaltStore } from '../store/halts.ts';
import type { OtherProcesses } from '../store/other-processes.ts';
import type { ProposalQueue } from '../store/proposal-queue.ts';
import type { ProposalStore, StoredProposal } from '../store/proposal-store.ts';
import type { ProposalKind } from '../trading/proposal.ts';
import type { AccessControl } from './access.ts';
import type { AuditSequencer } from './audit-sequencer.ts';
import type { CibaPort } from './ciba/ciba-port.ts';
import type { ApprovalKeys } from './keys/approval-keys.ts';
import type { Approval, Kind } from './kind.ts';
import type { Denial } from './log-denial.ts';
import type { NotificationTokens } from './notification-tokens.ts';
import type { ProposalTransitions } from './transitions.ts';

/**
 * Returns whether a person's grant to a client was revoked after `at` (milliseconds since the epoch). If `client` is
 * omitted, returns whether the permission to act in the person's absence was revoked. Called at each use of a grant, so
 * that a revocation takes effect even before proposals are withdrawn.
 */
export type IsRevokedBySignal = (
  of: { readonly sub: string; readonly client?: string },
  at: number,
) => Promise<boolean>;

export interface KernelDeps {
  /** Reports internal errors. Never receives a token. */
  readonly onError: (message: string) => void;
  readonly store: ProposalStore;
  readonly queue: ProposalQueue;
  readonly earlyPings: EarlyPingStore;
  /** The other processes that use the database; undefined if there are none. */
  readonly others?: OtherProcesses | undefined;
  readonly moves: ProposalTransitions;
  readonly halts: HaltStore;
  readonly access: AccessControl;
  readonly audit: AuditSequencer;
  readonly asking: CibaPort;
  readonly notificationTokens: NotificationTokens;
  readonly clock: Clock;
  /** The gateway's resource identifier. */
  readonly gateway: string;
  /** `rar`: the approval's token carries the details, and every field is compared. `message`: it carries no details. */
  readonly details: 'rar' | 'message';
  /** The provider's own names for details types. */
  readonly detailsTypes: { readonly [K in ProposalKind]?: string | undefined };
  readonly getKind: (kind: ProposalKind) => Kind;
  /** Verifies signatures by people's own keys; undefined if approvals need no signature. */
  readonly signatures?: Pick<ApprovalKeys, 'check'> | undefined;
  /**
   * Verifies an approval's token in the same way as a caller's token.
   * @param time `isFirst` is false if the token was accepted before; such a token is accepted even if it has expired
   * @throws {HttpProblem} 401 with a code that says what is wrong, 503 `provider_unreachable`
   */
  readonly verifyApproval: (token: string, time: { readonly isFirst: boolean }) => Promise<Approval>;
  /** Returns the `acr` that the approval of a proposal needs, if any. */
  readonly acrFor?: ((proposal: Pick<StoredProposal, 'kind' | 'subject'>) => Promise<string | undefined>) | undefined;
  /** Whether the gateway can access the broker's accounts without their owner's session. */
  readonly isUnattended?: boolean;
  /** If an order that was found late exceeds its mandate, returns a sentence that informs the owner. */
  readonly mandateExcess?: ((proposal: StoredProposal) => Promise<string | undefined>) | undefined;
  readonly isRevokedBySignal?: IsRevokedBySignal | undefined;
  /** Called after a proposal was made or has changed. */
  readonly onProposal?: ((proposal: StoredProposal) => void) | undefined;
  /** Logs a denial by the owner's rules. */
  readonly onDenial?: ((denied: Denial) => Promise<void>) | undefined;
}
