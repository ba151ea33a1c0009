import { createHash, verify } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { ProblemCode } from '../../errors/problem-codes.ts';
import type { SigningKey, SigningKeyStore } from '../../store/signing-key-store.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { EDDSA, readCoseKey } from './cose-key.ts';
import {
  type ApprovalStatement,
  type Evidence,
  evidenceDigest,
  evidenceSchema,
  statementChallenge,
} from './statement.ts';

export interface ExpectedEvidence {
  /** The expected statement, derived from the request and never taken from the evidence. */
  readonly statement: ApprovalStatement;
  readonly origin: string;
  /** The host for which keys are enrolled. Defaults to the origin's host. */
  readonly rpId?: string;
  /** The person who must have signed. */
  readonly sub: string;
  /** Whether software keys of the terminal phone are accepted. */
  readonly softwareKeys: boolean;
}

/** Verified evidence, and the state of the signer's key when it signed. */
export interface VerifiedEvidence {
  readonly evidence: Evidence;
  readonly digest: string;
  readonly credentialId: string;
  readonly method: 'webauthn' | 'software';
  readonly deviceType: 'singleDevice' | 'multiDevice';
  readonly backedUp: boolean;
  readonly counter: number;
}

/** The members of a statement in the order of comparison, each with the code for a mismatch. */
const comparedMembers: readonly (readonly [keyof ApprovalStatement, Extract<ProblemCode, `signature_${string}`>])[] = [
  ['purpose', 'signature_purpose'],
  ['v', 'signature_version'],
  ['gateway', 'signature_gateway'],
  ['proposal', 'signature_proposal'],
  ['digest', 'signature_digest'],
  ['sub', 'signature_key_of_another'],
  ['code', 'signature_code'],
  ['worst_case', 'signature_worst_case'],
  ['decision', 'signature_decision'],
  ['nonce', 'signature_nonce'],
];

/**
 * Verifies that a person's own key signed exactly this approval. Changes nothing: the caller stores the key's counter.
 * @throws {HttpProblem} 403 with a code that says which check failed
 */
export async function verifyEvidence(
  evidence: unknown,
  expected: ExpectedEvidence,
  keys: Pick<SigningKeyStore, 'byId'>,
): Promise<VerifiedEvidence> {
  if (evidence === undefined || evidence === null) {
    throw signatureProblem('signature_missing', 'the approval is not signed', {
      hint: 'Approve the proposal on a phone whose key is enrolled here.',
    });
  }
  const parsed = evidenceSchema.safeParse(evidence);
  if (!parsed.success) throw signatureProblem('signature_malformed', 'the signature’s evidence is malformed');
  const { method, statement } = parsed.data;
  if (method !== 'webauthn' && method !== 'software') {
    throw signatureProblem('signature_method', 'the approval was signed with an unknown method', {
      fields: ['method'],
    });
  }
  for (const [member, code] of comparedMembers) {
    if (canonicalize(statement[member]) === canonicalize(expected.statement[member])) continue;
    throw signatureProblem(code, `a different statement was signed: ${member} differs`, { fields: [member] });
  }
  const challenge = statementChallenge(expected.statement).toString('base64url');
  const { origin } = expected;
  const { key, counter, backedUp } = await verifyAssertion(
    {
      credentialId: parsed.data.credential_id,
      authenticatorData: parsed.data.authenticator_data,
      clientDataJSON: parsed.data.client_data_json,
      signature: parsed.data.signature,
    },
    {
      challenge: (signed) => signed === challenge,
      origin,
      rpId: expected.rpId ?? new URL(origin).hostname,
      sub: expected.sub,
      method,
    },
    keys,
  );
  if (method === 'software' && !expected.softwareKeys) {
    throw signatureProblem('signature_software', 'the terminal phone’s keys are not accepted here', {
      hint: 'Approve the proposal on a phone whose passkey is enrolled here.',
    });
  }
  const { credentialId, deviceType } = key;
  const digest = evidenceDigest(parsed.data);
  return { evidence: parsed.data, digest, credentialId, method, deviceType, backedUp, counter };
}

/** An authenticator's assertion (WebAuthn §5.2.2), each member in base64url. */
interface Assertion {
  readonly credentialId: string;
  readonly authenticatorData: string;
  readonly clientDataJSON: string;
  readonly signature: string;
}

interface ExpectedAssertion {
  /** Returns whether a challenge, in base64url, is the one that had to be signed. */
  readonly challenge: (challenge: string) => boolean;
  readonly origin: string;
  readonly rpId: string;
  /** The key's owner, if known in advance. */
  readonly sub?: string;
  readonly method: SigningKey['method'];
}

/** A verified key, and what its authenticator reported when it signed. */
interface VerifiedAssertion {
  readonly key: SigningKey;
  readonly counter: number;
  readonly backedUp: boolean;
}

/** The members of client data that are checked (WebAuthn §5.8.1). */
type ClientData = Readonly<Record<'type' | 'challenge' | 'origin' | 'crossOrigin' | 'topOrigin', unknown>>;

/** Flags of authenticator data (WebAuthn §6.1). */
const FLAG = { up: 1, uv: 4, be: 8, bs: 16, attested: 64, extensions: 128 } as const;
/** Lengths in bytes: the digest of the relying party's ID, and all authenticator data without extensions. */
const RP_ID_HASH_BYTES = 32;
const AUTHENTICATOR_DATA_BYTES = 37;

/**
 * Verifies that an enrolled key signed the challenge (WebAuthn §7.2). Each check has its own code; the signature is
 * checked last.
 * @throws {HttpProblem} 403 `signature_…`
 */
export async function verifyAssertion(
  assertion: Assertion,
  expected: ExpectedAssertion,
  keys: { byId(credentialId: string): Promise<SigningKey | undefined> },
): Promise<VerifiedAssertion> {
  requireClientData(readClientData(assertion.clientDataJSON), expected);
  const authenticatorData = decodeBase64url(assertion.authenticatorData);
  const { flags, counter } = await readAuthenticatorData(authenticatorData, expected.rpId);
  const key = requireKey(await keys.byId(assertion.credentialId), expected);
  const [isBackupEligible, backedUp] = [(flags & FLAG.be) !== 0, (flags & FLAG.bs) !== 0];
  // A key's backup eligibility never changes, and only an eligible key can have been backed up (WebAuthn §7.2).
  if (isBackupEligible !== (key.deviceType === 'multiDevice') || (backedUp && !isBackupEligible)) {
    throw signatureProblem('signature_device', 'the key’s backup flags differ from when it was enrolled');
  }
  const cose = readCoseKey(key.publicKey);
  if (cose === undefined || cose.algorithm !== key.algorithm) {
    throw signatureProblem('signature_algorithm', 'the key’s algorithm is not accepted here');
  }
  if ((counter > 0 || key.counter > 0) && counter <= key.counter) throw counterRegressedProblem();
  const signed = Buffer.concat([authenticatorData, sha256(decodeBase64url(assertion.clientDataJSON))]);
  const hash = cose.algorithm === EDDSA ? null : 'sha256';
  // OpenSSL accepts an ECDSA signature only if encoding its r and s again as DER gives the same bytes.
  if (!verify(hash, signed, cose.key, decodeBase64url(assertion.signature)))
    throw signatureProblem('signature_wrong', 'the signature was not made by the key');
  return { key, counter, backedUp };
}

const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();

/** Decodes base64url. Rejects any encoding but the canonical one (RFC 4648 §3.5). */
function decodeBase64url(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw malformedSignature();
  return bytes;
}

/**
 * Parses client data in base64url. Its members are untrusted, because the signature is not verified yet.
 * @throws {HttpProblem} 403 `signature_malformed` unless the client data is a JSON object in UTF-8
 */
export function readClientData(text: string): Partial<ClientData> {
  const bytes = decodeBase64url(text);
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw malformedSignature();
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw malformedSignature();
  return parsed;
}

/** Reads the authenticator data of an assertion, which never has attested credential data (WebAuthn §6.1). */
async function readAuthenticatorData(data: Buffer, rpId: string): Promise<{ flags: number; counter: number }> {
  const flags = data[RP_ID_HASH_BYTES] ?? 0;
  const extensions = data.subarray(AUTHENTICATOR_DATA_BYTES);
  const hasExtensions = (flags & FLAG.extensions) !== 0;
  const isWellFormed = data.length >= AUTHENTICATOR_DATA_BYTES && (flags & FLAG.attested) === 0;
  if (!isWellFormed || extensions.length > 0 !== hasExtensions) throw malformedSignature();
  if (hasExtensions && !(await isCanonicalMap(extensions))) throw malformedSignature();
  if (!data.subarray(0, RP_ID_HASH_BYTES).equals(sha256(rpId)))
    throw signatureProblem('signature_rp', 'the signature is for another site');
  if ((flags & FLAG.up) === 0)
    throw signatureProblem('signature_presence', 'the key reported no user presence when it signed');
  if ((flags & FLAG.uv) === 0)
    throw signatureProblem('signature_verification', 'the key signed without being unlocked');
  return { flags, counter: data.readUInt32BE(RP_ID_HASH_BYTES + 1) };
}

async function isCanonicalMap(bytes: Buffer): Promise<boolean> {
  const { isoCBOR } = await import('@simplewebauthn/server/helpers');
  try {
    const map = isoCBOR.decodeFirst(new Uint8Array(bytes));
    return map instanceof Map && Buffer.from(isoCBOR.encode(map)).equals(bytes);
  } catch {
    return false;
  }
}

/** Returns the problem with a key whose counter went backwards, which means that the key may have been copied. */
export function counterRegressedProblem(): HttpProblem {
  return signatureProblem('signature_counter', 'the key’s counter went backwards, so the key may have been copied', {
    hint: 'Remove the key and enroll another.',
  });
}

export function signatureProblem(
  code: Extract<ProblemCode, `signature_${string}`>,
  detail: string,
  options: { readonly hint?: string; readonly fields?: readonly string[] } = {},
): HttpProblem {
  return new HttpProblem(403, code, detail, {
    hint: 'Try again with a key that is enrolled here.',
    ...options,
    challenge: { error: 'insufficient_authorization_details' },
  });
}

function requireClientData(data: Partial<ClientData>, { challenge, origin }: ExpectedAssertion): void {
  if (typeof data.challenge !== 'string' || !challenge(data.challenge)) {
    throw signatureProblem('signature_challenge', 'a different statement was signed');
  }
  if (data.type !== 'webauthn.get') throw signatureProblem('signature_type', 'the signature is for another purpose');
  if (data.origin !== origin)
    throw signatureProblem('signature_origin', 'the signature was made on another site’s page');
  if ((data.crossOrigin ?? false) !== false || data.topOrigin !== undefined) {
    throw signatureProblem('signature_cross_origin', 'the signature was made within another site’s page');
  }
}

function requireKey(key: SigningKey | undefined, { sub, method }: ExpectedAssertion): SigningKey {
  if (key === undefined) throw signatureProblem('signature_key_unknown', 'the key is not enrolled here');
  if (key.removedAt !== undefined) throw signatureProblem('signature_key_removed', 'the key was removed');
  if (sub !== undefined && key.sub !== sub)
    throw signatureProblem('signature_key_of_another', 'the key belongs to someone else');
  if (key.method !== method) {
    throw signatureProblem('signature_method', 'the key is not of the type that its evidence states', {
      fields: ['method'],
    });
  }
  return key;
}

function malformedSignature(): HttpProblem {
  return signatureProblem('signature_malformed', 'the signed data is malformed');
}
