import { isAbsolute, resolve } from 'node:path';
import { TradeAgentError } from '../errors/errors.ts';

/** Variables that locate files. They are not secret, and are missing from minimal environments, such as cron's. */
const locationVariables = [
  'TRADE_AGENT_HOME',
  'TRADE_AGENT_SANDBOX',
  'TRADE_AGENT_REFRESH_TOKEN_FILE',
  'TRADE_AGENT_PASSPHRASE_FILE',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'XDG_STATE_HOME',
  'XDG_CACHE_HOME',
] as const;

/** Variables that a program needs to reach the keychain of a Linux desktop. */
const keychainVariables = ['XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS'] as const;

/**
 * Returns the environment variables that trade-agent needs when another program, such as cron, starts it later. They
 * locate the user's files if these are not in the default folders.
 * @param keychain whether the profile's credentials are in the keychain
 * @throws {TradeAgentError} `usage` if a variable refers to an open file descriptor, which will not exist later
 */
export function pickLaunchEnvironment(env: NodeJS.ProcessEnv, keychain: boolean): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of locationVariables) {
    const value = env[name];
    if (value === undefined || value === '') continue;
    if (/^TRADE_AGENT_(REFRESH_TOKEN|PASSPHRASE)_FILE$/.test(name) && value.startsWith('fd:')) {
      throw new TradeAgentError(
        'usage',
        `${name} refers to an open file descriptor, which will not exist in later runs`,
        {
          hint: 'Save its content to a file that only you can read, and use that file.',
        },
      );
    }
    environment[name] = isAbsolute(value) ? value : resolve(value);
  }
  if (!keychain || environment.TRADE_AGENT_REFRESH_TOKEN_FILE !== undefined) return environment;
  for (const name of keychainVariables) if (env[name]) environment[name] = env[name];
  return environment;
}
