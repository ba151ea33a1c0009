import { statSync } from 'node:fs';
import { configFile } from '../../config/config-file.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import { NOT_SIGNED_IN } from '../../errors/login-required.ts';
import type { App } from '../app.ts';
import { version } from '../version.ts';
import { type Finding, fail, ok, skip, warn } from './finding.ts';

/** The oldest Node this program runs on; bin/trade-agent.js refuses older ones. */
const NEEDED = [22, 14] as const;

export function checkNode(running = process.versions.node): Finding {
  const [major = 0, minor = 0] = running.split('.').map(Number);
  const enough = major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
  const message = `Node ${running}, trade-agent ${version()}`;
  return enough
    ? ok('node', message)
    : fail('node', message, `Install Node ${NEEDED.join('.')} or newer from https://nodejs.org.`);
}

export async function checkConfig(app: App): Promise<Finding> {
  const file = configFile(await app.home());
  const { profiles } = await app.config();
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) return ok('config', `${file} does not exist yet; the sandbox needs none`);
  const names = Object.keys(profiles);
  const message = `${file}: ${names.length === 0 ? 'no profiles' : `profiles ${names.join(', ')}`}`;
  // Not secret, but whoever can write it can name another gateway.
  if (process.platform !== 'win32' && (mode & 0o022) !== 0) {
    return fail('config', `${file} can be written by others`, `chmod 600 '${file}'`);
  }
  return ok('config', message);
}

export async function checkCredentialStore(app: App): Promise<Finding> {
  const profile = await app.profile();
  const store = await app.store();
  await store.probe();
  const message = `${profile.credential_store === 'file' ? 'an encrypted file' : "the system's keychain"} keeps and returns a trial value`;
  return ok('credentials', message, { details: { kind: profile.credential_store } });
}

export async function checkSession(app: App): Promise<Finding> {
  const session = await app.session();
  if (session === undefined) return warn('session', NOT_SIGNED_IN, 'trade-agent login');
  const { name, email, sub } = session.user;
  return ok('session', `signed in as ${name ?? email ?? sub}`);
}

/** Whether the state can be opened, and what stands open in it. */
export async function checkState(app: App): Promise<Finding> {
  const approvals = await (await app.agent({})).approvals();
  const count = (...statuses: string[]) => approvals.filter(({ status }) => statuses.includes(status)).length;
  const pending = count('drafted', 'requested', 'approved');
  const unknown = count('unknown', 'executing');
  const details = { approvals: approvals.length, pending, unknown };
  if (unknown > 0) {
    const message = `${unknown} ${unknown === 1 ? 'order' : 'orders'} of unknown outcome`;
    return warn('state', message, 'trade-agent approvals reconcile', { details });
  }
  return ok('state', `${approvals.length} approvals, ${pending} of them pending`, { details });
}

/** Asks the package registry; only where the person said so. */
export async function checkUpdates(app: App, registry: string): Promise<Finding> {
  const url = `${registry.replace(/\/+$/, '')}/trade-agent/latest`;
  try {
    const response = await app.fetch(url, {
      signal: AbortSignal.any([app.signal, AbortSignal.timeout(5000)]),
    });
    if (response.status === 404) return skip('updates', `${registry} does not have the package`);
    const latest = ((await response.json()) as { version?: unknown }).version;
    if (!response.ok || typeof latest !== 'string') throw new Error('no version');
    if (isNewer(latest, version())) {
      return warn(
        'updates',
        `trade-agent ${latest} is out; this is ${version()}`,
        'npm install -g trade-agent',
      );
    }
    return ok('updates', `${version()} is the latest`);
  } catch (error) {
    if (isTradeAgentError(error)) throw error;
    return warn('updates', `${registry} could not be asked`, 'Check the network.');
  }
}

function isNewer(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => text.split(/[.-]/).map(Number));
  for (const i of [0, 1, 2]) {
    const difference = (x?.[i] ?? 0) - (y?.[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
