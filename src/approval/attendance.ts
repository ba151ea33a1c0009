import canonicalize from 'canonicalize';
import { Refusal } from '../trading/refusal.ts';
import type { Outcome } from './asking.ts';
import { type Attention, attend, type KernelParts } from './attend.ts';
import type { Changes } from './changes.ts';
import type { Proposer } from './kind.ts';
import type { Move, StoredProposal } from './proposal-store.ts';

/** Who looks after the open proposals of this process: each once at a time. */
export interface Attendance {
  /** Has a proposal looked after from wherever it stands. @param fresh it was drafted by this process just now */
  begin(id: string, fresh: boolean): void;
  isAttended(id: string): boolean;
  /** There is news of a proposal: a withdrawal, say. */
  wake(id: string): void;
  /** The provider calls back (CIBA Core §10.2). False for a call that is nobody's, as far as is known yet. */
  called(authReqId: string, notificationToken: string): boolean;
  /** Listeners, the audit file and the phone hear of a change. */
  moved(move: Move): void;
  /** Looks once at what came of it. False where nothing more will change. */
  lookAtResult(id: string, asker: Proposer): Promise<boolean>;
  /** With whose token a person's accounts may be asked about; in memory alone. */
  lastAsker: Map<string, Proposer>;
  /** Resolves when nothing is under way any more; to be called once the signal has aborted. */
  ended(): Promise<void>;
}

/** What to look at again where it may still change, milliseconds: soon after the order, then less and less often. */
const FOLLOW_WAITS_MS = [50, 100, 200, 400, 800, 1_500, 3_000, 5_000, 10_000, 20_000, 30_000] as const;
/** An open order is followed this long by itself; after that whoever looks asks. */
const FOLLOW_MS = 15 * 60_000;
/** Calls remembered that came before their question's answer was in its row: a quick thumb. */
const MOST_EARLY_CALLS = 1_000;

export function createAttendance(
  parts: KernelParts & {
    readonly changes: Changes;
    readonly signal: AbortSignal;
    /** Told of what went wrong inside; never holds a token. */
    readonly onError: (message: string) => void;
  },
): Attendance {
  const { store, audit, asking, clock, kindOf, changes, signal } = parts;
  const attended = new Map<string, { readonly work: Promise<void>; readonly wake: () => void }>();
  const early = new Map<string, string>();
  /** What phones are being told, by question, one after the other: the last word must be the last. Waited for at the end. */
  const telling = new Map<string, Promise<void>>();
  const lastAsker = new Map<string, Proposer>();

  const failed = (error: unknown): void => {
    if (!signal.aborted)
      parts.onError(error instanceof Error ? `${error.name}: ${error.message}` : 'unknown');
  };
  const tell = ({ authReqId }: StoredProposal, state: Outcome['state'], text: string): void => {
    if (authReqId === undefined) return;
    const told = (telling.get(authReqId) ?? Promise.resolve())
      .then(() => asking.tell(authReqId, { state, text }))
      .catch(failed)
      .finally(() => {
        if (telling.get(authReqId) === told) telling.delete(authReqId);
      });
    telling.set(authReqId, told);
  };
  const moved = ({ moved: changed, proposal }: Move): void => {
    if (!changed) return;
    audit.flushSoon();
    changes.tell(proposal.sub);
    const { state, kind, result, reason } = proposal;
    if (state === 'executed') tell(proposal, 'executed', kindOf(kind).resultText(result));
    else if (isTold(state)) tell(proposal, state, reason?.text ?? state);
  };

  const followResult = async (id: string): Promise<void> => {
    const first = store.get(id);
    if (first?.state !== 'executed' || kindOf(first.kind).follow === undefined) return;
    const until = clock.now() + FOLLOW_MS;
    for (let look = 0; clock.now() < until; look++) {
      await clock.sleep(FOLLOW_WAITS_MS[Math.min(look, FOLLOW_WAITS_MS.length - 1)] ?? 0, signal);
      const asker = lastAsker.get(first.sub);
      if (asker === undefined) return;
      try {
        if (!(await attendance.lookAtResult(id, asker))) return;
      } catch (error) {
        // A broker that is away may answer the next time. With a token that has ended, it is for who looks next to ask.
        if (!(error instanceof Refusal)) throw error;
        if (error.status < 500) return;
      }
    }
  };

  const attentionTo = (): { attention: Attention; wake: (withdrawn: boolean) => void } => {
    let news = new AbortController();
    let breakOff: (() => void) | undefined;
    const attention: Attention = {
      ...parts,
      fresh: false,
      moved,
      record() {
        try {
          audit.flush();
          return true;
        } catch (error) {
          failed(error);
          return false;
        }
      },
      tell,
      async rest(ms) {
        try {
          await clock.sleep(ms, AbortSignal.any([news.signal, signal]));
        } catch {
          signal.throwIfAborted();
        }
        // News that came while a poll was under way is heard at the next rest.
        if (news.signal.aborted) news = new AbortController();
      },
      wasCalled: (authReqId, token) => early.get(authReqId) === token && early.delete(authReqId),
      onWithdrawn: (callback) => {
        breakOff = callback;
      },
    };
    return {
      attention,
      wake(withdrawn) {
        if (withdrawn) breakOff?.();
        news.abort();
      },
    };
  };

  const attendance: Attendance = {
    lastAsker,
    moved,
    begin(id, fresh) {
      if (attended.has(id) || signal.aborted) return;
      const { attention, wake } = attentionTo();
      const work = attend({ ...attention, fresh }, id)
        .then(() => followResult(id))
        .catch(failed)
        .finally(() => attended.delete(id));
      attended.set(id, { work, wake: () => wake(store.get(id)?.state === 'cancelled') });
    },
    isAttended: (id) => attended.has(id),
    wake: (id) => attended.get(id)?.wake(),
    called(authReqId, notificationToken) {
      const proposal = store.byAuthReqId(authReqId);
      if (proposal === undefined) {
        if (early.size >= MOST_EARLY_CALLS) early.delete(early.keys().next().value ?? '');
        early.set(authReqId, notificationToken);
        return false;
      }
      if (proposal.notificationToken !== notificationToken) return false;
      attendance.wake(proposal.id);
      return true;
    },
    async lookAtResult(id, asker) {
      const proposal = store.get(id);
      if (proposal?.state !== 'executed') return false;
      const result = await kindOf(proposal.kind).follow?.(proposal.subject, proposal.result, asker);
      if (result === undefined) return false;
      if (canonicalize(result) !== canonicalize(proposal.result)) {
        moved({ moved: true, proposal: store.updateResult(id, result) });
      }
      return true;
    },
    async ended() {
      await Promise.allSettled([...attended.values()].map(({ work }) => work));
      await Promise.allSettled(telling.values());
    },
  };
  return attendance;
}

/** `denied` the phone knows itself, and `requested` is what it shows. */
function isTold(state: StoredProposal['state']): state is 'cancelled' | 'expired' | 'blocked' | 'unknown' {
  return ['cancelled', 'expired', 'blocked', 'unknown'].includes(state);
}
