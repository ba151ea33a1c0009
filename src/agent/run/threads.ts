import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import type { Lease, LeasedThread, Thread, ThreadOwner, ThreadStore } from '../../store/thread-store.ts';
import { shortId } from '../short-id.ts';

/** Longer than any pause of a healthy process between two renewals. */
export const THREAD_LEASE_MS = 30_000;

/** What a run wants of a thread: to say something in it (what a new one is called by), or to go on where it stopped. */
type ThreadRequest =
  | { readonly title: string; readonly thread?: string | undefined }
  | { readonly resume: string };

/**
 * Takes the right to drive a thread for a run, and makes the thread where something is to be said in a new one.
 * @throws {TradeAgentError} `usage` for an id that can be none, `not_found`, `busy` while another run holds it
 */
export async function beginThread(
  threads: Pick<ThreadStore, 'find' | 'begin'>,
  request: ThreadRequest,
  { owner, holder, clock }: { readonly owner: ThreadOwner; readonly holder: string; readonly clock: Clock },
): Promise<{ readonly thread: Thread; readonly lease: Lease }> {
  const isNew = 'title' in request && request.thread === undefined;
  const id = isNew ? shortId('th_', 10) : 'resume' in request ? request.resume : (request.thread ?? '');
  if ('title' in request) requireThreadId(id);
  for (;;) {
    const found = await threads.find(id);
    if (found !== undefined || 'resume' in request) requireOwn(found, id, owner);
    const now = clock.now();
    if (found !== undefined && isDriven(found, now)) {
      throw new TradeAgentError('busy', `another run holds thread ${id}`, {
        hint: 'Wait for it to end, or start a new thread.',
      });
    }
    const title = 'title' in request ? request.title : undefined;
    const until = now + THREAD_LEASE_MS;
    const begun = await threads.begin({ id, owner, title, holder, expected: found?.epoch, now, until });
    if (begun.outcome === 'begun') return begun;
    // Somebody else has begun or removed it since it was looked at.
  }
}

/** A user's own. @throws {TradeAgentError} `not_found`, also for another user's thread */
export async function ownThread(
  threads: Pick<ThreadStore, 'find'>,
  id: string,
  owner: ThreadOwner,
): Promise<LeasedThread> {
  return requireOwn(await threads.find(id), id, owner);
}

/** Whether a run has the right to drive it, and may still be there. */
export function isDriven({ holder, until }: LeasedThread, now: number): boolean {
  return holder !== undefined && until > now && !isGone(holder);
}

function requireThreadId(id: string): void {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(id)) return;
  throw new TradeAgentError('usage', 'a thread’s id has 1 to 64 letters, digits, "-" and "_"', {
    hint: 'Choose another id, or leave it out to get a new one.',
  });
}

function requireOwn<T extends Thread>(found: T | undefined, id: string, { profile, sub }: ThreadOwner): T {
  const isOwn = found?.profile === profile && (found.sub === undefined || found.sub === sub);
  if (found !== undefined && isOwn) return found;
  throw new TradeAgentError('not_found', `there is no thread ${id}`, {
    hint: 'List yours with "trade-agent threads".',
  });
}

/** Who holds a lease: machine, process, and a part of its own for each agent in that process. */
export function newHolder(): string {
  return `${hostname()}|${process.pid}|${randomBytes(6).toString('hex')}`;
}

/**
 * Whether a holder is certainly gone: its process ran on this machine and is no more. A lease left by `kill -9` can
 * then be taken at once; for any other holder its time must run out. (A reused process id only makes us wait.)
 */
function isGone(holder: string): boolean {
  const [host, pid] = holder.split('|');
  if (host !== hostname() || pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}
