import type { RunResult } from '../../agent/events.ts';
import type { WireOptions } from '../../agent/remote/protocol.ts';
import type { RunWait, StoredRun } from '../../store/run-store.ts';
import { isSettledState } from '../../trading/proposal.ts';

/** What was asked a moment ago is seldom decided; who watches hears of it at once, and this is for all others. Milliseconds. */
const FIRST_LOOK_MS = 2_000;
/** The gateway carries out what was approved in the last moment. */
const GRACE_MS = 60_000;
/** How long to wait for news of what is on its way and unknown: it may take the gateway hours to learn. */
const UNKNOWN_MS = 10_000;
/** How long an account may take to be connected, where the run does not say how long a proposal may. */
const CONNECTING_MS = 5 * 60_000;

/**
 * What a run waits for that could not go on by itself; undefined where this is its end: it was to wait for nobody, nothing is
 * open, or it waited for just this until its time was over.
 */
export function waitOf(
  run: Pick<StoredRun, 'waitsUntil' | 'waitsFor'>,
  { approval, ttl }: Pick<WireOptions, 'approval' | 'ttl'>,
  { approvals, connections }: Pick<RunResult, 'approvals' | 'connections'>,
  now: number,
): RunWait | undefined {
  if (approval === 'detach') return undefined;
  const open = approvals.filter(({ status }) => !isSettledState(status));
  const proposals = open.map(({ id }) => id);
  const isConnecting = connections.some(({ status }) => status === 'needed');
  if (proposals.length === 0 && !isConnecting) return undefined;
  const isOver = run.waitsUntil !== undefined && run.waitsUntil <= now;
  if (isOver && !isConnecting && proposals.every((id) => run.waitsFor.includes(id))) return undefined;
  const connecting = ttl === undefined ? CONNECTING_MS : ttl * 1000;
  const connectBy = connectsBy(run) ?? now + connecting;
  const until = Math.max(
    ...open.map(({ status, expires_at }) =>
      status === 'unknown' ? now + UNKNOWN_MS : Date.parse(expires_at) + GRACE_MS,
    ),
    ...(isConnecting ? [connectBy] : []),
  );
  // Of proposals news comes by itself. Whether an account is connected is asked by taking the run up: ever less often.
  const waited = isConnecting ? now - (connectBy - connecting) : 0;
  const lookAt = Math.min(now + Math.max(FIRST_LOOK_MS, waited / 4), until);
  return { proposals, now, lookAt: Math.ceil(lookAt), until };
}

/** Until when a run waits for an account, where that was all it waited for; it goes on without it then. */
export function connectsBy({ waitsUntil, waitsFor }: Pick<StoredRun, 'waitsUntil' | 'waitsFor'>) {
  return waitsFor.length === 0 ? waitsUntil : undefined;
}
