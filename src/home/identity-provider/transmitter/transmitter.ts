import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import type { ApprovalKeys } from '../../../approval/keys/approval-keys.ts';
import type { Clock } from '../../../machine/clock.ts';
import type { PeopleStore } from '../../../store/home/people.ts';
import type { SigningKeys } from '../../../store/home/provider-keys.ts';
import {
  createSecurityEventOutbox,
  type OutgoingSecurityEvent,
  type SecurityEventOutbox,
  type SecurityEventSubject,
} from '../../../store/home/signal-outbox.ts';
import type { SqlTransactions } from '../../../store/sql/sql-database.ts';
import { defined } from '../../../values/defined.ts';
import { protocolRoutes } from '../protocol/protocol.ts';
import { CREDENTIAL_CHANGE_EVENT, SESSION_REVOKED_EVENT } from '../signals/security-events.ts';

export interface SignalReceiver {
  readonly endpoint: string;
  /** The `aud` of the tokens that are sent to the receiver. */
  readonly audience: string;
}

export interface TransmitterOptions {
  readonly receivers: readonly SignalReceiver[];
  readonly database: SqlTransactions;
  readonly issuer: string;
  readonly people: Pick<PeopleStore, 'list'>;
  readonly keys: Pick<ApprovalKeys, 'list'>;
  readonly signing: Pick<SigningKeys, 'current'>;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly onError: (message: string) => void;
}

/** Interval in milliseconds for finding changes, and for finding signals that are due to be sent again. */
const CHECK_INTERVAL_MS = 1_000;

/**
 * Compares sign-ins, passkeys and people with the last snapshot, and notifies the receivers of changes. The snapshot
 * and the outgoing signals are stored in one transaction, so each change is recorded once. The signal about a change
 * reaches each receiver at least once. Changes from before the first receiver was added are not sent.
 */
export function startSignalTransmitter(options: TransmitterOptions): { close(): Promise<void> } {
  const { receivers, database, issuer, signing, clock, onError } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const outbox = createSecurityEventOutbox(database);
  const standing = createSnapshotReader(database, options);

  const look = async (): Promise<void> => {
    const now = clock.now();
    const { version, subjects: seen } = await outbox.seen();
    const stands = await standing();
    const events = version === null ? [] : outgoingEvents(seen, stands, now);
    if (version !== null && changedItems(seen, stands).length === 0) return;
    const sent = await Promise.all(
      events.flatMap((event) =>
        receivers.map(async ({ endpoint, audience }) => ({
          endpoint,
          token: await signedEvent(event, { issuer, audience, keys: signing, now }),
        })),
      ),
    );
    // If another process has stored the changes in the meantime, it has also stored their events.
    await outbox.keep(version, stands, sent, now);
  };
  const running = (async () => {
    while (!signal.aborted) {
      try {
        await look();
        await pushSignals({ ...options, outbox, closing: signal });
      } catch (error) {
        onError(`signals: ${error instanceof Error ? error.message : 'error'}`);
      }
      await clock.sleep(CHECK_INTERVAL_MS, signal).catch(() => undefined);
    }
  })();
  return {
    async close() {
      closing.abort();
      await running;
    },
  };
}

type Change = readonly [SecurityEventSubject, 'came' | 'went'];

const itemKey = ({ kind, id }: SecurityEventSubject): string => JSON.stringify([kind, id]);

function changedItems(seen: readonly SecurityEventSubject[], stands: readonly SecurityEventSubject[]): Change[] {
  const [before, now] = [seen, stands].map((list) => new Set(list.map(itemKey))) as [Set<string>, Set<string>];
  return [
    ...seen.filter((one) => !now.has(itemKey(one))).map((one) => [one, 'went'] as const),
    ...stands.filter((one) => !before.has(itemKey(one))).map((one) => [one, 'came'] as const),
  ];
}

function outgoingEvents(
  seen: readonly SecurityEventSubject[],
  stands: readonly SecurityEventSubject[],
  now: number,
): OutgoingEvent[] {
  return changedItems(seen, stands).flatMap(([one, change]) => toOutgoingEvent(one, change, now) ?? []);
}

interface OutgoingEvent {
  readonly type: string;
  readonly facts: Readonly<Record<string, unknown>>;
  /** The ID of the ended sign-in if the event concerns a sign-in. */
  readonly session?: string;
  readonly user: string;
}

/** Returns the event for a change (CAEP 1.0 §3.1, §3.3), or undefined for a new sign-in, a new person, or an expiry. */
function toOutgoingEvent(
  { kind, id, user, endsAt, detail }: SecurityEventSubject,
  change: 'came' | 'went',
  now: number,
): OutgoingEvent | undefined {
  const facts = { event_timestamp: Math.floor(now / 1000), initiating_entity: 'user' };
  if (kind === 'key') {
    const credential_type = detail === 'multiDevice' ? 'fido2-platform' : 'fido2-roaming';
    const change_type = change === 'came' ? 'create' : 'delete';
    return { type: CREDENTIAL_CHANGE_EVENT, facts: { ...facts, credential_type, change_type }, user };
  }
  if (change === 'came' || (endsAt !== null && endsAt <= now)) return undefined;
  return kind === 'session'
    ? { type: SESSION_REVOKED_EVENT, facts, user, session: id }
    : { type: SESSION_REVOKED_EVENT, facts: { ...facts, initiating_entity: 'admin' }, user };
}

/** Signs a Security Event Token (RFC 8417 §2, `typ` of §2.3) for one receiver with the home's token key. */
async function signedEvent(
  { type, facts, user, session }: OutgoingEvent,
  options: {
    readonly issuer: string;
    readonly audience: string;
    readonly keys: Pick<SigningKeys, 'current'>;
    readonly now: number;
  },
): Promise<string> {
  const { issuer, audience, keys, now } = options;
  const [key] = (await keys.current()).keys;
  if (key === undefined) throw new Error('there is no signing key');
  const person = { format: 'iss_sub', iss: issuer, sub: user };
  return await new SignJWT({
    sub_id:
      session === undefined ? person : { format: 'complex', user: person, session: { format: 'opaque', id: session } },
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

const TIMEOUT_MS = 10_000;
/** Pauses between attempts, in milliseconds. The last pause repeats. */
const RETRY_DELAYS_MS = [2_000, 10_000, 60_000, 600_000] as const;
/** Maximum age of a signal to send, in milliseconds. Receivers, including our own, reject signals older than a week. */
const MAX_SIGNAL_AGE_MS = 7 * 24 * 3_600_000;

interface PushSignalsOptions extends Pick<TransmitterOptions, 'fetch' | 'clock' | 'onError'> {
  readonly outbox: Pick<SecurityEventOutbox, 'claim' | 'done' | 'later' | 'release'>;
  readonly closing: AbortSignal;
}

/** Sends the due signals, one at a time per receiver. An unreachable receiver doesn't delay the others. */
async function pushSignals(options: PushSignalsOptions): Promise<void> {
  const { outbox, clock, closing } = options;
  while (!closing.aborted) {
    const due = await outbox.claim(clock.now());
    if (due.length === 0) return;
    await Promise.all(due.map((one) => pushOne(options, one)));
  }
}

/**
 * Sends one signal (RFC 8935 §2). A 2xx response confirms the signal. After a 400 response, the signal is not sent
 * again, because the receiver will never accept it.
 */
async function pushOne(
  { outbox, fetch: send, clock, closing, onError }: PushSignalsOptions,
  event: OutgoingSecurityEvent,
): Promise<void> {
  const { endpoint, token, made_at, tries } = event;
  const { host } = new URL(endpoint);
  let said: string;
  try {
    const response = await send(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/secevent+jwt', accept: 'application/json' },
      body: token,
      redirect: 'error',
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), closing]),
    });
    await response.body?.cancel();
    if (response.ok) return await outbox.done(event);
    said = `responded with ${response.status}`;
    if (response.status === 400) {
      onError(`signals: ${host} ${said}; the signal will not be sent again`);
      return await outbox.done(event);
    }
  } catch (error) {
    // Interrupted by `close`. Another process, or the next start, sends the signal again.
    if (closing.aborted) return await outbox.release(event, clock.now());
    said = error instanceof Error ? error.name : 'failed';
  }
  const now = clock.now();
  if (now - made_at >= MAX_SIGNAL_AGE_MS) {
    onError(`signals: ${host} ${said}; the signal is too old to be sent again`);
    return await outbox.done(event);
  }
  if (tries === 0) onError(`signals: ${host} ${said}; it will be retried`);
  await outbox.later(event, RETRY_DELAYS_MS[Math.min(tries, RETRY_DELAYS_MS.length - 1)] ?? 0, now);
}

function createSnapshotReader(
  database: SqlTransactions,
  { people, keys }: { readonly people: Pick<PeopleStore, 'list'>; readonly keys: Pick<ApprovalKeys, 'list'> },
): () => Promise<SecurityEventSubject[]> {
  const devices = `
    SELECT devices.grant_id AS id, devices.username AS "user", grants.expires_at
    FROM granted_devices AS devices
    JOIN oidc_entities AS grants ON grants.model = 'Grant' AND grants.id = devices.grant_id`;
  return async () => {
    const users = (await people.list()).map(({ username }) => username);
    const all = await Promise.all(users.map((user) => keys.list(user)));
    const sessions = await database.all<{ id: string; user: string; expires_at: number | null }>(devices);
    return [
      ...users.map((user): SecurityEventSubject => ({ kind: 'person', id: user, user, endsAt: null, detail: '' })),
      ...sessions.map(({ id, user, expires_at }): SecurityEventSubject => {
        const endsAt = expires_at === null ? null : expires_at * 1000;
        return { kind: 'session', id, user, endsAt, detail: '' };
      }),
      ...all.flat().map(({ credentialId: id, sub: user, deviceType: detail }): SecurityEventSubject => {
        return { kind: 'key', id, user, endsAt: null, detail };
      }),
    ];
  };
}

/** Returns the Transmitter Configuration Metadata (SSF 1.0 §7.1). Receivers are configured only in `home.yaml`. */
export function transmitterMetadata(issuer: string): Readonly<Record<string, unknown>> {
  return {
    spec_version: '1_0',
    issuer,
    jwks_uri: `${issuer}${protocolRoutes.jwks}`,
    delivery_methods_supported: ['urn:ietf:rfc:8935'],
    default_subjects: 'ALL',
  };
}
