import type { ThreadRecord, ThreadView } from '../agent/events.ts';
import { TradeAgentError } from '../errors/errors.ts';
import type { App } from './app.ts';
import { resolveIdPrefix } from './resolve-prefix.ts';

/** Which threads to delete. At least one of `olderThan` and `keep` is required. */
export interface PruneSettings {
  /** Deletes threads that have not been used for this long, in milliseconds. */
  readonly olderThan?: number;
  readonly keep?: number;
  /** Lists the threads that would be deleted, but deletes nothing. */
  readonly dryRun?: boolean;
}

/** Lists threads, newest first. */
export async function listThreads(app: App): Promise<ThreadView[]> {
  return (await app.agent({})).threads();
}

/** Completes the prefix of a thread's ID. @throws {TradeAgentError} `usage` for an ambiguous prefix */
export function resolveThreadId(app: Pick<App, 'agent'>, typed: string): Promise<string> {
  return resolveIdPrefix(typed, {
    called: 'threads',
    whole: /^th_[0-9a-z]{10}$/,
    list: async () => (await (await app.agent({})).threads({ asKept: true })).map(({ thread }) => thread),
  });
}

/** Finds a thread by ID or prefix. @throws {TradeAgentError} `not_found`, `usage` */
export async function findThread(app: App, id: string): Promise<ThreadRecord> {
  const agent = await app.agent({});
  return agent.thread(await resolveThreadId(app, id));
}

/**
 * Deletes a thread. @param id the full ID or a prefix @returns the full ID
 * @throws {TradeAgentError} `not_found`; `usage`; `busy`; `approval_pending` or `outcome_unknown` for an open approval
 */
export async function deleteThread(app: App, id: string): Promise<string> {
  const whole = await resolveThreadId(app, id);
  await (await app.agent({})).deleteThread(whole);
  return whole;
}

/** Deletes finished threads and returns their IDs. @throws {TradeAgentError} `usage` if neither setting is given */
export async function pruneThreads(app: App, { olderThan, keep, dryRun = false }: PruneSettings): Promise<string[]> {
  if (olderThan === undefined && keep === undefined) {
    throw new TradeAgentError('usage', 'no threads were selected for deletion', {
      hint: 'Pass --older-than 30d, --keep 20, or both.',
    });
  }
  return (await app.agent({})).pruneThreads({ olderThan: olderThan ?? 0, keep: keep ?? 0, dryRun });
}
