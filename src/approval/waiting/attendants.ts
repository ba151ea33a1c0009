import canonicalize from 'canonicalize';
import type { StoredProposal } from '../../store/proposal-store.ts';
import { isSettledState } from '../../trading/proposal.ts';
import { NO_TOKEN } from '../access.ts';
import type { Changes } from '../changes.ts';
import type { KernelParts } from '../kernel-parts.ts';
import type { Proposer } from '../kind.ts';
import type { Move } from '../moves.ts';
import type { NotificationTokens } from '../notification-tokens.ts';
import type { Attention } from './attention.ts';
import { followResult, type ResultLook } from './follow-result.ts';
import { lookAfter } from './look-after.ts';
import { createMissedCalls } from './missed-calls.ts';
import { createPacer, type Pacer } from './pacer.ts';
import { createTakingUp } from './taking-up.ts';
import { createTelling } from './telling.ts';

/** Calls remembered that came before their question's answer was in its row: a quick thumb. */
const MOST_EARLY_CALLS = 1_000;
/** Longer than any notification token of ours: it is no call to remember. */
const LONGEST_NOTIFICATION_TOKEN = 128;

/** Calls of the identity provider (CIBA Core §10.2) for questions that are not known yet; the oldest are forgotten. */
interface EarlyCalls {
  remember(authReqId: string, notificationToken: string): void;
  /** Whether one came for a proposal's question, now that it is known; says so once. */
  take(proposal: StoredProposal): boolean;
}

function createEarlyCalls(tokens: NotificationTokens): EarlyCalls {
  const calls = new Map<string, string>();
  return {
    remember(authReqId, notificationToken) {
      if (notificationToken.length > LONGEST_NOTIFICATION_TOKEN) return;
      if (calls.size >= MOST_EARLY_CALLS) calls.delete(calls.keys().next().value ?? '');
      calls.set(authReqId, notificationToken);
    },
    take(proposal) {
      const { authReqId = '' } = proposal;
      const notificationToken = calls.get(authReqId);
      calls.delete(authReqId);
      return notificationToken !== undefined && tokens.isOf(notificationToken, proposal);
    },
  };
}

/** People whose last token is remembered; whoever was longest away is forgotten first. */
const MOST_ASKERS = 10_000;

/** With whose token a person's accounts may be asked about, in memory and nowhere else. */
interface Askers {
  readonly by: ReadonlyMap<string, Proposer>;
  seen(asker: Proposer): void;
}

function createAskers(): Askers {
  const by = new Map<string, Proposer>();
  return {
    by,
    seen(asker) {
      // The gateway itself comes without a token: a session that is at hand is of more use.
      if (asker.accessToken === NO_TOKEN && by.has(asker.sub)) return;
      by.delete(asker.sub);
      by.set(asker.sub, asker);
      if (by.size > MOST_ASKERS) by.delete(by.keys().next().value ?? '');
    },
  };
}

/** Who looks after the open proposals of this process: each once at a time. */
export interface Attendants {
  /**
   * Has a proposal looked after from wherever it stands.
   * @param why `drafted` by this process just now; `taken` over from another, in the rows too; `found` where nobody may have it
   */
  begin(id: string, why: 'drafted' | 'taken' | 'found'): void;
  /** Has what was taken over from others looked after, one after the other in this order. */
  takeUp(taken: readonly string[]): void;
  /** Has what came of it followed where its changes are told, though nobody here did so any more. */
  resume(id: string): void;
  isAttended(id: string): boolean;
  /** There is news of a proposal. @param news.over it was withdrawn: nothing is to be waited for any more */
  wake(id: string, news: { readonly over: boolean }): void;
  /** The provider calls back (CIBA Core §10.2). False for a call that is nobody's, as far as is known yet. */
  called(authReqId: string, notificationToken: string): Promise<boolean>;
  /** Calls may have come that this process did not hear of: each that waits for one asks for itself, in its turn. */
  missed(): void;
  /** Listeners, the audit file and the phone hear of a change. */
  moved(move: Move): void;
  /** Tells the phone what an earlier process died before telling. */
  tellUntold(): Promise<void>;
  /** Looks once at what came of it. */
  lookAtResult(id: string, asker: Proposer): Promise<ResultLook>;
  /** Keeps in memory, and nowhere else, with whose token a person's accounts may be asked about. */
  seen(asker: Proposer): void;
  /** With whose token a person's accounts may be asked about; undefined where none came by since the gateway started. */
  askerOf(sub: string): Proposer | undefined;
  /** Whoever looks after something here is to stop: another process may have it now. Resolves once they have. */
  stop(): Promise<void>;
  /** Resolves when nothing is under way any more; to be called once the signal has aborted. */
  ended(): Promise<void>;
}

/**
 * Between polls for calls that may have got lost, of all proposals together: with ten thousand open they would otherwise
 * keep gateway and provider busy with nothing, and one that holds its polls would hold thousands.
 */
const UNCALLED_APART_MS = 400;
/** Between the first polls after a restart, or after news were missed: a call may have come while nobody listened. */
const RESTARTED_APART_MS = 20;
/** After what nobody foresaw (a full disk, say) it is tried again, milliseconds; the last goes on. */
const FAILED_WAITS_MS = [1_000, 5_000, 15_000, 60_000] as const;

interface AttendantParts extends KernelParts {
  readonly changes: Changes;
  /** Aborts when the gateway closes. */
  readonly signal: AbortSignal;
  /** Told of what went wrong inside; never holds a token. */
  readonly onError: (message: string) => void;
}

/** What is under way about one proposal. */
interface Attended {
  readonly work: Promise<void>;
  readonly wake: (over: boolean) => void;
  readonly end: AbortController;
  readonly isResumed: boolean;
}

/*
 * In a process one attendant has a proposal: `begin` looks and writes in one breath. Where several processes have the same
 * database, one of them has it (`OtherProcesses.take`); else the folder of the one gateway is locked. Between an attendant's
 * look at the row and what it does next the row may change, so what it does is a move from the version that it saw; and it
 * may be told of the change before it listens, so news are kept for it.
 */
export function createAttendants(parts: AttendantParts): Attendants {
  const { store, audit, changes, others, signal } = parts;
  const attended = new Map<string, Attended>();
  const early = createEarlyCalls(parts.notificationTokens);
  const askers = createAskers();
  const failed = (error: unknown): void => void (signal.aborted || parts.onError(textOf(error)));
  const allOver = () => Promise.allSettled([...attended.values()].map(({ work }) => work));
  const telling = createTelling(parts, { store, changes, signal, failed });
  const restarted = createPacer(parts.clock, RESTARTED_APART_MS);
  const attentionTo = attentions(parts, {
    uncalled: createPacer(parts.clock, UNCALLED_APART_MS),
    restarted,
    wasCalled: early.take,
    tellSending: telling.tellSending,
    moved: (move) => attendants.moved(move),
    failed,
    askerOf: (sub) => askers.by.get(sub),
    seen({ sub, clientId = '', accessToken }) {
      if (accessToken !== '' && !askers.by.has(sub)) askers.seen({ sub, clientId, accessToken });
    },
  });
  const takingUp = createTakingUp(parts.clock, (id) => attendants.begin(id, 'taken'));
  const missedCalls = createMissedCalls(parts.clock, restarted, {
    waiting: () => attended.keys(),
    ask: (id) => attendants.wake(id, { over: false }),
  });
  const endAll = () => {
    missedCalls.stop();
    takingUp.forget();
    for (const { wake, end } of attended.values()) {
      end.abort();
      wake(true);
    }
  };
  // One listener for all: of each that waits by itself, a signal that lives as long as the gateway keeps a trace.
  signal.addEventListener('abort', endAll);
  const attend = attending(attended, failed);

  const attendants: Attendants = {
    seen: askers.seen,
    askerOf: (sub) => askers.by.get(sub),
    moved({ outcome, proposal }) {
      if (outcome !== 'moved') return;
      audit.flushSoon();
      changes.tell(proposal);
      others?.tell({ moved: proposal.id });
      telling.tellOutcome(proposal);
      if (isSettledState(proposal.state) && proposal.state !== 'executed')
        abandon(parts, proposal).catch(failed);
    },
    async tellUntold() {
      for (const proposal of await store.untold()) telling.tellOutcome(proposal);
    },
    begin(id, why) {
      if (attended.has(id) || signal.aborted) return;
      const end = new AbortController();
      const { attention, wake } = attentionTo(why === 'drafted', end.signal);
      const persist = persistence(parts, attention, { attendants, failed });
      const look = async () => {
        const isTaken = why === 'taken' || others === undefined || (await persist(() => others.take(id)));
        if (!isTaken) return;
        await persist(() => lookAfter(attention, id));
        await followResult(attention, id, { ...attendants, askers: askers.by });
      };
      attend(id, look, { wake, isResumed: false }, end);
    },
    resume(id) {
      if (attended.has(id) || signal.aborted) return;
      const following = { ...attendants, askers: askers.by, isResumed: true };
      const look = (until: AbortSignal) => followResult({ ...parts, signal: until }, id, following);
      attend(id, look, { wake: () => undefined, isResumed: true }, new AbortController());
    },
    // Whoever looks at one that is only listened to asks for themselves, as without anybody.
    isAttended: (id) => attended.get(id)?.isResumed === false,
    takeUp: (taken) => takingUp.add(taken),
    wake(id, { over }) {
      takingUp.now(id);
      attended.get(id)?.wake(over);
    },
    async called(authReqId, notificationToken) {
      const proposal = await calledAbout(parts, early, authReqId, notificationToken);
      if (proposal === undefined) return false;
      if (attended.has(proposal.id) || takingUp.has(proposal.id))
        attendants.wake(proposal.id, { over: false });
      else others?.tell({ called: proposal.id });
      return true;
    },
    missed: missedCalls.askAll,
    lookAtResult: (id, asker) => lookAtResult(parts, attendants, id, asker),
    async stop() {
      endAll();
      await allOver();
    },
    async ended() {
      await allOver();
      await telling.ended();
    },
  };
  return attendants;
}

/** What has ended without being carried out keeps nothing ready. Where the process dies first, reconciliation does it. */
async function abandon({ kindOf }: Pick<KernelParts, 'kindOf'>, proposal: StoredProposal): Promise<void> {
  await kindOf(proposal.kind).abandon?.(proposal.subject, proposal.sub);
}

/** Has something looked at from the first to the last, until its signal aborts. */
function attending(attended: Map<string, Attended>, failed: (error: unknown) => void) {
  return (
    id: string,
    look: (signal: AbortSignal) => Promise<void>,
    more: Pick<Attended, 'wake' | 'isResumed'>,
    end: AbortController,
  ): void => {
    const work = look(end.signal)
      .catch((error) => end.signal.aborted || failed(error))
      .then(() => void attended.delete(id));
    attended.set(id, { work, end, ...more });
  };
}

const textOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : 'unknown';

/** What the provider calls about; undefined for nothing, or as far as is known yet. */
async function calledAbout(
  { store, notificationTokens }: Pick<KernelParts, 'store' | 'notificationTokens'>,
  early: EarlyCalls,
  authReqId: string,
  notificationToken: string,
): Promise<StoredProposal | undefined> {
  let proposal = await store.byAuthReqId(authReqId);
  if (proposal === undefined) {
    early.remember(authReqId, notificationToken);
    // Its answer may have come into the row while that was read, and nobody would look for an early call again.
    proposal = await store.byAuthReqId(authReqId);
    if (proposal === undefined) return undefined;
    early.take(proposal);
  }
  const isAsked = !isSettledState(proposal.state) && notificationTokens.isOf(notificationToken, proposal);
  return isAsked ? proposal : undefined;
}

async function lookAtResult(
  { store, moves, kindOf }: AttendantParts,
  { moved }: Pick<Attendants, 'moved'>,
  id: string,
  asker: Proposer,
): Promise<ResultLook> {
  const proposal = await store.get(id);
  if (proposal?.state !== 'executed') return 'over';
  const kind = kindOf(proposal.kind);
  const result = await kind.follow?.(proposal.subject, proposal.result, asker);
  if (result === undefined) return 'over';
  if (canonicalize(result) === canonicalize(proposal.result)) return 'same';
  // Where somebody else has noted another meanwhile, theirs stands until the next look.
  const move = await moves.recordResult(proposal, result);
  moved(move);
  return move.outcome === 'moved' && kind.isOver?.(result) === true ? 'over' : 'changed';
}

/** Makes what each attendant has at hand, and what wakes it. */
function attentions(
  parts: AttendantParts,
  shared: Pick<Attention, 'wasCalled' | 'tellSending' | 'moved' | 'seen' | 'askerOf'> & {
    readonly uncalled: Pacer;
    readonly restarted: Pacer;
    readonly failed: (error: unknown) => void;
  },
) {
  const { audit, clock } = parts;
  const { uncalled, restarted, failed, wasCalled, tellSending, moved, seen, askerOf } = shared;
  return (fresh: boolean, signal: AbortSignal): { attention: Attention; wake: (over: boolean) => void } => {
    let news = new AbortController();
    let isOver = false;
    let breakOff: (() => void) | undefined;
    const attention: Attention = {
      ...parts,
      signal,
      fresh,
      wasCalled,
      tellSending,
      moved,
      seen,
      askerOf,
      record: () =>
        audit.flush().then(
          () => true,
          (error: unknown) => {
            failed(error);
            return false;
          },
        ),
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
      forgetNews() {
        if (news.signal.aborted) news = new AbortController();
      },
      async pause(ms) {
        const until = clock.now() + ms;
        for (let left = ms; left > 0 && !isOver; left = until - clock.now()) {
          if (!(await attention.rest(left))) return;
        }
      },
      turn: (why) => (why === 'uncalled' ? uncalled : restarted).take(),
      onBreakOff(callback) {
        breakOff = callback;
        // It was withdrawn between the look at the row and the call that is to be broken off.
        if (isOver) callback?.();
      },
    };
    return {
      attention,
      wake(over) {
        if (over) {
          isOver = true;
          breakOff?.();
        }
        news.abort();
      },
    };
  };
}

/** Whatever goes wrong inside, an open proposal is not left alone: it is tried again. */
function persistence(
  { audit }: AttendantParts,
  attention: Attention,
  { attendants, failed }: { readonly attendants: Attendants; readonly failed: (error: unknown) => void },
) {
  return async <T>(work: () => Promise<T>): Promise<T> => {
    for (let failures = 0; ; failures++) {
      try {
        return await work();
      } catch (error) {
        attention.signal.throwIfAborted();
        failed(error);
        attention.fresh = false;
        // It may have come between a change and those who are to hear of it.
        audit.flushSoon();
        await attendants.tellUntold().catch(failed);
        await attention.rest(FAILED_WAITS_MS[Math.min(failures, FAILED_WAITS_MS.length - 1)] ?? 0);
      }
    }
  };
}
