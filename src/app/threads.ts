import type { ThreadRecord, ThreadView } from '../agent/events.ts';
import { TradeAgentError } from '../errors/errors.ts';
import type { App } from './app.ts';
import { wholeId } from './whole-id.ts';

/** Which finished conversations are to go; at least one of the first two must be said. */
export interface PruneSettings {
  /** Those untouched for this long, milliseconds. */
  readonly olderThan?: number;
  /** Spares this many of the newest. */
  readonly keep?: number;
  /** Removes nothing, only says what would go. */
  readonly dryRun?: boolean;
}

/** Earlier conversations, newest first. */
export async function listThreads(app: App): Promise<ThreadView[]> {
  return (await app.agent({})).threads();
}

/** The id of the thread of which the beginning was typed. @throws {TradeAgentError} `usage` where several begin so */
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
 * @throws {TradeAgentError} `not_found`; `usage`; `busy`; `approval_pending` or `outcome_unknown` where an approval is open
 */
export async function deleteThread(app: App, id: string): Promise<string> {
  const whole = await threadIdOf(app, id);
  await (await app.agent({})).deleteThread(whole);
  return whole;
}

/**
 * Deletes finished conversations, or says which it would.
 * @returns their ids
 * @throws {TradeAgentError} `usage` where nothing says which
 */
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
