import { randomUUID } from 'node:crypto';
import type { Session } from '../../auth/session/session.ts';
import type { Clock } from '../../machine/clock.ts';
import type { RunRecord } from '../../schedule/run-record.ts';
import { isTransientError } from '../../tools/gateway/gateway-problem.ts';
import type { AddScheduleRequest, RemoteSchedule } from './protocol.ts';
import { createRemoteRequests } from './remote-requests.ts';
import { resolveScheduleScopes } from './run-scopes.ts';

/** Delays before retries, in milliseconds. Short, because someone is waiting. */
const BACKOFF_MS = [1_000, 2_000, 4_000] as const;
const POLL_INTERVAL_MS = 2_000;
const TIMEOUT_MARGIN_MS = 60_000;

/** The person's schedules on a server. The methods throw a `TradeAgentError` if the server refuses. */
export type RemoteSchedules = ReturnType<typeof createRemoteSchedules>;

export function createRemoteSchedules(
  session: Session,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
) {
  const server = createRemoteRequests(session);
  /** Repeats a request with the same idempotency key until the server responds. */
  const surely = async <T>(send: (key: string) => Promise<T>): Promise<T> => {
    const key = randomUUID();
    for (const wait of BACKOFF_MS) {
      try {
        return await send(key);
      } catch (error) {
        if (!isTransientError(error)) throw error;
        await clock.sleep(wait, signal);
      }
    }
    return await send(key);
  };
  const runs = async (id: string, limit: number): Promise<RunRecord[]> => {
    const query = { limit: String(limit) };
    return (await server.call('scheduleRuns', { params: { schedule: id }, query, signal })).runs;
  };
  return {
    /** Returns runs, newest first. */
    runs,
    list: async (): Promise<RemoteSchedule[]> => (await server.call('listSchedules', { signal })).schedules,
    add: async (body: AddScheduleRequest): Promise<RemoteSchedule> => {
      const scopes = resolveScheduleScopes(body.check);
      return (await surely((key) => server.call('addSchedule', { body, key, scopes, signal }))).schedule;
    },
    remove: async (id: string): Promise<void> => {
      await server.call('removeSchedule', { params: { schedule: id }, signal });
    },
    /** Starts a run and waits until it ends. @returns undefined if it did not end within its timeout */
    run: async ({
      id,
      timeout_ms,
      check,
    }: Pick<RemoteSchedule, 'id' | 'timeout_ms' | 'check'>): Promise<RunRecord | undefined> => {
      const params = { schedule: id };
      const scopes = resolveScheduleScopes(check);
      const asked = await surely((key) => server.call('runSchedule', { params, key, scopes, signal }));
      const queuedAt = Date.parse(asked.queued_at);
      const until = clock.now() + timeout_ms + TIMEOUT_MARGIN_MS;
      while (clock.now() < until) {
        const found = (await runs(id, 5)).find(
          ({ due, started_at, ended_at }) => due === null && ended_at !== null && Date.parse(started_at) >= queuedAt,
        );
        if (found !== undefined) return found;
        await clock.sleep(POLL_INTERVAL_MS, signal);
      }
      return undefined;
    },
  };
}
