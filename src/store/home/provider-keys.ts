import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createLocalJWKSet, type JWK, type JWTVerifyGetKey } from 'jose';
import { DAY_MS } from '../../values/durations.ts';
import { all, lock, run, type SqlTransactions, type TransactionWork } from '../sql/sql-database.ts';

export interface ProviderKeys {
  readonly signing: SigningKeys;
  /** Key for the provider's cookies and for the CSRF tokens of its pages. The key is created once and never changes. */
  readonly cookie: string;
}

/** @param now milliseconds since the epoch */
export async function loadProviderKeys(database: SqlTransactions, now: () => number): Promise<ProviderKeys> {
  // If two processes start at once, both use the key that was stored first.
  await database.run("INSERT INTO provider_keys (name, value) VALUES ('cookie', @value) ON CONFLICT DO NOTHING", {
    value: randomBytes(32).toString('base64url'),
  });
  const kept = await database.one<{ value: string }>("SELECT value FROM provider_keys WHERE name = 'cookie'");
  if (kept === undefined) throw new Error('the cookie key could not be stored');
  return { signing: openSigningKeys(database, now), cookie: kept.value };
}

interface KeySet {
  /** Changes when a key is added or removed, or when another key becomes the signing key. */
  readonly version: string;
  /** Private ES256 keys. The first key signs. The public halves of the other keys are published for verification. */
  readonly keys: readonly JWK[];
}

/** Keys that sign ID tokens and access tokens. Keys are rotated on a schedule. */
export interface SigningKeys {
  /** Rotates the keys if a rotation is due, and returns the keys. */
  current(): Promise<KeySet>;
  readonly verificationKey: JWTVerifyGetKey;
}

/** How long a key is published before it signs, in milliseconds, so that verifiers with caches fetch it in time. */
export const PUBLISH_AHEAD_MS = DAY_MS;
export const SIGNING_PERIOD_MS = 90 * DAY_MS;
/** How long a key stays published after its last signature, in milliseconds. Longer than the lifetime of any token. */
export const PUBLISH_AFTER_MS = 3_600_000;

/** How often the keys are read again, in milliseconds, because another process may have rotated them. */
const RELOAD_INTERVAL_MS = 3_600_000;

interface Row {
  readonly kid: string;
  readonly jwk: string;
  readonly signs_from: number;
  readonly signs_until: number;
}

/**
 * Returns the signing keys that are stored in the database. A rotation that is due happens when the keys are next used.
 * @param now milliseconds since the epoch
 */
function openSigningKeys(database: SqlTransactions, now: () => number): SigningKeys {
  let due = 0;
  let seenAt = 0;
  let set: KeySet = { version: '', keys: [] };
  let verify: JWTVerifyGetKey = createLocalJWKSet({ keys: [] });
  let loading: Promise<KeySet> | undefined;

  const load = async (): Promise<KeySet> => {
    const at = now();
    const known = await database.write(() => rotate(at));
    const signing = known.findLast(({ signs_from }) => signs_from <= at) ?? known[0];
    const ordered = [...known].sort((a, b) => Number(b === signing) - Number(a === signing));
    const version = ordered.map(({ kid }) => kid).join(' ');
    if (version !== set.version) {
      const keys: JWK[] = ordered.map(({ jwk }) => JSON.parse(jwk));
      set = { version, keys };
      verify = createLocalJWKSet({ keys: keys.map(toPublicJwk) });
    }
    seenAt = at;
    due = Math.min(
      at + RELOAD_INTERVAL_MS,
      ...known.flatMap((row) => keyActionTimes(row)).filter((moment) => moment > at),
    );
    return set;
  };
  const current = async (): Promise<KeySet> => {
    const at = now();
    if (at < due && at >= seenAt) return set;
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return await loading;
  };

  return {
    current,
    verificationKey: async (header, token) => {
      await current();
      return await verify(header, token);
    },
  };
}

/** Rotates the keys if a rotation is due. @returns the remaining keys, in the order in which they sign */
function* rotate(at: number): TransactionWork<Row[]> {
  // Without the lock, two processes that start or rotate at once would each create a key.
  yield* lock('provider signing keys');
  const found = yield* all<Row>('SELECT * FROM provider_signing_keys ORDER BY signs_from');
  const last = found.at(-1);
  let added: Row | undefined;
  if (last === undefined) added = newKey(at);
  else if (at >= last.signs_until - PUBLISH_AHEAD_MS) {
    added = newKey(Math.max(last.signs_until, at + PUBLISH_AHEAD_MS));
  }
  if (added !== undefined) {
    yield* run(
      `INSERT INTO provider_signing_keys (kid, jwk, signs_from, signs_until)
       VALUES (@kid, @jwk, @signs_from, @signs_until)`,
      { ...added },
    );
  }
  const known = added === undefined ? found : [...found, added];
  // A key signs until its successor starts to sign, which is later than planned if the program was not running then.
  const over = known.filter((_, i) => (known[i + 1]?.signs_from ?? Number.POSITIVE_INFINITY) + PUBLISH_AFTER_MS <= at);
  for (const { kid } of over) yield* run('DELETE FROM provider_signing_keys WHERE kid = @kid', { kid });
  return known.filter((row) => !over.includes(row));
}

/** Returns the times when the key starts to sign, its predecessor is removed, and its successor is published. */
function keyActionTimes({ signs_from, signs_until }: Row): number[] {
  return [signs_from, signs_from + PUBLISH_AFTER_MS, signs_until - PUBLISH_AHEAD_MS];
}

function toPublicJwk({ d: _, ...jwk }: JWK): JWK {
  return jwk;
}

function newKey(signsFrom: number): Row {
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  const kid = randomBytes(8).toString('hex');
  return {
    kid,
    jwk: JSON.stringify({ ...jwk, kid, alg: 'ES256', use: 'sig' }),
    signs_from: signsFrom,
    signs_until: signsFrom + SIGNING_PERIOD_MS,
  };
}
