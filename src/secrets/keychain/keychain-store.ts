import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TradeAgentError } from '../../errors/errors.ts';
import { writePrivateFile } from '../../machine/private-file.ts';
import {
  type CredentialName,
  type CredentialStore,
  credentialNames,
  type ExpectedValues,
} from '../credential-store.ts';
import { assertValueLengths, pickValues } from '../credential-values.ts';
import { createStoreLock, withStoreLock } from '../store-lock.ts';
import type { KeychainFailure, KeychainRequest, KeychainResponse } from './keychain-protocol.ts';

/**
 * A healthy keychain responds within 0.1 s; a hung keychain never does. A command must report a hung keychain
 * within 3 s, including the command's own start.
 */
const DEFAULT_TIMEOUT_MS = 2000;
const MARKER_LOCK_WAIT_MS = 30_000;

interface KeychainStoreOptions {
  /** Folder for the lock files and the marker file, which lists only the names of stored entries. */
  readonly folder: string;
  readonly profile: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
  readonly child?: string;
}

/** Returns the path of the file that lists the names of a profile's keychain entries. The file contains no secrets. */
export function keychainMarkerPath(folder: string, profile: string): string {
  return join(folder, `keychain-${profile}.json`);
}

/** Opens the Keychain on macOS, Credential Manager on Windows, or Secret Service on Linux. */
export function openKeychainStore(options: KeychainStoreOptions): CredentialStore {
  const { folder, profile } = options;
  const markerFile = keychainMarkerPath(folder, profile);
  // Two homes on one machine must not share entries: their locks differ, and token rotation needs a common lock.
  const service = `trade-agent/${profile}/${createHash('sha256').update(folder).digest('hex').slice(0, 8)}`;

  const call = (request: Partial<KeychainRequest>, known: readonly string[]) =>
    runChild({ service, known, probe: false, expected: {}, set: {}, delete: [], get: [], ...request }, options);

  /**
   * Writes an entry and its marker under one lock. Reads need no lock. The marker is written first: if the process
   * crashes before it stores the value, the entry only seems to have been removed. In the opposite order, a locked
   * keychain could look as if nobody had signed in.
   */
  const change = (request: Partial<KeychainRequest>): Promise<boolean> =>
    withStoreLock(`${markerFile}.lock`, { waitMs: MARKER_LOCK_WAIT_MS }, async () => {
      const known = readMarker(markerFile);
      const marked = new Set([...known, ...Object.keys(request.set ?? {})]);
      if (marked.size > known.size) writeMarker(markerFile, marked);
      const { changed } = await call(request, [...known]);
      if (changed && request.delete !== undefined) {
        for (const name of request.delete) marked.delete(name);
        writeMarker(markerFile, marked);
      }
      return changed;
    });

  return {
    kind: 'keychain',
    notice: undefined,
    exclusively: createStoreLock(folder, profile),
    async get(names) {
      const { values } = await call({ get: names }, [...readMarker(markerFile)]);
      return pickValues(values, names);
    },
    set(values, expected) {
      assertValueLengths(values);
      return change({ set: { ...values }, expected: toWire(expected) });
    },
    delete(names: readonly CredentialName[], expected) {
      return change({ delete: names, expected: toWire(expected) });
    },
    async probe() {
      await call({ probe: true }, []);
    },
    // The system itself asks the person to unlock the keychain.
    unlock: () => Promise.resolve(),
    async erase() {
      await change({ delete: credentialNames });
      rmSync(markerFile, { force: true });
    },
  };
}

function toWire(expected: ExpectedValues | undefined): Record<string, string | null> {
  return Object.fromEntries(Object.entries(expected ?? {}).map(([name, value]) => [name, value ?? null]));
}

function readMarker(file: string): Set<string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return new Set();
  }
  try {
    return new Set((JSON.parse(text) as { stored: string[] }).stored);
  } catch {
    throw new TradeAgentError('credential_store_unavailable', `${file} is damaged`, {
      hint: `The file only lists the entries that the keychain should have. Remove the file and run "trade-agent login".`,
    });
  }
}

function writeMarker(file: string, names: Set<string>): void {
  writePrivateFile(file, `${JSON.stringify({ stored: [...names].sort() })}\n`);
}

async function runChild(
  request: KeychainRequest,
  options: KeychainStoreOptions,
): Promise<Extract<KeychainResponse, { ok: true }>> {
  const env = childEnvironment(options.env ?? process.env);
  if (env === undefined) throw keychainUnusable('no_bus', 'there is no session bus');
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const child = spawn(process.execPath, [options.child ?? childProgram()], {
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
    windowsHide: true,
  });
  const output: Buffer[] = [];
  let timedOut = false;
  const end = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    // The child may have exited before it has read everything. Its exit code or signal says more than the broken pipe.
    child.stdin.on('error', () => {});
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(keychainUnusable('other', (error as NodeJS.ErrnoException).code ?? 'it could not be started'));
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (timedOut) reject(keychainTimedOut(timeoutMs));
      else if (code !== 0) reject(keychainUnusable('other', `its helper exited with ${signal ?? `code ${code}`}`));
      else resolve(Buffer.concat(output).toString('utf8'));
    });
  });
  child.stdin.end(JSON.stringify(request));
  const response = parseResponse(await end);
  if (!response.ok) throw keychainUnusable(response.failure, response.message);
  return response;
}

function parseResponse(text: string): KeychainResponse {
  try {
    return JSON.parse(text) as KeychainResponse;
  } catch {
    // The message does not quote the child's output, which may contain secrets.
    throw keychainUnusable('other', 'its helper returned an unusable response');
  }
}

/** Returns the path of the child program: a JavaScript file in a build, and a TypeScript file when run from source. */
function childProgram(): string {
  const name = import.meta.url.endsWith('.ts') ? './keychain-child.ts' : './keychain-child.js';
  return fileURLToPath(new URL(name, import.meta.url));
}

/**
 * Returns only the variables that the keychain library needs, none of them secret. Returns undefined on Linux without a
 * session bus: the library would start its own bus (autolaunch), which outlives this process and has no keyring anyway.
 */
function childEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv | undefined {
  const kept = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY'];
  kept.push('XDG_RUNTIME_DIR', 'XDG_DATA_HOME', 'XDG_CURRENT_DESKTOP', 'DBUS_SESSION_BUS_ADDRESS');
  kept.push('SystemRoot', 'SystemDrive', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA', 'TEMP');
  const child: NodeJS.ProcessEnv = {};
  for (const name of kept) if (env[name] !== undefined) child[name] = env[name];
  if (process.platform !== 'linux') return child;
  const bus = busAddress(env);
  return bus === undefined ? undefined : { ...child, DBUS_SESSION_BUS_ADDRESS: bus };
}

function busAddress(env: NodeJS.ProcessEnv): string | undefined {
  const given = env.DBUS_SESSION_BUS_ADDRESS;
  if (given) return given.includes('autolaunch:') ? undefined : given;
  const socket = env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, 'bus') : undefined;
  return socket !== undefined && existsSync(socket) ? `unix:path=${socket}` : undefined;
}

const explanations: Record<KeychainFailure, { message: string; hint: string }> = {
  library_missing: {
    message: 'the keychain library could not be loaded',
    hint: 'On Linux install libsecret (Debian, Ubuntu: apt install libsecret-1-0; Fedora: dnf install libsecret), or choose --credential-store file.',
  },
  no_bus: {
    message: 'no keychain is available: no D-Bus session is running',
    hint: 'Use a desktop session, or choose --credential-store file (an encrypted file) on a server.',
  },
  no_service: {
    message: 'no keychain service responds on the D-Bus session',
    hint: 'Start gnome-keyring or KWallet, or choose --credential-store file.',
  },
  locked: {
    message: 'the keychain is locked',
    hint: 'Unlock the keychain, then try again. Over SSH on macOS: security unlock-keychain.',
  },
  denied: {
    message: 'access to the keychain was denied',
    hint: 'Allow access when the system asks (on macOS also in Keychain Access), or in the sandbox or policy that restricts this program. Otherwise choose --credential-store file.',
  },
  other: { message: 'the keychain failed', hint: 'Try again, or choose --credential-store file.' },
};

/**
 * Creates the error for a failed keychain request.
 * @param reason the library's message, which never contains a stored value
 */
function keychainUnusable(failure: KeychainFailure, reason: string): TradeAgentError {
  const { message, hint } = explanations[failure];
  return new TradeAgentError(
    failure === 'locked' ? 'credential_store_locked' : 'credential_store_unavailable',
    failure === 'other' ? `${message}: ${reason}` : message,
    { hint, details: { state: failure, reason } },
  );
}

function keychainTimedOut(timeoutMs: number): TradeAgentError {
  return new TradeAgentError(
    'credential_store_unavailable',
    `the keychain did not respond within ${timeoutMs / 1000} seconds`,
    {
      hint: 'The keychain may be waiting for you to unlock it. Unlock the keychain, then try again. Otherwise restart the keychain service.',
      details: { state: 'hung' },
    },
  );
}
