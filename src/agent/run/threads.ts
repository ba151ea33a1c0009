import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import type { Lease, LeasedThread, Thread, ThreadOwner, ThreadStore } from '../../store/thread-store.ts';
import { shortId } from '../short-id.ts';

/** Longer than any pause of a healthy process between two renewals. */
export const THREAD_LEASE_MS = 30_000;

/** A prompt (with the title of a new thread), or a resume. */
type ThreadRequest =
  | { readonly title: string; readonly thread?: string | undefined }
  | { readonly resume: string };

/**
 * Takes the lease of a thread, creating the thread for a first prompt.
 * @throws {TradeAgentError} `usage` for an invalid id, `not_found`, `busy` while another run holds it
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
    // Another run has begun or removed the thread since it was read.
  }
}

/** @throws {TradeAgentError} `not_found`, also for another user's thread */
export async function ownThread(
  threads: Pick<ThreadStore, 'find'>,
  id: string,
  owner: ThreadOwner,
): Promise<LeasedThread> {
  return requireOwn(await threads.find(id), id, owner);
}

/** Whether a live run holds the lease. */
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

/** Machine, process, and a random part for each agent in the process. */
export function newHolder(): string {
  return `${hostname()}|${process.pid}|${randomBytes(6).toString('hex')}`;
}

/**
 * True only if the holder's process ran on this machine and has exited, so that a lease left by `kill -9` can be taken
 * at once. Other holders' leases must run out. A reused process id only delays us.
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
