import { TradeAgentError } from '../errors/errors.ts';
import { startEnvironment } from '../machine/start-environment.ts';

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
