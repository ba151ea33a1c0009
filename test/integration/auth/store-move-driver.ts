// Runs as a process of its own: plants credentials in the store that config.yaml names, moves them to another, or reads
// them, and may be told to die at one step of the move.
import { text } from 'node:stream/consumers';
import { loadConfig } from '../../../src/config/config-file.ts';
import type { CredentialLocation } from '../../../src/config/profile.ts';
import { setCredentialLocation } from '../../../src/config/profile-edit.ts';
import { credentialStoreKind, findProfile } from '../../../src/config/resolve-profile.ts';
import { type CredentialName, credentialNames } from '../../../src/secrets/credential-store.ts';
import { createPassphraseKeys } from '../../../src/secrets/file/passphrase-keys.ts';
import { createPassphraseSource } from '../../../src/secrets/file/passphrase-source.ts';
import { type CredentialMoveStep, moveCredentials } from '../../../src/secrets/move-credentials.ts';
import { openCredentialStore } from '../../../src/secrets/places/open-credential-store.ts';

export type MoveDriverStep =
  | { readonly do: 'plant'; readonly values: Partial<Record<CredentialName, string>> }
  | { readonly do: 'read' }
  | { readonly do: 'move'; readonly to: CredentialLocation; readonly dieAt?: CredentialMoveStep };
export interface MoveDriverInput {
  readonly folder: string;
  readonly steps: readonly MoveDriverStep[];
}

const { folder, steps } = JSON.parse(await text(process.stdin)) as MoveDriverInput;
const home = { config: folder, data: folder, log: folder, sandbox: folder };
const passphrases = createPassphraseKeys(createPassphraseSource(process.env, undefined));
const open = (place: CredentialLocation) =>
  openCredentialStore({ ...place, name: 'work' }, home, { env: process.env, passphrases });
/** Where config.yaml says they are at this moment. */
const here = async (): Promise<CredentialLocation> => {
  const profile = findProfile(await loadConfig(home), 'work');
  return { credential_store: credentialStoreKind(profile), credential_key: profile.credential_key };
};

const found: unknown[] = [];
for (const step of steps) {
  const place = await here();
  if (step.do === 'plant') await open(place).set(step.values);
  else if (step.do === 'read') found.push(await open(place).get(credentialNames));
  else {
    await moveCredentials({
      from: open(place),
      to: open(step.to),
      reopen: async () => open(step.to),
      switchOver: () => setCredentialLocation(home, 'work', step.to),
      onStep: (reached) => {
        if (reached === step.dieAt) process.kill(process.pid, 'SIGKILL');
      },
    });
  }
}
process.stdout.write(JSON.stringify(found));
