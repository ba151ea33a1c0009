import { TradeAgentError } from '../errors/errors.ts';
import { readDescriptor, readPrivateFile, writePrivateFile } from '../machine/private-file.ts';
import type { CredentialName, CredentialStore } from './credential-store.ts';
import { matchesExpected, pickValues } from './credential-values.ts';
import { LOCK_WAIT_MS, withStoreLock } from './store-lock.ts';

const SESSION_FILE_VARIABLE = 'TRADE_AGENT_REFRESH_TOKEN_FILE';
const VALUE_VARIABLE = 'TRADE_AGENT_REFRESH_TOKEN';

/** Names of the values that belong to a session. All other values stay in the profile's store. */
const sessionNames = ['session', 'refresh_token', 'access_token', 'dpop_key'] as const;
type SessionName = (typeof sessionNames)[number];
type Values = Partial<Record<SessionName, string>>;

const MAX_FILE_BYTES = 64 * 1024;

/**
 * Returns the session's location from the environment: a file, or an open descriptor (`fd:3`).
 * @throws {TradeAgentError} `usage` if the token itself is in the environment, because every child process inherits the
 * environment and many logs contain it
 */
export function sessionFileLocation(env: NodeJS.ProcessEnv): string {
  if (env[VALUE_VARIABLE] !== undefined) {
    throw new TradeAgentError('usage', `${VALUE_VARIABLE} is not supported: a token must not be in the environment`, {
      hint: `Unset the variable, save the token to a file that only you can read, and set ${SESSION_FILE_VARIABLE} to that file.`,
    });
  }
  return env[SESSION_FILE_VARIABLE] ?? '';
}

/**
 * Returns a store that keeps the session in a separate file, for machines on which nobody unlocks a keychain.
 * Initially, the file may contain just a refresh token. Each change is written to the file immediately and atomically.
 * A descriptor is read only once, and changes are lost when the process ends.
 * @param location a path, or `fd:N`
 * @param warn called if a new refresh token can't be written back, to warn the person
 * @param signal ends the wait for input from a descriptor
 */
export function openSessionFileStore(
  base: CredentialStore,
  location: string,
  warn: (message: string) => void,
  signal?: AbortSignal,
): CredentialStore {
  const place = /^fd:\d+$/.test(location)
    ? descriptorLocation(Number(location.slice(3)), warn, signal)
    : fileLocation(location);
  const isSession = (name: CredentialName): name is SessionName => (sessionNames as readonly string[]).includes(name);
  const change = async (
    names: readonly CredentialName[],
    expected: Partial<Record<CredentialName, string | undefined>> | undefined,
    here: (values: Values) => void,
    below: () => Promise<boolean>,
  ): Promise<boolean> => {
    const all = [...names, ...Object.keys(expected ?? {})] as CredentialName[];
    if (!all.some(isSession)) return await below();
    const elsewhere = all.filter((name) => !isSession(name));
    const changed = await place.change((values) => {
      if (!matchesExpected(values, expected)) return false;
      here(values);
      return true;
    });
    return changed && elsewhere.length > 0 ? await below() : changed;
  };

  return {
    kind: base.kind,
    notice: undefined,
    async get(names, options) {
      const below = names.filter((name) => !isSession(name));
      const values = {
        ...(below.length === 0 ? {} : await base.get(below, options)),
        ...(names.some(isSession) ? await place.read() : {}),
      };
      return pickValues(values, names);
    },
    set: (values, expected) => {
      const [here, below] = splitValues(values, isSession);
      return change(
        Object.keys(values) as CredentialName[],
        expected,
        (stored) => Object.assign(stored, here),
        () => base.set(below),
      );
    },
    delete: (names, expected) =>
      change(
        names,
        expected,
        (stored) => {
          for (const name of names) if (isSession(name)) delete stored[name];
        },
        () => base.delete(names.filter((name) => !isSession(name))),
      ),
    probe: async () => {
      await place.change(() => true);
    },
    unlock: () => base.unlock(),
    erase: () => base.erase(),
    exclusively: (purpose, work, signal) =>
      purpose === 'session' && place.lock !== undefined
        ? withStoreLock(place.lock, { waitMs: LOCK_WAIT_MS, signal }, work)
        : base.exclusively(purpose, work, signal),
  };
}

interface SessionLocation {
  read(): Promise<Values>;
  /** Changes the values with `apply` and stores them, unless `apply` returns false. */
  change(apply: (values: Values) => boolean): Promise<boolean>;
  /** Path of the lock file. Undefined for a descriptor, because no other process can use its session. */
  readonly lock: string | undefined;
}

function fileLocation(path: string): SessionLocation {
  const read = async () => parseSession(readOwnFile(path), path);
  return {
    read,
    lock: `${path}.lock`,
    change: (apply) =>
      withStoreLock(`${path}.write.lock`, { waitMs: 30_000 }, async () => {
        const values = await read();
        if (!apply(values)) return false;
        writePrivateFile(path, `${JSON.stringify(values)}\n`);
        return true;
      }),
  };
}

function descriptorLocation(
  number: number,
  warn: (message: string) => void,
  signal: AbortSignal | undefined,
): SessionLocation {
  const name = `descriptor ${number}`;
  /** The values from the first read. They are kept, because a descriptor can't be read again. */
  let values: Promise<Values> | undefined;
  const read = async (): Promise<Values> => {
    values ??= readDescriptor(number, MAX_FILE_BYTES, (why) => unusableSession(name, why), signal).then((content) =>
      parseSession(content, name),
    );
    return { ...(await values) };
  };
  let warned = false;
  return {
    read,
    lock: undefined,
    async change(apply) {
      const before = await read();
      const after = { ...before };
      if (!apply(after)) return false;
      values = Promise.resolve(after);
      if (!warned && after.refresh_token !== undefined && after.refresh_token !== before.refresh_token) {
        warned = true;
        warn(
          `The identity provider replaced the refresh token, and ${name} can't be updated: the token that you provided is no longer valid. Set ${SESSION_FILE_VARIABLE} to a file instead.`,
        );
      }
      return true;
    },
  };
}

/** Returns '' if there is no file yet. Rejects links, other users' files, and files that other users can read. */
function readOwnFile(path: string): string {
  return readPrivateFile(path, MAX_FILE_BYTES, (why) => unusableSession(path, why)) ?? '';
}

function parseSession(text: string, name: string): Values {
  const trimmed = text.trim();
  if (trimmed === '') return {};
  if (/^[\x21-\x7a\x7c\x7e]+$/.test(trimmed)) return { refresh_token: trimmed };
  try {
    const json = JSON.parse(trimmed) as Record<string, unknown>;
    const entries = Object.entries(json);
    const known = (name: string) => (sessionNames as readonly string[]).includes(name);
    if (entries.length > 0 && entries.every(([key, value]) => known(key) && typeof value === 'string')) {
      return json as Values;
    }
    if (entries.length === 0) return {};
  } catch {
    // The parser's message is left out, because it may quote a token.
  }
  throw unusableSession(name, 'it contains neither a refresh token nor a trade-agent session');
}

function unusableSession(name: string, why: string): TradeAgentError {
  return new TradeAgentError('credential_store_unavailable', `the session in ${name} can't be used: ${why}`, {
    hint: `See ${SESSION_FILE_VARIABLE} in docs/operate/providers/other.md.`,
  });
}

function splitValues<V>(
  values: Partial<Record<CredentialName, V>>,
  isHere: (name: CredentialName) => boolean,
): [Partial<Record<CredentialName, V>>, Partial<Record<CredentialName, V>>] {
  const entries = Object.entries(values) as [CredentialName, V][];
  return [
    Object.fromEntries(entries.filter(([name]) => isHere(name))) as Partial<Record<CredentialName, V>>,
    Object.fromEntries(entries.filter(([name]) => !isHere(name))) as Partial<Record<CredentialName, V>>,
  ];
}
