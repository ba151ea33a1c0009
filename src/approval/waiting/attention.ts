import type { StoredProposal } from '../../store/proposal-store.ts';
import type { KernelParts } from '../kernel-parts.ts';
import type { Approved, Proposer } from '../kind.ts';
import type { Move } from '../moves.ts';

/** One proposal being looked after: what asking, waiting and carrying out have at hand. */
export interface Attention extends KernelParts {
  /** Aborts when the gateway closes. */
  readonly signal: AbortSignal;
  /** Whether it was asked by this very process, which has heard every call since; false once something went wrong. */
  fresh: boolean;
  /** When the provider was last asked, milliseconds since the epoch, and for how many seconds it is not to be asked again. */
  lastPoll?: { readonly authReqId: string; readonly at: number; readonly pause: number };
  /** Has listeners hear of a change, and its audit line reach the file. */
  moved(move: Move): void;
  /** Writes what is noted to the audit file, now. False where it can't be written, which whoever runs the gateway is told. */
  record(): Promise<boolean>;
  /** Tells the phone that it is being sent, where that takes a moment. */
  tellSending(proposal: StoredProposal): void;
  /** By this approval what came of it may be asked about: after a restart nobody else is known who could. */
  seen(approved: Approved): void;
  /** With whose token a person's account may be asked about; undefined where none came by since the gateway started. */
  askerOf(sub: string): Proposer | undefined;
  /**
   * Resolves after `ms`, or sooner with true when there is news (a call from the provider, a withdrawal).
   * @throws the reason of `signal` when the gateway closes
   */
  rest(ms: number): Promise<boolean>;
  /** Forgets the news until now: what is done next, a look at the row and a poll, takes them in. */
  forgetNews(): void;
  /** As `rest`, and cut short by a withdrawal alone: a provider that calls once more has no say in when a broker is asked. */
  pause(ms: number): Promise<void>;
  /** Takes its turn among all proposals to poll though the provider has not called. @returns milliseconds until then */
  turn(why: 'uncalled' | 'restarted'): number;
  /** Whether the provider called before its answer was in the row; says so once. */
  wasCalled(proposal: StoredProposal): boolean;
  /** Calls back where it is withdrawn, or the gateway closes; at once, where that is so already. Undefined: nobody any more. */
  onBreakOff(callback: (() => void) | undefined): void;
}
