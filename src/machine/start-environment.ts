import { isAbsolute, resolve } from 'node:path';
import { TradeAgentError } from '../errors/errors.ts';

/** Places of files: no secrets, and all missing in a bare environment such as cron's. */
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

/** How to reach the keychain of a Linux desktop. */
const keychainPlaces = ['XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS'] as const;

/**
 * The environment this program needs when another one starts it later: where this user's files are, as far as that
 * differs from the default.
 * @param keychain whether the profile's credentials are there
 * @throws {TradeAgentError} `usage` for what will be gone by then
 */
export function startEnvironment(env: NodeJS.ProcessEnv, keychain: boolean): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of places) {
    const value = env[name];
    if (value === undefined || value === '') continue;
    if (/^TRADE_AGENT_(REFRESH_TOKEN|PASSPHRASE)_FILE$/.test(name) && value.startsWith('fd:')) {
      throw new TradeAgentError(
        'usage',
        `${name} names an open descriptor, which a run that is started later does not have`,
        { hint: 'Put what it holds into a file only you can read, and name that.' },
      );
    }
    environment[name] = isAbsolute(value) ? value : resolve(value);
  }
  if (!keychain || environment.TRADE_AGENT_REFRESH_TOKEN_FILE !== undefined) return environment;
  for (const name of keychainPlaces) if (env[name]) environment[name] = env[name];
  return environment;
}
