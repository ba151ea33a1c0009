import { createHash, createHmac, randomBytes } from 'node:crypto';
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import type { Clock } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { isSameSecret } from '../../secrets/constant-time.ts';
import type { AuditNote } from '../../store/audit.ts';
import type { ProofStore } from '../../store/proof-store.ts';
import type {
  SigningKey,
  SigningKeyChangeProof,
  SigningKeyStore,
  SigningKeyUse,
} from '../../store/signing-key-store.ts';
import { safeLine } from '../../text/sanitize.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { defined } from '../../values/defined.ts';
import { EDDSA, readCoseKey, SIGNATURE_ALGORITHMS } from '../signature/cose-key.ts';
import {
  type ApprovalStatement,
  approvalStatement,
  evidenceDigest,
  evidenceSchema,
  statementChallenge,
} from '../signature/statement.ts';
import {
  counterRegressedProblem,
  readClientData,
  signatureProblem,
  type VerifiedEvidence,
  verifyAssertion,
  verifyEvidence,
} from '../signature/verify-evidence.ts';

const PAIRING_LIFETIME_MS = 10 * 60_000;
const SECRET_BYTES = 32;
/** Maximum length of a key's name, in UTF-16 code units. */
const MAX_NAME_LENGTH = 40;
/** How long the browser's passkey prompt stays open, in milliseconds. */
const PROMPT_TIMEOUT_MS = 5 * 60_000;
/** Maximum length of a credential id, in bytes (WebAuthn §7.1). */
const MAX_CREDENTIAL_ID_BYTES = 1023;
const MAX_COUNTER = 2 ** 32 - 1;
const SIGN_IN_PURPOSE = ['sign in'] as const;

/** The options for signing an approval with a passkey, and the statement from which the challenge is derived. */
export interface ApprovalSigningOptions extends PublicKeyCredentialRequestOptionsJSON {
  /** To be copied into the evidence unchanged. */
  readonly statement: ApprovalStatement;
}

export interface ApprovalKeysOptions {
  readonly store: SigningKeyStore;
  /** The gateway's identifier in statements. A client's direct request names the gateway's address instead. */
  readonly gateway: string;
  /** The host for which passkeys are created: `home.example`, `localhost`. */
  readonly rpId: string;
  /** The origin of the phone's pages. */
  readonly origin: string;
  /** The site's name as the phone's passkey prompt shows it. */
  readonly rpName: string;
  readonly clock: Pick<Clock, 'now'>;
  /** Whether software keys of the terminal phone are accepted. Never true with live money. */
  readonly softwareKeys: boolean;
  /** Shared by all processes of a home. By default, challenges are valid only in the process that created them. */
  readonly challenges?: SharedChallenges;
}

interface SharedChallenges {
  /** Key of the challenges' MAC. */
  readonly secret: Buffer;
  readonly used: ProofStore;
}

/** The proof that authorizes a person to enroll a key: a pairing's secret, or a signature by an enrolled key. */
type EnrolledBy =
  | { readonly secret: string }
  | { readonly sub: string; readonly assertion: AuthenticationResponseJSON };

/**
 * The keys with which people approve. Every change requires a proof: a pairing's secret, or a signature by an enrolled
 * key. A page or an identity provider that lies about a person's identity can therefore neither enroll nor remove a
 * key, nor approve anything.
 *
 * Methods throw {@link HttpProblem}s whose code says what failed: `signature_…` if a signature or its data is wrong.
 */
export class ApprovalKeys {
  /** The site on which approvals are signed: the page's origin, and the host for which keys are enrolled. */
  readonly site: { readonly origin: string; readonly rpId: string };
  readonly #options: ApprovalKeysOptions;
  readonly #challenges: Challenges;

  constructor(options: ApprovalKeysOptions) {
    this.#options = options;
    this.#challenges = new Challenges(options);
    this.site = { origin: options.origin, rpId: options.rpId };
  }

  /** Starts a pairing that lets one phone enroll one key within ten minutes. Replaces the person's earlier pairing. */
  async pair(sub: string): Promise<{ readonly secret: string; readonly expiresAt: number }> {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const expiresAt = this.#options.clock.now() + PAIRING_LIFETIME_MS;
    await this.#options.store.storePairing({ digest: pairingDigest(secret), sub, expiresAt });
    return { secret, expiresAt };
  }

  /** Returns an open pairing without using it up; undefined if there is none with this secret. */
  async pairing(secret: string): Promise<{ readonly sub: string; readonly expiresAt: number } | undefined> {
    return await this.#options.store.pairing(pairingDigest(secret), this.#options.clock.now());
  }

  /** Returns the options for creating a discoverable key with user verification. @throws `pairing_ended` */
  async creationOptions(
    by: { readonly secret: string } | { readonly sub: string },
  ): Promise<PublicKeyCredentialCreationOptionsJSON> {
    const sub = await this.#whose(by);
    const { generateRegistrationOptions } = await import('@simplewebauthn/server');
    return await generateRegistrationOptions({
      rpName: this.#options.rpName,
      rpID: this.site.rpId,
      userName: sub,
      userDisplayName: sub,
      userID: new Uint8Array(userHandle(this.#options, sub)),
      challenge: new Uint8Array(this.#challenges.draw(creationPurpose(by, sub))),
      timeout: PROMPT_TIMEOUT_MS,
      attestationType: 'none',
      excludeCredentials: (await this.list(sub)).map(({ credentialId }) => ({ id: credentialId })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      supportedAlgorithmIDs: SIGNATURE_ALGORITHMS,
    });
  }

  /**
   * Stores a new key. The same transaction uses up the pairing or, if an enrolled key authorized this registration by
   * signing {@link ApprovalKeys.keyActionOptions} `add`, stores that key's counter.
   * @throws `pairing_ended`, `key_refused`, `key_known`, `signature_…`
   */
  async enroll(by: EnrolledBy, registration: RegistrationResponseJSON, name: string): Promise<SigningKey> {
    const { store, clock } = this.#options;
    const sub = await this.#whose(by);
    const proof: SigningKeyChangeProof =
      'secret' in by
        ? { pairing: pairingDigest(by.secret) }
        : { use: await this.#assertedBy(by, keyAction('add', sub, registration)) };
    const registered = await this.#verifiedRegistration(registration, creationPurpose(by, sub));
    const key: SigningKey = {
      ...registered,
      sub,
      rpId: this.#options.rpId,
      method: 'webauthn',
      name: keyName(name),
      enrolledAt: clock.now(),
    };
    failpoint('key.verified');
    switch (await store.enroll(key, proof, enrolledNote(key, proof), clock.now())) {
      case 'enrolled':
        failpoint('key.enrolled');
        return key;
      case 'known':
        throw keyKnown();
      case 'stale':
        throw 'secret' in by ? pairingEnded() : counterRegressedProblem();
    }
  }

  /**
   * Returns the options for a signature by an enrolled key that authorizes adding a key (given its registration) or
   * removing a key (given its id).
   */
  async keyActionOptions(
    sub: string,
    action: 'add' | 'remove',
    key: string | RegistrationResponseJSON,
  ): Promise<PublicKeyCredentialRequestOptionsJSON> {
    return this.#requestOptions(this.#challenges.draw(keyAction(action, sub, key)), await this.list(sub));
  }

  /** Returns a person's keys for this site, oldest first. */
  async list(sub: string): Promise<SigningKey[]> {
    return (await this.#options.store.listByPerson(sub)).filter(({ rpId }) => rpId === this.site.rpId);
  }

  /** Renames a key. @throws `not_found` */
  async rename(sub: string, credentialId: string, name: string): Promise<void> {
    if (!(await this.#options.store.rename({ sub, credentialId }, keyName(name)))) throw keyNotFound();
  }

  /**
   * Removes a key. The removal is authorized by another key of the same person, which signed
   * {@link ApprovalKeys.keyActionOptions} `remove`, or was requested on the home's own machine.
   * @throws `not_found`, `signature_…`
   */
  async remove(
    by: { readonly sub: string; readonly assertion: AuthenticationResponseJSON } | 'machine',
    credentialId: string,
  ): Promise<void> {
    const { store, clock } = this.#options;
    const key = await store.byId(credentialId);
    if (key === undefined || key.removedAt !== undefined) throw keyNotFound();
    const { sub } = key;
    if (by !== 'machine' && by.sub !== sub) throw keyNotFound();
    if (by !== 'machine' && by.assertion.id === credentialId) {
      throw signatureProblem('signature_key_unknown', 'a key can’t sign its own removal', {
        hint: 'Sign with another of your keys. You can remove your last key on the home’s own machine.',
      });
    }
    const proof = by === 'machine' ? by : { use: await this.#assertedBy(by, keyAction('remove', sub, credentialId)) };
    const note = removedNote(key, by === 'machine' ? by : 'key');
    if ((await store.remove({ sub, credentialId }, proof, note, clock.now())) === 'stale')
      throw counterRegressedProblem();
    failpoint('key.removed');
  }

  /**
   * Removes a person's pairing and all keys. Removes the pairing first, because it could still be used to enroll a key.
   */
  async endPerson(sub: string): Promise<void> {
    const { store, clock } = this.#options;
    await store.unpair(sub);
    for (const key of await store.listByPerson(sub)) {
      await store.remove(key, 'machine', removedNote(key, 'machine'), clock.now());
    }
  }

  /** Returns the options for signing in with a discoverable key. The assertion then shows whose key it is. */
  async signInOptions(): Promise<PublicKeyCredentialRequestOptionsJSON> {
    return this.#requestOptions(this.#challenges.draw(SIGN_IN_PURPOSE), []);
  }

  /** Returns the key that signed in. An assertion can't be used twice. @throws `signature_…` */
  async signIn(assertion: AuthenticationResponseJSON): Promise<SigningKey> {
    const { store, clock } = this.#options;
    const use = await this.#assertedBy({ assertion }, SIGN_IN_PURPOSE);
    const { challenge } = readClientData(assertion.response.clientDataJSON);
    if (!(await this.#challenges.take(String(challenge)))) {
      throw signatureProblem('signature_challenge', 'this signature was already used to sign in', {
        hint: 'Sign in again.',
      });
    }
    if (!(await store.recordUse(use, clock.now()))) throw counterRegressedProblem();
    const key = await store.byId(use.credentialId);
    if (key === undefined) throw new Error('a key is missing from the store');
    return key;
  }

  /**
   * Returns the options for signing an approval with a person's passkey. The challenge is derived from the statement
   * ({@link statementChallenge}).
   * @param details details of a proposal, or details that a client requests directly
   * @throws `signature_key_unknown` if this person has no passkey here, `signature_nonce`
   */
  async approvalOptions(details: Readonly<Record<string, unknown>>, sub: string): Promise<ApprovalSigningOptions> {
    const statement = approvalStatement(details, sub);
    const passkeys = (await this.list(sub)).filter(({ method }) => method === 'webauthn');
    if (passkeys.length === 0) {
      throw signatureProblem('signature_key_unknown', 'you have no passkey enrolled here', {
        hint: 'Pair your phone. "trade-agent home pair" shows how.',
      });
    }
    return { ...this.#requestOptions(statementChallenge(statement), passkeys), statement };
  }

  /**
   * Verifies that this person signed this approval, as the gateway does before each execution. The same evidence can be
   * verified again. The signature is stored with the key's counter in one transaction, so the gateway may verify
   * approvals in a different order than they were signed.
   * @param time if `isFirst` is false, the approval was already acted on, and a key that has been removed since then is
   *   still accepted. If `once` is true, evidence that was verified before is rejected.
   * @throws `signature_…`
   */
  async check(
    details: Readonly<Record<string, unknown>>,
    evidence: unknown,
    sub: string,
    { isFirst, once = false }: { readonly isFirst: boolean; readonly once?: boolean } = { isFirst: true },
  ): Promise<VerifiedEvidence> {
    const { store, clock, gateway, origin, rpId, softwareKeys } = this.#options;
    const statement = approvalStatement(details, sub);
    if (statement.gateway !== gateway && statement.gateway !== origin) {
      throw signatureProblem('signature_gateway', 'the approval was signed for another gateway', {
        fields: ['gateway'],
      });
    }
    const { proposal: approval } = statement;
    const parsed = evidenceSchema.safeParse(evidence);
    const isKept = parsed.success && (await store.hasSignature({ sub, approval, digest: evidenceDigest(parsed.data) }));
    if (isKept && once) throw signatureRepeated();
    const byId = async (id: string) => {
      const key = await store.byId(id);
      return key !== undefined && isKept ? keyAtSigning(key, isFirst) : key;
    };
    const expected = { statement, origin, rpId, sub, softwareKeys };
    const verified = await verifyEvidence(evidence, expected, { byId });
    if (isKept) return verified;
    const { digest, credentialId, counter, backedUp, method, deviceType } = verified;
    failpoint('signature.verified');
    const facts = { approval, sub, credential_id: credentialId, method };
    const kept = await store.sign(
      { approval, sub, digest, evidence: verified.evidence, use: { credentialId, counter, backedUp } },
      {
        event: 'signed',
        facts: {
          ...facts,
          device_type: deviceType,
          backed_up: backedUp,
          digest: statement.digest,
          grant: details.grant,
        },
      },
      clock.now(),
    );
    if (kept === 'known' && once) throw signatureRepeated();
    // Since the verification, the key was removed, or signed something else with a higher counter.
    if (kept === 'stale') throw counterRegressedProblem();
    failpoint('signature.kept');
    return verified;
  }

  /**
   * Enrolls the software key of the terminal phone ({@link deriveSoftwareKey}), replacing an earlier one. Enrolling the
   * same key again changes nothing, so a removed key stays removed.
   * @throws `signature_software` if software keys are not accepted, `key_known` if the key is another person's
   */
  async enrollSoftwareKey(
    sub: string,
    { credentialId, publicKey }: Pick<SigningKey, 'credentialId' | 'publicKey'>,
  ): Promise<void> {
    const { store, clock, softwareKeys, rpId } = this.#options;
    if (!softwareKeys) {
      throw signatureProblem('signature_software', 'the terminal phone’s keys are not accepted here');
    }
    const earlier = await store.byId(credentialId);
    if (earlier?.sub === sub) return;
    const key: SigningKey = {
      credentialId,
      publicKey,
      sub,
      rpId,
      algorithm: EDDSA,
      counter: 0,
      method: 'software',
      deviceType: 'singleDevice',
      backedUp: false,
      name: 'Terminal phone',
      transports: [],
      enrolledAt: clock.now(),
    };
    const outcome = await store.enroll(key, 'machine', enrolledNote(key, 'machine'), clock.now());
    if (outcome !== 'enrolled') throw keyKnown();
    // The terminal phone's secret was changed. Keys derived from an earlier secret are removed, so that people who know
    // the earlier secret can no longer approve anything.
    for (const old of await store.listByPerson(sub)) {
      if (old.method === 'webauthn' || old.credentialId === credentialId) continue;
      await store.remove(old, 'machine', removedNote(old, 'machine'), clock.now());
    }
  }

  /** Returns the person for whom a key is to be enrolled. @throws `pairing_ended` */
  async #whose(by: { readonly secret: string } | { readonly sub: string }): Promise<string> {
    if ('sub' in by) return by.sub;
    const pairing = await this.pairing(by.secret);
    if (pairing === undefined) throw pairingEnded();
    return pairing.sub;
  }

  /** Returns the options for a passkey's assertion. If `keys` is empty, any discoverable key of this site may sign. */
  #requestOptions(challenge: Buffer, keys: readonly SigningKey[]): PublicKeyCredentialRequestOptionsJSON {
    return {
      challenge: challenge.toString('base64url'),
      timeout: PROMPT_TIMEOUT_MS,
      rpId: this.#options.rpId,
      userVerification: 'required',
      allowCredentials: keys
        .filter(({ method }) => method === 'webauthn')
        .map(({ credentialId, transports }) => ({
          id: credentialId,
          type: 'public-key' as const,
          transports: transports as AuthenticatorTransports,
        })),
    };
  }

  /**
   * Returns the key that signed one of these challenges, and the key's new counter, which the caller stores.
   * @throws {HttpProblem} 403 `signature_…`
   */
  async #assertedBy(
    { sub, assertion }: { readonly sub?: string; readonly assertion: AuthenticationResponseJSON },
    about: readonly string[],
  ): Promise<SigningKeyUse> {
    const { store, origin, rpId } = this.#options;
    const { authenticatorData, clientDataJSON, signature } = assertion.response;
    const credentialId = assertion.id;
    const challenge = (signed: string) => this.#challenges.isFor(signed, about);
    const { counter, backedUp } = await verifyAssertion(
      { credentialId, authenticatorData, clientDataJSON, signature },
      { challenge, origin, rpId, method: 'webauthn', ...defined({ sub }) },
      store,
    );
    return { credentialId, counter, backedUp };
  }

  /** Verifies the registration of a browser's new key (WebAuthn §7.1). @throws `key_refused` */
  async #verifiedRegistration(registration: RegistrationResponseJSON, about: readonly string[]) {
    const { origin, rpId } = this.#options;
    const { verifyRegistrationResponse } = await import('@simplewebauthn/server');
    try {
      const { crossOrigin = false, topOrigin } = readClientData(registration.response.clientDataJSON);
      if (crossOrigin !== false || topOrigin !== undefined) throw keyRefused();
      const { verified, registrationInfo } = await verifyRegistrationResponse({
        response: registration,
        expectedChallenge: (challenge) => this.#challenges.isFor(challenge, about),
        expectedOrigin: origin,
        expectedRPID: rpId,
        requireUserVerification: true,
        supportedAlgorithmIDs: SIGNATURE_ALGORITHMS,
      });
      if (!verified) throw keyRefused();
      const { credential, credentialDeviceType, credentialBackedUp } = registrationInfo;
      const cose = readCoseKey(credential.publicKey);
      if (cose === undefined) throw keyRefused();
      if (Buffer.from(credential.id, 'base64url').length > MAX_CREDENTIAL_ID_BYTES) throw keyRefused();
      // A later assertion could not have a higher counter.
      if (credential.counter === MAX_COUNTER) throw keyRefused();
      return {
        credentialId: credential.id,
        publicKey: credential.publicKey,
        algorithm: cose.algorithm,
        counter: credential.counter,
        deviceType: credentialDeviceType,
        backedUp: credentialBackedUp,
        transports: (credential.transports ?? []).map((one) => safeLine(one, 16)).slice(0, 8),
      };
    } catch (cause) {
      throw cause instanceof HttpProblem ? cause : keyRefused(cause);
    }
  }
}

type AuthenticatorTransports = NonNullable<
  NonNullable<PublicKeyCredentialRequestOptionsJSON['allowCredentials']>[number]['transports']
>;

function pairingDigest(secret: string): string {
  return createHash('sha256').update(`trade-agent pairing ${secret}`).digest('base64url');
}

/** Returns the purpose of an enrolled key's signature. The purpose covers a new key completely, not only its id. */
function keyAction(action: 'add' | 'remove', sub: string, key: string | RegistrationResponseJSON): readonly string[] {
  if (typeof key === 'string') return [action, sub, key];
  const made = createHash('sha256').update(key.response.attestationObject).digest('base64url');
  return [action, sub, key.id, made];
}

function keyNotFound(): HttpProblem {
  return new HttpProblem(404, 'not_found', 'there is no such key');
}

function creationPurpose(by: EnrolledBy | { readonly sub: string }, sub: string): readonly string[] {
  return 'secret' in by ? ['pairing', pairingDigest(by.secret)] : ['another key', sub];
}

/** Returns the user handle by which an authenticator identifies a key's owner. The handle reveals nothing to others. */
function userHandle({ gateway }: ApprovalKeysOptions, sub: string): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([gateway, sub]))
    .digest();
}

function enrolledNote(key: SigningKey, by: SigningKeyChangeProof): AuditNote {
  const { sub, credentialId, publicKey, method, deviceType, backedUp, name } = key;
  const proof = by === 'machine' ? by : 'pairing' in by ? 'pairing' : 'key';
  return {
    event: 'key_enrolled',
    facts: {
      sub,
      credential_id: credentialId,
      fingerprint: createHash('sha256').update(publicKey).digest('base64url'),
      method,
      device_type: deviceType,
      backed_up: backedUp,
      name,
      by: proof,
    },
  };
}

function keyName(text: string): string {
  return safeLine(text, MAX_NAME_LENGTH).trim() || 'Passkey';
}

function keyRefused(cause?: unknown): HttpProblem {
  return new HttpProblem(403, 'key_refused', 'the new key could not be verified', {
    hint: 'Try again on this page, with a passkey that you unlock with a PIN, your face or a fingerprint.',
    challenge: {},
    ...defined({ cause }),
  });
}

function keyKnown(): HttpProblem {
  return new HttpProblem(409, 'key_known', 'this key is or was already enrolled here', {
    hint: 'Sign in with this key, or enroll another one.',
  });
}

function signatureRepeated(): HttpProblem {
  return signatureProblem('signature_challenge', 'this signature was already used', { hint: 'Start again.' });
}

function pairingEnded(): HttpProblem {
  return new HttpProblem(410, 'pairing_ended', 'this pairing was used, has expired, or was replaced by a newer one', {
    hint: 'Start a new pairing with "trade-agent home pair".',
  });
}

function removedNote({ sub, credentialId }: SigningKey, by: 'machine' | 'key'): AuditNote {
  return { event: 'key_removed', facts: { sub, credential_id: credentialId, by } };
}

/**
 * Returns the key in the state in which a stored signature can be verified again: with a counter of 0 and, if the
 * approval was already acted on, not removed.
 */
function keyAtSigning(key: SigningKey, isFirst: boolean): SigningKey {
  return { ...key, counter: 0, removedAt: isFirst ? key.removedAt : undefined };
}

/** How long a challenge is valid, in milliseconds: the time that a person may take to unlock a key. */
const CHALLENGE_LIFETIME_MS = 5 * 60_000;
/** How far apart the clocks of a home's machines may be, in milliseconds. */
const MAX_CLOCK_DIFFERENCE_MS = 10_000;
const USED_CHALLENGE_LIFETIME_MS = CHALLENGE_LIFETIME_MS + 2 * MAX_CLOCK_DIFFERENCE_MS;
const TIME_BYTES = 6;
const RANDOM_BYTES = 10;
const HEAD_BYTES = TIME_BYTES + RANDOM_BYTES;
const MAC_BYTES = 16;

/**
 * Creates and checks challenges. They are not stored until they are used, so nobody can fill the memory by
 * requesting many challenges. Each challenge is valid for one purpose, for five minutes.
 */
class Challenges {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #secret: Buffer;
  readonly #used: ProofStore;

  constructor({ clock, challenges }: Pick<ApprovalKeysOptions, 'clock' | 'challenges'>) {
    this.#clock = clock;
    this.#secret = challenges?.secret ?? randomBytes(32);
    this.#used = challenges?.used ?? rememberInMemory();
  }

  /** Returns 32 bytes: the time, random bytes, and a MAC over both and the purpose. */
  draw(about: readonly string[]): Buffer {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUIntBE(this.#clock.now(), 0, TIME_BYTES);
    randomBytes(RANDOM_BYTES).copy(head, TIME_BYTES);
    return Buffer.concat([head, this.#macOf(head, about)]);
  }

  /** Returns whether a challenge (base64url) was created for this purpose within the last five minutes. */
  isFor(challenge: string, about: readonly string[]): boolean {
    const bytes = Buffer.from(challenge, 'base64url');
    if (bytes.length !== HEAD_BYTES + MAC_BYTES) return false;
    const head = bytes.subarray(0, HEAD_BYTES);
    if (!isSameSecret(bytes.subarray(HEAD_BYTES), this.#macOf(head, about))) return false;
    const age = this.#clock.now() - head.readUIntBE(0, TIME_BYTES);
    return age >= -MAX_CLOCK_DIFFERENCE_MS && age <= CHALLENGE_LIFETIME_MS;
  }

  /**
   * Marks a challenge as used. Returns false if it was already used. Call it only for a challenge with a valid
   * signature, so that strangers can't fill the store.
   */
  take(challenge: string): Promise<boolean> {
    const now = this.#clock.now();
    const canonical = Buffer.from(challenge, 'base64url').toString('base64url');
    return this.#used.remember(`challenge ${canonical}`, now + USED_CHALLENGE_LIFETIME_MS, now);
  }

  #macOf(head: Buffer, about: readonly string[]): Buffer {
    const mac = createHmac('sha256', this.#secret).update(head).update(JSON.stringify(about));
    return mac.digest().subarray(0, MAC_BYTES);
  }
}

function rememberInMemory(): ProofStore {
  const taken = new Map<string, number>();
  return {
    async remember(proof, expiresAt, now) {
      for (const [one, until] of taken) if (until < now) taken.delete(one);
      return !taken.has(proof) && taken.set(proof, expiresAt).has(proof);
    },
  };
}
