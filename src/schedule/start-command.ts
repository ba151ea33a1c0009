import { isAbsolute, resolve } from 'node:path';
import { TradeAgentError } from '../trading/errors.ts';

/** How the machine starts a schedule's run: everything by its whole path, since cron's PATH and folder are its own. */
export interface StartCommand {
  readonly node: string;
  readonly script: string;
  readonly args: readonly string[];
  /** Where this user's files are, as far as that differs from where the program would look by itself. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Places of files; none of them is a secret, and each would be lost in cron's bare environment. */
const places = [
  'TRADE_AGENT_HOME',
  'TRADE_AGENT_SANDBOX',
  'TRADE_AGENT_REFRESH_TOKEN_FILE',
  'TRADE_AGENT_PASSPHRASE_FILE',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'XDG_STATE_HOME',
  'XDG_CACHE_HOME',
] as const;

/** What the keychain of a Linux desktop is reached by. */
const keychainPlaces = ['XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS'] as const;

/** @throws {TradeAgentError} `usage` where something can't be said in an entry, or is gone when the run begins */
export function startCommand(options: {
  readonly node: string;
  readonly script: string;
  readonly id: string;
  readonly env: NodeJS.ProcessEnv;
  readonly keychain: boolean;
}): StartCommand {
  const { env } = options;
  const environment: Record<string, string> = {};
  for (const name of places) {
    const value = env[name];
    if (value === undefined || value === '') continue;
    if (/^TRADE_AGENT_(REFRESH_TOKEN|PASSPHRASE)_FILE$/.test(name) && /^fd:/.test(value)) {
      throw new TradeAgentError(
        'usage',
        `${name} names an open descriptor, which a scheduled run does not have`,
        {
          hint: 'Put what it holds into a file only you can read, and name that.',
        },
      );
    }
    environment[name] = isAbsolute(value) ? value : resolve(value);
  }
  if (options.keychain && environment.TRADE_AGENT_REFRESH_TOKEN_FILE === undefined) {
    for (const name of keychainPlaces) if (env[name]) environment[name] = env[name];
  }
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
