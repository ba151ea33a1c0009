import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import { defined } from '../../../values/defined.ts';
import { CREDENTIAL_CHANGE, SESSION_REVOKED } from '../signals/security-events.ts';
import type { SigningKeys } from '../signing-keys.ts';
import type { Standing } from './what-stands.ts';

/** What is told of a change: one event about one person. */
export interface ToldEvent {
  readonly type: string;
  readonly facts: Readonly<Record<string, unknown>>;
  /** Which of their sign-ins, where it is one. */
  readonly session?: string;
  readonly user: string;
}

/**
 * What a change is to others (CAEP 1.0 §3.1, §3.3); undefined where it is nothing to them: nobody is told who came, nor what
 * was over by itself.
 * @param now milliseconds since the epoch
 */
export function toldOf(
  { kind, id, user, endsAt, detail }: Standing,
  change: 'came' | 'went',
  now: number,
): ToldEvent | undefined {
  const facts = { event_timestamp: Math.floor(now / 1000), initiating_entity: 'user' };
  if (kind === 'key') {
    const credential_type = detail === 'multiDevice' ? 'fido2-platform' : 'fido2-roaming';
    const change_type = change === 'came' ? 'create' : 'delete';
    return { type: CREDENTIAL_CHANGE, facts: { ...facts, credential_type, change_type }, user };
  }
  if (change === 'came' || (endsAt !== null && endsAt <= now)) return undefined;
  return kind === 'session'
    ? { type: SESSION_REVOKED, facts, user, session: id }
    : { type: SESSION_REVOKED, facts: { ...facts, initiating_entity: 'admin' }, user };
}

/**
 * A Security Event Token (RFC 8417 §2, typ of §2.3) for one receiver, signed by what the home signs its tokens with.
 * @param now milliseconds since the epoch
 */
export async function signedEvent(
  { type, facts, user, session }: ToldEvent,
  options: {
    readonly issuer: string;
    readonly audience: string;
    readonly keys: Pick<SigningKeys, 'current'>;
    readonly now: number;
  },
): Promise<string> {
  const { issuer, audience, keys, now } = options;
  const [key] = keys.current().keys;
  if (key === undefined) throw new Error('there is no key to sign with');
  const person = { format: 'iss_sub', iss: issuer, sub: user };
  return await new SignJWT({
    sub_id:
      session === undefined
        ? person
        : { format: 'complex', user: person, session: { format: 'opaque', id: session } },
    events: { [type]: facts },
  })
    .setProtectedHeader({
      alg: 'ES256',
      typ: 'secevent+jwt',
      ...defined({ kid: key.kid }),
    })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt(Math.floor(now / 1000))
    .setJti(randomUUID())
    .sign(await importJWK(key, 'ES256'));
}
