import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { saveConfig } from '../../../src/config/config-file.ts';
import type { CredentialLocation } from '../../../src/config/profile.ts';
import { type CredentialMoveStep, moveCredentials } from '../../../src/secrets/move-credentials.ts';
import { openCredentialStore } from '../../../src/secrets/places/open-credential-store.ts';
import { findStoreLocations, isSameStoreLocation, toStoreLocation } from '../../../src/secrets/places/stored-places.ts';
import { asHere } from '../../shipped/modules.ts';
import { missingKeychainTool, sessionEnvironment } from './keychain-session.ts';
import type { MoveDriverStep } from './store-move-driver.ts';

const driver = fileURLToPath(new URL('./store-move-driver.ts', import.meta.url));
const LOGIN = {
  session: '{"sub":"alice"}',
  refresh_token: 'planted-refresh-token-3f',
  database_key: 'ab'.repeat(32),
};

let home: string;
let folder: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'trade-agent-move-'));
  folder = join(home, 'config');
  mkdirSync(folder);
  writeFileSync(join(home, 'passphrase'), 'a passphrase of several words\n', { mode: 0o600 });
});
afterEach(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

const keychain: CredentialLocation = { credential_store: 'keychain' };
const beside: CredentialLocation = { credential_store: 'file' };
const passphrase: CredentialLocation = { credential_store: 'file', credential_key: 'passphrase' };
const keyFile = (): CredentialLocation => ({
  credential_store: 'file',
  credential_key: join(home, 'stick', 'key'),
});

const configure = ({ credential_store, credential_key }: CredentialLocation) =>
  saveConfig(
    { config: folder, data: folder, log: folder, sandbox: folder },
    {
      profiles: {
        work: { credential_store, ...(credential_key === undefined ? {} : { credential_key }) },
      },
    },
  );

/** Runs the driver, within a session of its own keyring where the keychain is meant. Returns what it read. */
async function drive(withKeyring: boolean, ...steps: MoveDriverStep[]): Promise<unknown[]> {
  const script = `printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; "$0" "$@"; exit $?`;
  const [command, args]: [string, string[]] = withKeyring
    ? ['dbus-run-session', ['--', 'bash', '-c', script, process.execPath, ...asHere, driver]]
    : [process.execPath, [...asHere, driver]];
  const child = spawn(command, args, {
    env: { ...sessionEnvironment(home), TRADE_AGENT_PASSPHRASE_FILE: join(home, 'passphrase') },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 20_000,
  });
  const closed = new Promise<string>((resolve) =>
    child.once('close', (code, signal) => resolve(String(signal ?? code))),
  );
  child.stdin.end(JSON.stringify({ folder, steps }));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const end = await closed;
  if (end !== '0') throw new Error(`ended with ${end}: ${errors}`);
  return JSON.parse(output) as unknown[];
}

const plant: MoveDriverStep = { do: 'plant', values: LOGIN };
const read: MoveDriverStep = { do: 'read' };

async function killedAt(step: CredentialMoveStep, from: CredentialLocation, to: CredentialLocation): Promise<void> {
  const withKeyring = [from, to].includes(keychain);
  await configure(from);
  await expect(drive(withKeyring, plant, { do: 'move', to, dieAt: step })).rejects.toThrow(/SIGKILL|137/);
  if (step === 'switched' || step === 'erased') {
    expect(await drive(withKeyring, read)).toEqual([LOGIN]);
    return;
  }
  // Whatever the next command is, it is signed in; and the same move again finishes.
  expect(await drive(withKeyring, read, { do: 'move', to }, read)).toEqual([LOGIN, LOGIN]);
  const left = findStoreLocations(folder, 'work');
  expect(left.map((place) => isSameStoreLocation(place, toStoreLocation(folder, 'work', to)))).toEqual([true]);
}

describe('credentials that are moved', () => {
  it.each(['locked', 'copied', 'verified', 'switched', 'erased'] as const)(
    'to a key file and killed when %s are still a working login',
    (step) => killedAt(step, beside, keyFile()),
  );

  it.each(['copied', 'switched'] as const)('to a passphrase and killed when %s are still a working login', (step) =>
    killedAt(step, beside, passphrase),
  );

  it('are in one place alone in the end, and nothing of the old is left', async () => {
    await configure(beside);
    await drive(false, plant, { do: 'move', to: keyFile() });
    expect(readdirSync(folder).filter((name) => /^credentials.*\.(json|key)$/.test(name))).toEqual([
      'credentials-work.key-file.json',
    ]);
    expect(existsSync(join(home, 'stick', 'key'))).toBe(true);
  });

  it('stay where they are when the new store returns something else', async () => {
    const at = { config: folder };
    const from = openCredentialStore({ ...beside, name: 'work' }, at);
    const to = openCredentialStore({ ...keyFile(), name: 'work' }, at);
    await from.set(LOGIN);
    let switched = false;
    const move = moveCredentials({
      from,
      to,
      reopen: async () => ({
        ...to,
        get: async (names) => ({ ...(await to.get(names)), refresh_token: 'another' }),
      }),
      switchOver: async () => {
        switched = true;
      },
    });
    await expect(move).rejects.toMatchObject({ code: 'credential_store_unavailable' });
    expect(switched).toBe(false);
    expect(await from.get(['refresh_token'])).toEqual({ refresh_token: LOGIN.refresh_token });
    expect(await to.get(['refresh_token'])).toEqual({});
  });

  it('stay where they are when the new store can’t be written', async () => {
    const from = openCredentialStore({ ...beside, name: 'work' }, { config: folder });
    await from.set(LOGIN);
    const to = openCredentialStore(
      { ...keychain, name: 'work' },
      { config: folder },
      { env: { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere' } },
    );
    const move = moveCredentials({
      from,
      to,
      reopen: async () => to,
      switchOver: () => Promise.reject(new Error('switched')),
    });
    await expect(move).rejects.toMatchObject({ code: 'credential_store_unavailable' });
    expect(await from.get(['refresh_token'])).toEqual({ refresh_token: LOGIN.refresh_token });
  });
});

const missing = missingKeychainTool();
describe.skipIf(missing !== undefined)('credentials that are moved, with a Secret Service', () => {
  it('to the keychain and killed when copied are a working login', () => killedAt('copied', beside, keychain));

  it('from the keychain and killed when switched are a working login', () => killedAt('switched', keychain, keyFile()));
});
