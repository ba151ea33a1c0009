import { TradeAgentError } from '../errors/errors.ts';
import { startEnvironment } from '../machine/start-environment.ts';
import type { Schedule } from './schedule.ts';
import type { SchedulerName } from './scheduler-names.ts';

/** A part of an entry: a file's content, or (file null) lines of the user's crontab. */
export interface EntryPart {
  readonly file: string | null;
  readonly text: string;
}

/** Exit codes that are results, not failures, and their meanings, for schedulers that report failures. */
export type ResultCodes = readonly { readonly code: number; readonly meaning: string }[];

/** `changed`: it differs from what was written. */
export type EntryState = 'installed' | 'missing' | 'changed';

/** Starts programs at set times on this machine. Touches only entries that it wrote. */
export interface Scheduler {
  readonly name: SchedulerName;
  /** Returns the exact entry; writes nothing. @throws {TradeAgentError} `usage` if it can't be expressed */
  entry(id: string, command: StartCommand, minutes: readonly number[], timeoutMs: number): EntryPart[];
  /** Leaves nothing behind if it fails. @throws {TradeAgentError} `invalid_config`, `not_found` */
  install(id: string, entry: readonly EntryPart[]): Promise<void>;
  state(schedule: Pick<Schedule, 'id' | 'entry'>): Promise<EntryState>;
  /** Returns false if there was no entry. @throws {TradeAgentError} `invalid_config` */
  remove(id: string): Promise<boolean>;
  /** A precondition that the person must know about. */
  readonly note: string | undefined;
}

/** How the machine starts a run, by absolute paths, since cron has its own PATH and folder. */
export interface StartCommand {
  readonly node: string;
  readonly script: string;
  readonly args: readonly string[];
  /** The user's folders, if they are not the default ones. */
  readonly environment: Readonly<Record<string, string>>;
}

/** @throws {TradeAgentError} `usage` for a path that can't be written into an entry */
export function startCommand(options: {
  readonly node: string;
  readonly script: string;
  readonly id: string;
  readonly env: NodeJS.ProcessEnv;
  readonly keychain: boolean;
}): StartCommand {
  const environment = startEnvironment(options.env, options.keychain);
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
