import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** Who holds a lease: machine, process, and a part of its own for each agent in that process. */
export function newHolder(): string {
  return `${hostname()}|${process.pid}|${randomBytes(6).toString('hex')}`;
}

/**
 * Whether a holder is certainly gone: its process ran on this machine and is no more. A lease left by `kill -9` can
 * then be taken at once; for any other holder its time must run out. (A reused process id only makes us wait.)
 */
export function isGone(holder: string): boolean {
  const [host, pid] = holder.split('|');
  if (host !== hostname() || pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}
