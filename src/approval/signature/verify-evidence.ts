import canonicalize from 'canonicalize';
import type { ProblemCode } from '../../errors/problem-codes.ts';
import type { SigningKeyStore } from '../../store/signing-key-store.ts';
import { type Evidence, evidenceDigest, evidenceSchema } from './evidence.ts';
import { type ApprovalStatement, statementChallenge } from './statement.ts';
import { refused, verifyAssertion } from './verify-assertion.ts';

/** What evidence is held to. */
export interface ExpectedEvidence {
  /** Made anew from what was asked, never taken from the evidence. */
  readonly statement: ApprovalStatement;
  /** Of the page it is signed on. */
  readonly origin: string;
  /** The host that keys are enrolled for; the origin's unless said otherwise. */
  readonly rpId?: string;
  /** Who must have signed. */
  readonly sub: string;
  /** Whether keys of the terminal phone's count. */
  readonly softwareKeys: boolean;
}

/** Who signed, by what kind of key. */
export interface VerifiedEvidence {
  readonly evidence: Evidence;
  readonly digest: string;
  readonly credentialId: string;
  readonly method: 'webauthn' | 'software';
  readonly deviceType: 'singleDevice' | 'multiDevice';
  readonly backedUp: boolean;
  readonly counter: number;
}

/** The members of a statement, in the order they are compared, each with the code of a difference. */
const compared: readonly (readonly [keyof ApprovalStatement, Extract<ProblemCode, `signature_${string}`>])[] =
  [
    ['purpose', 'signature_purpose'],
    ['v', 'signature_version'],
    ['gateway', 'signature_gateway'],
    ['proposal', 'signature_proposal'],
    ['digest', 'signature_digest'],
    ['code', 'signature_code'],
    ['worst_case', 'signature_worst_case'],
    ['decision', 'signature_decision'],
    ['nonce', 'signature_nonce'],
  ];

/**
 * Whether a person's own key signed this approval, and nothing else was signed. Changes nothing: the counter is for the
 * caller to keep.
 * @throws {Refusal} 403 with a code for each way to fail
 */
export async function verifyEvidence(
  evidence: unknown,
  expected: ExpectedEvidence,
  keys: Pick<SigningKeyStore, 'byId'>,
): Promise<VerifiedEvidence> {
  if (evidence === undefined || evidence === null) {
    throw refused('signature_missing', 'the approval is not signed', {
      hint: 'Approve it on a phone whose key is enrolled here.',
    });
  }
  const parsed = evidenceSchema.safeParse(evidence);
  if (!parsed.success) throw refused('signature_malformed', 'the signature’s evidence can’t be read');
  const { method, statement } = parsed.data;
  if (method !== 'webauthn' && method !== 'software') {
    throw refused('signature_method', 'it was signed by no method known here', { fields: ['method'] });
  }
  for (const [member, code] of compared) {
    if (canonicalize(statement[member]) === canonicalize(expected.statement[member])) continue;
    throw refused(code, `something else was signed: its ${member} differs`, { fields: [member] });
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
    throw refused('signature_software', 'a key of the terminal phone’s does not count here', {
      hint: 'Approve it on a phone whose passkey is enrolled here.',
    });
  }
  const { credentialId, deviceType } = key;
  const digest = evidenceDigest(parsed.data);
  return { evidence: parsed.data, digest, credentialId, method, deviceType, backedUp, counter };
}
