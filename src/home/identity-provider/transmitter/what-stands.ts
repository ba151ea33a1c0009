import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Keys } from '../../../approval/keys/keys.ts';
import type { People } from '../people.ts';

/** Something of a person's whose coming or going is told. */
export interface Standing {
  readonly kind: 'person' | 'session' | 'key';
  readonly id: string;
  readonly user: string;
  /** When it ends by itself, which nobody is told: milliseconds since the epoch; null for never. */
  readonly endsAt: number | null;
  /** Of a key, whether it is bound to one device. */
  readonly detail: '' | 'singleDevice' | 'multiDevice';
}

/** Reads what stands now: who lives here, their programs that are signed in, and their passkeys. */
export function whatStands(
  database: Database,
  { people, keys }: { readonly people: Pick<People, 'list'>; readonly keys: Pick<Keys, 'list'> },
): () => Promise<Standing[]> {
  const sessions = database.prepare<[], { id: string; user: string; expires_at: number | null }>(`
    SELECT devices.grant_id AS id, devices.user, grants.expires_at
    FROM granted_devices AS devices
    JOIN oidc_entities AS grants ON grants.model = 'Grant' AND grants.id = devices.grant_id`);
  return async () => {
    const users = people.list().map(({ username }) => username);
    const all = await Promise.all(users.map((user) => keys.list(user)));
    return [
      ...users.map((user): Standing => ({ kind: 'person', id: user, user, endsAt: null, detail: '' })),
      ...sessions.all().map(({ id, user, expires_at }): Standing => {
        const endsAt = expires_at === null ? null : expires_at * 1000;
        return { kind: 'session', id, user, endsAt, detail: '' };
      }),
      ...all.flat().map(
        ({ credentialId: id, sub: user, deviceType: detail }): Standing => ({
          ...{ kind: 'key', id, user, endsAt: null, detail },
        }),
      ),
    ];
  };
}
