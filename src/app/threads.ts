import type { ThreadRecord, ThreadView } from '../agent/events.ts';
import { TradeAgentError } from '../errors/errors.ts';
import type { App } from './app.ts';
import { wholeId } from './whole-id.ts';

/** At least one of the first two is required. */
export interface PruneSettings {
  /** Deletes those untouched for this long, milliseconds. */
  readonly olderThan?: number;
  readonly keep?: number;
  /** Deletes nothing, only lists what would be. */
  readonly dryRun?: boolean;
}

/** Newest first. */
export async function listThreads(app: App): Promise<ThreadView[]> {
  return (await app.agent({})).threads();
}

/** Completes an id. @throws {TradeAgentError} `usage` where it is ambiguous */
export function threadIdOf(app: Pick<App, 'agent'>, typed: string): Promise<string> {
  return wholeId(typed, {
    called: 'threads',
    whole: /^th_[0-9a-z]{10}$/,
    list: async () => (await (await app.agent({})).threads({ asKept: true })).map(({ thread }) => thread),
  });
}

/** @param id or its beginning @throws {TradeAgentError} `not_found`, `usage` */
export async function findThread(app: App, id: string): Promise<ThreadRecord> {
  const agent = await app.agent({});
  return agent.thread(await threadIdOf(app, id));
}

/**
 * @param id or its beginning
 * @returns the id
 * @throws {TradeAgentError} `not_found`; `usage`; `busy`; `approval_pending` or `outcome_unknown` where an approval
 *   is open
 */
export async function deleteThread(app: App, id: string): Promise<string> {
  const whole = await threadIdOf(app, id);
  await (await app.agent({})).deleteThread(whole);
  return whole;
}

/** Deletes finished conversations. @returns their ids @throws {TradeAgentError} `usage` where nothing says which */
export async function pruneThreads(
  app: App,
  { olderThan, keep, dryRun = false }: PruneSettings,
): Promise<string[]> {
  if (olderThan === undefined && keep === undefined) {
    throw new TradeAgentError('usage', 'which threads to delete is not said', {
      hint: 'Give --older-than 30d, --keep 20, or both.',
    });
  }
  return (await app.agent({})).pruneThreads({ olderThan: olderThan ?? 0, keep: keep ?? 0, dryRun });
}
