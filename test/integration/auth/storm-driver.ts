// Runs as a process of its own, many at once: at each line on standard input it opens the stored session, makes one
// request that needs a token, and prints how that went. Its token requests say which refresh token they use.
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { openSession } from '../../../src/auth/session/token-session.ts';
import type { ResolvedProfile } from '../../../src/config/profile.ts';
import type { UserDirs } from '../../../src/machine/directories.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';

interface StormDriverInput {
  readonly profile: ResolvedProfile;
  readonly home: UserDirs;
  readonly scopes?: string[];
}
const { profile, home, scopes = ['market:read'] } = JSON.parse(process.argv[2] ?? '') as StormDriverInput;

const labelled: typeof fetch = (input, init) => {
  const headers = new Headers(init?.headers);
  const sent = init?.body instanceof URLSearchParams ? init.body.get('refresh_token') : null;
  headers.set('x-driver', String(process.pid));
  if (sent !== null) headers.set('x-refresh-token', createHash('sha256').update(sent).digest('hex'));
  return fetch(input, { ...init, headers });
};

for await (const _go of createInterface({ input: process.stdin })) {
  let outcome: string;
  try {
    const store = openFileStore({ folder: home.config, profile: profile.name });
    const session = await openSession({ profile, store, home, fetch: labelled });
    const response = await session?.fetch(`${profile.gateway}/v1/clock`, {}, scopes);
    outcome = response === undefined ? 'signed out' : String(response.status);
  } catch (error) {
    outcome = String((error as { code?: unknown }).code ?? (error as Error).message);
  }
  process.stdout.write(`${outcome}\n`);
}
