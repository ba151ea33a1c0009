import type { Clock } from '../../machine/clock.ts';
import type { ProposalKind } from '../../trading/proposal.ts';
import { ask } from '../ask.ts';
import type { Asking, Outcome } from '../asking.ts';
import type { AuditChain } from '../audit-chain.ts';
import { carryOut } from '../carry-out.ts';
import type { Halts } from '../halts.ts';
import type { Approved, Kind } from '../kind.ts';
import type { Move, ProposalStore, StoredProposal } from '../stored-proposal.ts';
import { awaitDecision } from './await-decision.ts';

/** What looking after a proposal takes. */
export interface KernelParts {
  readonly store: ProposalStore;
  readonly halts: Halts;
  readonly audit: AuditChain;
  readonly asking: Asking;
  readonly clock: Clock;
  /** The gateway's resource identifier. */
  readonly gateway: string;
  /** `rar`: an approval's token carries the approved details, and every field is compared. */
  readonly details: 'rar' | 'message';
  /** The provider's own names for details types. */
  readonly detailsTypes: { readonly [K in ProposalKind]?: string | undefined };
  readonly kindOf: (kind: ProposalKind) => Kind;
  /**
   * Verifies the token of an approval as of any caller.
   * @param time `isFirst` is false where it was taken before and is shown again: then one that has expired will do
   * @throws {Refusal} 401 with a code for each way to fail, 503 `provider_unreachable`
   */
  readonly verifyApproval: (token: string, time: { readonly isFirst: boolean }) => Promise<Approved>;
}

/** One proposal being looked after. */
export interface Attention extends KernelParts {
  /** Aborts when the gateway closes. */
  readonly signal: AbortSignal;
  /** Whether it was asked by this very process, which has heard every call since. */
  readonly fresh: boolean;
  /** Has listeners hear of a change, and its audit line reach the file. */
  moved(move: Move): void;
  /** Writes what is noted to the audit file, now. False where it can't be written, which whoever runs the gateway is told. */
  record(): boolean;
  /** Tells the phone what became of it. */
  tell(proposal: StoredProposal, state: Outcome['state'], text: string): void;
  /** By this approval what came of it may be asked about: after a restart nobody else is known who could. */
  seen(approved: Approved): void;
  /**
   * Resolves after `ms`, or sooner with true when there is news (a call from the provider, a withdrawal).
   * @throws the reason of `signal` when the gateway closes
   */
  rest(ms: number): Promise<boolean>;
  /** Takes its turn among all proposals to poll though the provider has not called. @returns milliseconds until then */
  turn(why: 'uncalled' | 'restarted'): number;
  /** Whether the provider called before its answer was in the row; says so once. */
  wasCalled(authReqId: string, notificationToken: string | undefined): boolean;
  /** Calls back where it is withdrawn, or the gateway closes. */
  onBreakOff(callback: () => void): void;
}

/**
 * Looks after one proposal from wherever it stands to its end: asks, waits, carries out. Picks up what another process
 * left. Ends early where the gateway closes, or where only the person's next visit can tell more.
 */
export async function attend(attention: Attention, id: string): Promise<void> {
  const { store, signal } = attention;
  while (!signal.aborted) {
    const proposal = store.get(id);
    switch (proposal?.state) {
      case 'drafted':
        await ask(attention, proposal);
        break;
      case 'requested':
        await awaitDecision(attention, id);
        break;
      case 'approved':
      case 'executing':
      case 'unknown':
        return carryOut(attention, id);
      default:
        return;
    }
  }
}
