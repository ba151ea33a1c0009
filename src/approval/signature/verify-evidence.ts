import canonicalize from 'canonicalize';
import type { ProblemCode } from '../../errors/problem-codes.ts';
import type { SigningKey, SigningKeyStore } from '../../store/signing-key-store.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import {
  type ApprovalStatement,
  type Evidence,
  evidenceDigest,
  evidenceSchema,
  statementChallenge,
} from './statement.ts';

export interface ExpectedEvidence {
  /** Derived from the request, never taken from the evidence. */
  readonly statement: ApprovalStatement;
  readonly origin: string;
  /** The host for which keys are enrolled. Defaults to the origin's. */
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
    throw signatureProblem(code, `something else was signed: ${member} differs`, { fields: [member] });
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

/**
 * For each accepted COSE algorithm, the key type and, if the algorithm requires one, the curve (RFC 9053 §2, RFC 8812
 * §2).
 */
const keyTypeByAlgorithm: Readonly<Record<number, { readonly kty: number; readonly crv?: number }>> = {
  [-7]: { kty: 2, crv: 1 },
  [-8]: { kty: 1, crv: 6 },
  [-257]: { kty: 3 },
};
/** The accepted COSE algorithms: ES256, EdDSA (Ed25519), RS256. */
export const SIGNATURE_ALGORITHMS = Object.keys(keyTypeByAlgorithm).map(Number);

/** Labels of a COSE_Key's members (RFC 9052 §7.1). */
const COSE = { kty: 1, alg: 3, crv: -1 } as const;

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
  const helpers = await import('@simplewebauthn/server/helpers');
  // The client data may be any JSON, because its sender has not proved anything yet.
  const clientData: unknown = readOrRefuse(() => helpers.decodeClientDataJSON(assertion.clientDataJSON));
  if (typeof clientData !== 'object' || clientData === null || Array.isArray(clientData)) throw malformedSignature();
  requireClientData(clientData, expected);
  const data = readOrRefuse(() =>
    helpers.parseAuthenticatorData(helpers.isoBase64URL.toBuffer(assertion.authenticatorData)),
  );
  const { flags, counter } = data;
  const rpIdHash = await helpers.toHash(expected.rpId);
  if (!helpers.isoUint8Array.areEqual(data.rpIdHash, rpIdHash))
    throw signatureProblem('signature_rp', 'the signature is for another site');
  if (!flags.up) throw signatureProblem('signature_presence', 'the key reported no user presence when it signed');
  if (!flags.uv) throw signatureProblem('signature_verification', 'the key signed without being unlocked');
  const key = requireKey(await keys.byId(assertion.credentialId), expected);
  // Whether a key can be backed up never changes, and only such a key can have been backed up (WebAuthn §7.2).
  if (flags.be !== (key.deviceType === 'multiDevice') || (flags.bs && !flags.be)) {
    throw signatureProblem('signature_device', 'the key’s backup flags differ from when it was enrolled');
  }
  const cose = readOrRefuse(
    () => helpers.decodeCredentialPublicKey(new Uint8Array(key.publicKey)) as unknown as Map<number, unknown>,
  );
  const algorithm = keyTypeByAlgorithm[key.algorithm];
  if (
    algorithm === undefined ||
    cose.get(COSE.alg) !== key.algorithm ||
    cose.get(COSE.kty) !== algorithm.kty ||
    (algorithm.crv !== undefined && cose.get(COSE.crv) !== algorithm.crv)
  ) {
    throw signatureProblem('signature_algorithm', 'the key’s algorithm is not accepted here');
  }
  if ((counter > 0 || key.counter > 0) && counter <= key.counter) throw counterRegressedProblem();
  if (!(await hasValidSignature(assertion, expected, key)))
    throw signatureProblem('signature_wrong', 'the signature was not made by the key');
  return { key, counter, backedUp: flags.bs };
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

type ClientData = Readonly<Record<'type' | 'challenge' | 'origin' | 'crossOrigin' | 'topOrigin', unknown>>;

function requireClientData(data: Partial<ClientData>, { challenge, origin }: ExpectedAssertion): void {
  if (typeof data.challenge !== 'string' || !challenge(data.challenge)) {
    throw signatureProblem('signature_challenge', 'something else was signed');
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
    throw signatureProblem('signature_method', 'the key is not of the kind that its evidence states', {
      fields: ['method'],
    });
  }
  return key;
}

/** Verifies the signature, with a library that also repeats all other checks. */
async function hasValidSignature(
  { credentialId, authenticatorData, clientDataJSON, signature }: Assertion,
  { challenge, origin, rpId }: ExpectedAssertion,
  key: SigningKey,
): Promise<boolean> {
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server');
  try {
    const { verified } = await verifyAuthenticationResponse({
      response: {
        id: credentialId,
        rawId: credentialId,
        type: 'public-key',
        clientExtensionResults: {},
        response: { authenticatorData, clientDataJSON, signature },
      },
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      credential: { id: key.credentialId, publicKey: new Uint8Array(key.publicKey), counter: key.counter },
    });
    return verified;
  } catch {
    return false;
  }
}

function readOrRefuse<T>(read: () => T): T {
  try {
    return read();
  } catch {
    throw malformedSignature();
  }
}

function malformedSignature(): HttpProblem {
  return signatureProblem('signature_malformed', 'the signed data is malformed');
}
