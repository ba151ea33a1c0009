// Each request runs in a process of its own. A keychain call that hangs can't be timed out in its own process, because
// the pending call keeps the process alive. The parent can kill the process instead. Secrets are passed through pipes.
import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { KeychainFailure, KeychainRequest, KeychainResponse } from './keychain-protocol.ts';

type Keytar = typeof import('keytar');

class LockedError extends Error {}

async function loadKeytar(): Promise<Keytar> {
  const module = await import('keytar');
  return (module as { default?: Keytar }).default ?? module;
}

/** Stores and reads a test value. A locked keychain rejects writes, but reads succeed as if it were empty. */
async function requireWritable(keytar: Keytar, service: string): Promise<void> {
  const account = `probe-${randomUUID()}`;
  await keytar.setPassword(service, account, account);
  const read = await keytar.getPassword(service, account);
  await keytar.deletePassword(service, account);
  if (read !== account) throw new LockedError('a value that was just stored could not be read');
}

async function answerRequest(request: KeychainRequest): Promise<KeychainResponse> {
  let keytar: Keytar;
  try {
    keytar = await loadKeytar();
  } catch (error) {
    return { ok: false, failure: 'library_missing', message: firstLine(error) };
  }
  const { service } = request;
  const known = new Set(request.known);
  let open = false;
  const requireOpen = async () => {
    if (!open) await requireWritable(keytar, service);
    open = true;
  };
  const read = async (name: string): Promise<string | null> => {
    const value = await keytar.getPassword(service, name);
    // If the keychain is open, the value is absent because someone removed the entry by hand.
    if (value === null && known.has(name)) await requireOpen();
    return value;
  };
  const write = async (): Promise<void> => {
    for (const [name, value] of Object.entries(request.set)) await keytar.setPassword(service, name, value);
    for (const name of request.delete) {
      const removed = await keytar.deletePassword(service, name);
      // On a locked keychain, a removal returns false and the secret stays.
      if (!removed && known.has(name)) await requireOpen();
    }
  };

  try {
    if (request.probe) await requireOpen();
    let changed = true;
    for (const [name, value] of Object.entries(request.expected)) {
      if ((await read(name)) !== value) changed = false;
    }
    if (changed) await write();
    const values: Record<string, string> = {};
    for (const name of request.get) {
      const value = await read(name);
      if (value !== null) values[name] = value;
    }
    return { ok: true, changed, values };
  } catch (error) {
    return { ok: false, failure: classify(error), message: firstLine(error) };
  }
}

/** Messages for access denied by a bus policy (dbus-daemon, AppArmor, SELinux, Flatpak) or by a person (macOS). */
const deniedPattern =
  /rejected send message|policy prevents|access ?denied|dismissed|user canceled|passphrase you entered is not correct/i;

function classify(error: unknown): KeychainFailure {
  if (error instanceof LockedError) return 'locked';
  const message = String((error as Error).message);
  if (/locked collection|is locked|interaction is not allowed|-25308/i.test(message)) return 'locked';
  if (deniedPattern.test(message)) return 'denied';
  if (/org\.freedesktop\.secrets|ServiceUnknown|not provided by any/i.test(message)) return 'no_service';
  if (/autolaunch|could not connect|unable to connect|connection (refused|is closed)|session bus/i.test(message)) {
    return 'no_bus';
  }
  return 'other';
}

function firstLine(error: unknown): string {
  return String((error as Error).message ?? error)
    .split('\n', 1)
    .join('')
    .slice(0, 200);
}

const request: KeychainRequest = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(await answerRequest(request)));
