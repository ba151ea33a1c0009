import { TradeAgentError } from '../errors/errors.ts';
import { pickLaunchEnvironment } from '../machine/start-environment.ts';
import type { Schedule } from './schedule.ts';
import type { SchedulerName } from './scheduler-names.ts';

/** A part of a scheduler entry: a file's content, or lines of the user's crontab if `file` is null. */
export interface SchedulerEntryPart {
  readonly file: string | null;
  readonly text: string;
}

/** Nonzero exit codes of successful runs. Some schedulers would otherwise report these runs as failures. */
export type ResultExitCodes = readonly { readonly code: number; readonly meaning: string }[];

/** `changed`: the entry differs from the one that trade-agent wrote. */
export type SchedulerEntryState = 'installed' | 'missing' | 'changed';

/** A scheduler of this machine, such as cron. Changes only entries that trade-agent wrote. */
export interface Scheduler {
  readonly name: SchedulerName;
  /** Returns the entry without writing it. @throws {TradeAgentError} `usage` if an entry can't express the command */
  entry(id: string, command: ScheduledCommand, minutes: readonly number[], timeoutMs: number): SchedulerEntryPart[];
  /** Writes an entry. Leaves nothing behind if that fails. @throws {TradeAgentError} `invalid_config`, `not_found` */
  install(id: string, entry: readonly SchedulerEntryPart[]): Promise<void>;
  state(schedule: Pick<Schedule, 'id' | 'entry'>): Promise<SchedulerEntryState>;
  /** Removes a schedule's entry. Returns false if there was none. @throws {TradeAgentError} `invalid_config` */
  remove(id: string): Promise<boolean>;
  /** A limitation of the scheduler, to be shown to the person; undefined if there is none. */
  readonly note: string | undefined;
}

/** The command that starts a run. Its paths are absolute, because cron uses its own PATH and working directory. */
export interface ScheduledCommand {
  readonly node: string;
  readonly script: string;
  readonly args: readonly string[];
  /** Environment variables that set the user's folders, unless they are the default folders. */
  readonly environment: Readonly<Record<string, string>>;
}

/** @throws {TradeAgentError} `usage` for a path that can't be written into an entry */
export function createScheduledCommand(options: {
  readonly node: string;
  readonly script: string;
  readonly id: string;
  readonly env: NodeJS.ProcessEnv;
  readonly keychain: boolean;
}): ScheduledCommand {
  const environment = pickLaunchEnvironment(options.env, options.keychain);
  const { node, script } = options;
  for (const text of [node, script, ...Object.values(environment)]) {
    // Cron can't express a line break, and implementations treat backslashes differently.
    if (![...text].some((character) => character < ' ' || character === '\u007f' || character === '\\')) continue;
    throw new TradeAgentError('usage', `${JSON.stringify(text)} can't be used in a scheduler entry`, {
      hint: 'Use a path without backslashes or control characters.',
    });
  }
  return { node, script, args: ['schedule', 'run', options.id], environment };
}
