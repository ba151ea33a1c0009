import { TradeAgentError } from '../errors/errors.ts';
import { startEnvironment } from '../machine/start-environment.ts';
import type { Schedule } from './schedule.ts';
import type { SchedulerName } from './scheduler-names.ts';

/** One part of an entry: a file's whole content, or (file null) lines of the user's crontab. */
export interface EntryPart {
  readonly file: string | null;
  readonly text: string;
}

/** Exit codes of a run that are a result and no failure, for a scheduler that makes a noise about those; and what each means. */
export type ResultCodes = readonly { readonly code: number; readonly meaning: string }[];

/** `changed`: it is there, and is not what was written. */
export type EntryState = 'installed' | 'missing' | 'changed';

/** What starts programs at set times on this machine. It touches nothing but entries it wrote itself. */
export interface Scheduler {
  readonly name: SchedulerName;
  /** The exact entry; writes nothing. @throws {TradeAgentError} `usage` where it can't be said */
  entry(id: string, command: StartCommand, minutes: readonly number[], timeoutMs: number): EntryPart[];
  /** @throws {TradeAgentError} `invalid_config`, `not_found`; then nothing is left behind */
  install(id: string, entry: readonly EntryPart[]): Promise<void>;
  state(schedule: Pick<Schedule, 'id' | 'entry'>): Promise<EntryState>;
  /** Takes out the entry and nothing else. False where there was none. @throws {TradeAgentError} `invalid_config` */
  remove(id: string): Promise<boolean>;
  /** What the person should know, where something must be so for the entry to be followed. */
  readonly note: string | undefined;
}

/** How the machine starts a schedule's run: everything by its whole path, since cron's PATH and folder are its own. */
export interface StartCommand {
  readonly node: string;
  readonly script: string;
  readonly args: readonly string[];
  /** Where this user's files are, as far as that differs from where the program would look by itself. */
  readonly environment: Readonly<Record<string, string>>;
}

/** @throws {TradeAgentError} `usage` where something can't be said in an entry, or is gone when the run begins */
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
    // Cron has no way to say a line break, and its rules for backslashes differ from one cron to the next.
    if (![...text].some((character) => character < ' ' || character === '\u007f' || character === '\\'))
      continue;
    throw new TradeAgentError('usage', `${JSON.stringify(text)} can't be written into an entry`, {
      hint: 'Use a path without backslashes and control characters.',
    });
  }
  return { node, script, args: ['schedule', 'run', options.id], environment };
}
