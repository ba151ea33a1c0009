// Runs as a process of its own: opens the stored session and makes requests that need a token each, then prints how
// they went.
import { text } from 'node:stream/consumers';
import { openSession } from '../../../src/auth/session/token-session.ts';
import type { ResolvedProfile } from '../../../src/config/profile.ts';
import type { Home } from '../../../src/machine/directories.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';

export interface SessionDriverInput {
  readonly profile: ResolvedProfile;
  readonly home: Home;
  readonly scopes: string[];
  /** How many sessions to open, one after the other. */
  readonly rounds: number;
}

const { profile, home, scopes, rounds } = JSON.parse(await text(process.stdin)) as SessionDriverInput;
const outcomes: string[] = [];
for (let round = 0; round < rounds; round++) {
  try {
    const store = openFileStore({ folder: home.config, profile: profile.name });
    const session = await openSession({ profile, store, home });
    const response = await session?.fetch(`${profile.gateway}/v1/clock`, {}, scopes);
    outcomes.push(response === undefined ? 'signed out' : String(response.status));
  } catch (error) {
    outcomes.push(String((error as { code?: unknown }).code ?? (error as Error).message));
  }
}
process.stdout.write(JSON.stringify(outcomes));
