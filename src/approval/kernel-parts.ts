import type { Clock } from '../machine/clock.ts';
import type { Halts } from '../store/halts.ts';
import type { OtherProcesses } from '../store/other-processes.ts';
import type { ProposalStore, StoredProposal } from '../store/proposal-store.ts';
import type { ProposalKind } from '../trading/proposal.ts';
import type { Access } from './access.ts';
import type { Asking } from './asking-port.ts';
import type { AuditChain } from './audit-chain.ts';
import type { Denied } from './denied.ts';
import type { Keys } from './keys/keys.ts';
import type { Approved, Kind } from './kind.ts';
import type { Moves } from './moves.ts';
import type { NotificationTokens } from './notification-tokens.ts';

/**
 * Whether what a client proposed for a person at a time (milliseconds since the epoch) was taken back since, by whoever let
 * them in; without a client: what the person allowed to be done while they are away. Asked at each use: what is true of it
 * holds at once, also where nothing was withdrawn yet.
 */
export type IsTakenBack = (of: { readonly sub: string; readonly client?: string }, at: number) => boolean;

/** What proposing and supervising a proposal take. */
export interface KernelParts {
  /** Told of what went wrong inside; never holds a token. */
  readonly onError: (message: string) => void;
  readonly store: ProposalStore;
  /** Which other gateways have the same data; undefined where none can. */
  readonly others?: OtherProcesses | undefined;
  /** What changes a proposal's state, over that store. */
  readonly moves: Moves;
  readonly halts: Halts;
  readonly access: Access;
  readonly audit: AuditChain;
  readonly asking: Asking;
  readonly notificationTokens: NotificationTokens;
  readonly clock: Clock;
  /** The gateway's resource identifier. */
  readonly gateway: string;
  /** `rar`: an approval's token carries the approved details, and every field is compared. */
  readonly details: 'rar' | 'message';
  /** The provider's own names for details types. */
  readonly detailsTypes: { readonly [K in ProposalKind]?: string | undefined };
  readonly kindOf: (kind: ProposalKind) => Kind;
  /** Where approvals are signed by the person's own key; undefined where the provider's token is enough. */
  readonly signatures?: Pick<Keys, 'check'> | undefined;
  /**
   * Verifies the token of an approval as of any caller.
   * @param time `isFirst` is false where it was taken before and is shown again: then one that has expired will do
   * @throws {Refusal} 401 with a code for each way to fail, 503 `provider_unreachable`
   */
  readonly verifyApproval: (token: string, time: { readonly isFirst: boolean }) => Promise<Approved>;
  /** By which sign-in a proposal is to be approved; undefined where any will do. */
  readonly acrFor?:
    | ((proposal: Pick<StoredProposal, 'kind' | 'subject'>) => Promise<string | undefined>)
    | undefined;
  /** Whether accounts at the broker can be opened without a session of their owner's. */
  readonly isUnattended?: boolean;
  /** By what an order that was found late takes its mandate beyond its bounds, for its owner; undefined where it does not. */
  readonly excessOf?: ((proposal: StoredProposal) => Promise<string | undefined>) | undefined;
  /** None is, where it is left out. */
  readonly isTakenBack?: IsTakenBack | undefined;
  /** Told of what the owner's rules refused, for the gateway's log of decisions. */
  readonly onDenied?: ((denied: Denied) => Promise<void>) | undefined;
}
