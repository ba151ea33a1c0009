import canonicalize from 'canonicalize';
import type { ProposalState } from '../../trading/proposal.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { Outcome } from '../asking-port.ts';
import type { Changes } from '../changes.ts';
import type { KernelParts } from '../kernel-parts.ts';
import type { Proposer } from '../kind.ts';
import { toldStates } from '../proposal-tables.ts';
import type { Move, StoredProposal } from '../stored-proposal.ts';
import type { Attention } from './attention.ts';
import { lookAfter } from './look-after.ts';
import { createPacer } from './pacer.ts';

/** Who looks after the open proposals of this process: each once at a time. */
export interface Attendants {
  /** Has a proposal looked after from wherever it stands. @param fresh it was drafted by this process just now */
  begin(id: string, fresh: boolean): void;
  isAttended(id: string): boolean;
  /** There is news of a proposal: a withdrawal, say. */
  wake(id: string): void;
  /** The provider calls back (CIBA Core §10.2). False for a call that is nobody's, as far as is known yet. */
  called(authReqId: string, notificationToken: string): boolean;
  /** Listeners, the audit file and the phone hear of a change. */
  moved(move: Move): void;
  /** Tells the phone what an earlier process died before telling. */
  tellUntold(): void;
  /** Looks once at what came of it. False where nothing more will change. */
  lookAtResult(id: string, asker: Proposer): Promise<boolean>;
  /** Keeps in memory, and nowhere else, with whose token a person's accounts may be asked about. */
  seen(asker: Proposer): void;
  /** Resolves when nothing is under way any more; to be called once the signal has aborted. */
  ended(): Promise<void>;
}

/** What to look at again where it may still change, milliseconds: soon after the order, then less and less often. */
const FOLLOW_WAITS_MS = [50, 100, 200, 400, 800, 1_500, 3_000, 5_000, 10_000, 20_000, 30_000] as const;
/** An open order is followed this long by itself; after that whoever looks asks. */
const FOLLOW_MS = 15 * 60_000;
/**
 * Between polls for calls that may have got lost, of all proposals together: with ten thousand open they would otherwise
 * keep gateway and provider busy with nothing, and one that holds its polls would hold thousands.
 */
const UNCALLED_APART_MS = 200;
/** Between the first polls after a restart: a call may have come while nobody listened. */
const RESTARTED_APART_MS = 10;
/** Calls remembered that came before their question's answer was in its row: a quick thumb. */
const MOST_EARLY_CALLS = 1_000;
/** Longer than any notification token of ours: it is no call to remember. */
const LONGEST_NOTIFICATION_TOKEN = 128;
/** People whose last token is remembered; whoever was longest away is forgotten first. */
const MOST_ASKERS = 10_000;
/** Between the tries to tell the phone, milliseconds; the last goes on. */
const TELL_WAITS_MS = [1_000, 5_000, 30_000, 300_000] as const;
/** After what nobody foresaw (a full disk, say) it is tried again, milliseconds; the last goes on. */
const FAILED_WAITS_MS = [1_000, 5_000, 15_000, 60_000] as const;

export function createAttendants(
  parts: KernelParts & {
    readonly changes: Changes;
    readonly signal: AbortSignal;
    /** Told of what went wrong inside; never holds a token. */
    readonly onError: (message: string) => void;
  },
): Attendants {
  const { store, audit, asking, clock, kindOf, changes, signal } = parts;
  const attended = new Map<
    string,
    { readonly work: Promise<void>; readonly wake: (withdrawn: boolean) => void }
  >();
  const uncalled = createPacer(clock, UNCALLED_APART_MS);
  const restarted = createPacer(clock, RESTARTED_APART_MS);
  const early = new Map<string, string>();
  /** What phones are being told, by question, one after the other: the last word must be the last. Waited for at the end. */
  const telling = new Map<string, Promise<void>>();
  const askers = new Map<string, Proposer>();

  const failed = (error: unknown): void => {
    if (!signal.aborted)
      parts.onError(error instanceof Error ? `${error.name}: ${error.message}` : 'unknown');
  };
  const inOrder = (authReqId: string, work: () => Promise<void>): void => {
    const told = (telling.get(authReqId) ?? Promise.resolve())
      .then(work)
      .catch(failed)
      .finally(() => {
        if (telling.get(authReqId) === told) telling.delete(authReqId);
      });
    telling.set(authReqId, told);
  };
  const tell = ({ authReqId }: StoredProposal, state: Outcome['state'], text: string): void => {
    if (authReqId === undefined) return;
    inOrder(authReqId, async () => void (await asking.tell(authReqId, { state, text })));
  };
  /** Until it is heard, or there is something later to tell; what a death cuts off, the next start tells. */
  const tellOutcome = (proposal: StoredProposal): void => {
    const { id, version, authReqId, state, kind, result, reason } = proposal;
    if (authReqId === undefined || !isTold(state)) return;
    const text = state === 'executed' ? kindOf(kind).resultText(result) : (reason?.text ?? state);
    inOrder(authReqId, async () => {
      for (let tries = 0; !(await asking.tell(authReqId, { state, text })); tries++) {
        await changes.next({ proposal: id }, TELL_WAITS_MS[Math.min(tries, TELL_WAITS_MS.length - 1)] ?? 0, [
          signal,
        ]);
        if (signal.aborted || store.get(id)?.version !== version) return;
      }
      store.told(id, version);
    });
  };
  const moved = ({ moved: changed, proposal }: Move): void => {
    if (!changed) return;
    audit.flushSoon();
    changes.tell(proposal.sub, proposal.id);
    tellOutcome(proposal);
  };

  const followResult = async (id: string): Promise<void> => {
    const first = store.get(id);
    if (first?.state !== 'executed' || kindOf(first.kind).follow === undefined) return;
    const asker = askers.get(first.sub);
    if (asker === undefined) return;
    const until = clock.now() + FOLLOW_MS;
    for (let look = 0; clock.now() < until; look++) {
      await clock.sleep(FOLLOW_WAITS_MS[Math.min(look, FOLLOW_WAITS_MS.length - 1)] ?? 0, signal);
      try {
        if (!(await attendants.lookAtResult(id, asker))) return;
      } catch (error) {
        // The broker is out of reach for a while; the next look may find it.
        if (!(error instanceof Refusal)) throw error;
      }
    }
  };

  const attentionTo = (): { attention: Attention; wake: (over: boolean) => void } => {
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
      seen({ sub, clientId = '', accessToken }) {
        if (!askers.has(sub)) attendants.seen({ sub, clientId, accessToken });
      },
      tell,
      async rest(ms) {
        signal.throwIfAborted();
        try {
          await clock.sleep(ms, news.signal);
        } catch {
          // Told below.
        }
        signal.throwIfAborted();
        // News that came while a poll was under way is heard at the next rest.
        if (!news.signal.aborted) return false;
        news = new AbortController();
        return true;
      },
      turn: (why) => (why === 'uncalled' ? uncalled : restarted).take(),
      wasCalled: (authReqId, token) => early.get(authReqId) === token && early.delete(authReqId),
      onBreakOff: (callback) => {
        breakOff = callback;
      },
    };
    return {
      attention,
      wake(over) {
        if (over) breakOff?.();
        news.abort();
      },
    };
  };

  /** Whatever goes wrong inside, an open proposal is not left alone. */
  const attendTo = async (attention: Attention, id: string): Promise<void> => {
    for (let failures = 0; ; failures++) {
      try {
        return await lookAfter(attention, id);
      } catch (error) {
        signal.throwIfAborted();
        failed(error);
        // It may have come between a change and those who are to hear of it.
        audit.flushSoon();
        attendants.tellUntold();
        await attention.rest(FAILED_WAITS_MS[Math.min(failures, FAILED_WAITS_MS.length - 1)] ?? 0);
      }
    }
  };
  // One listener for all: of each that waits by itself, a signal that lives as long as the gateway keeps a trace.
  signal.addEventListener('abort', () => {
    for (const { wake } of attended.values()) wake(true);
  });

  const attendants: Attendants = {
    seen(asker) {
      askers.delete(asker.sub);
      askers.set(asker.sub, asker);
      if (askers.size > MOST_ASKERS) askers.delete(askers.keys().next().value ?? '');
    },
    moved,
    tellUntold() {
      for (const proposal of store.untold()) tellOutcome(proposal);
    },
    begin(id, fresh) {
      if (attended.has(id) || signal.aborted) return;
      const { attention, wake } = attentionTo();
      const work = attendTo({ ...attention, fresh }, id)
        .then(() => followResult(id))
        .catch(failed)
        .finally(() => attended.delete(id));
      attended.set(id, { work, wake });
    },
    isAttended: (id) => attended.has(id),
    wake: (id) => attended.get(id)?.wake(store.get(id)?.state === 'cancelled'),
    called(authReqId, notificationToken) {
      const proposal = store.byAuthReqId(authReqId);
      if (proposal === undefined) {
        if (notificationToken.length > LONGEST_NOTIFICATION_TOKEN) return false;
        if (early.size >= MOST_EARLY_CALLS) early.delete(early.keys().next().value ?? '');
        early.set(authReqId, notificationToken);
        return false;
      }
      if (proposal.notificationToken !== notificationToken) return false;
      attendants.wake(proposal.id);
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
  return attendants;
}

/** `denied` the phone knows itself, and `requested` is what it shows. */
function isTold(state: ProposalState): state is (typeof toldStates)[number] {
  return toldStates.some((told) => told === state);
}
