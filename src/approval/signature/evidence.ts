import { createHash } from 'node:crypto';
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import type { ApprovalStatement } from './statement.ts';

/** Base64url without padding (RFC 4648 §5), as WebAuthn's JSON forms have it. */
const bytes = (longest: number) =>
  z
    .string()
    .max(longest)
    .regex(/^[A-Za-z0-9_-]+$/);

/**
 * What shows that a person's own key signed an approval: the claim `approval_evidence` of the approval's token. `statement` is
 * what was signed, for whoever reads it later; who verifies makes it anew from what they asked, and compares.
 *
 * Only its shape is checked here: what is in it, by `verify-evidence.ts`.
 */
export const evidenceSchema = z.lazy(() =>
  z.strictObject({
    /** `webauthn`: a passkey or security key; `software`: a key of the terminal phone's, on no authenticator. */
    method: z.string().max(32),
    credential_id: bytes(1400),
    /** WebAuthn §6.1. */
    authenticator_data: bytes(4096),
    /** WebAuthn §5.8.1. */
    client_data_json: bytes(4096),
    signature: bytes(2048),
    statement: z.strictObject({
      v: z.number(),
      purpose: z.string(),
      gateway: z.string(),
      proposal: z.string(),
      digest: z.string(),
      code: z.string(),
      worst_case: z.record(z.string(), z.unknown()).nullable(),
      decision: z.string(),
      nonce: z.string(),
    }),
  }),
);
export type Evidence = z.output<typeof evidenceSchema>;

/** A passkey's answer to `Keys.approvalOptions`, as evidence. @param statement as the options have it */
export function webauthnEvidence(
  { id, response }: AuthenticationResponseJSON,
  statement: ApprovalStatement,
): Evidence {
  return {
    method: 'webauthn',
    credential_id: id,
    authenticator_data: response.authenticatorData,
    client_data_json: response.clientDataJSON,
    signature: response.signature,
    statement: { ...statement, worst_case: statement.worst_case && { ...statement.worst_case } },
  };
}

/** base64url(SHA-256 of its RFC 8785 form): by which the same evidence is known again. */
export function evidenceDigest(evidence: Evidence): string {
  return createHash('sha256')
    .update(canonicalize(evidence) ?? '')
    .digest('base64url');
}
