import { createHash, randomBytes } from 'node:crypto';
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { approvalCode } from '../../trading/approval-details.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { WorstCase } from '../../trading/proposal.ts';
import { isProposalDetails } from '../details.ts';
import { GRANT_DETAILS_TYPE, parseGrantDetails } from './grant.ts';

/**
 * The statement that a person's key signs: this person approves this one proposal, at this gateway, once. `digest`
 * covers the subject, the worst case, the provenance of each field, and who proposed it.
 *
 * A signature of the statement proves that someone who unlocked the key approved these bytes. It does not prove what a
 * screen showed: whoever controls the page can show one order and have another signed. However, the gateway executes
 * only the proposal that has the signed digest, code and worst case.
 */
export interface ApprovalStatement {
  readonly v: 1;
  /** `trade-agent.grant`: the person does not approve a proposal, but gives access to a device, an app or a code. */
  readonly purpose: 'trade-agent.approval' | 'trade-agent.grant';
  /** The gateway's resource identifier. */
  readonly gateway: string;
  /** The proposal's id; for a grant or a request that a client makes directly, the `identifier` of its details. */
  readonly proposal: string;
  readonly digest: string;
  /** The person who approves. */
  readonly sub: string;
  /** The code that both the terminal and the phone show. */
  readonly code: string;
  readonly worst_case: WorstCase | null;
  readonly decision: 'approve';
  /** A random value that the gateway chooses for each draft. For a grant or a client's direct request: the digest. */
  readonly nonce: string;
}

const askedDetailsSchema = z.lazy(() =>
  z.object({
    locations: z.array(z.string()).length(1),
    identifier: z.string(),
    digest: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
    code: z.string().optional(),
  }),
);

const proposedDetailsSchema = z.lazy(() =>
  askedDetailsSchema.unwrap().extend({
    proposal: z.string(),
    code: z.string(),
    worst_case: z.unknown(),
    nonce: z.string().optional(),
  }),
);

/** Returns 22 random base64url characters. */
export function generateNonce(): string {
  return randomBytes(16).toString('base64url');
}

/**
 * Returns the statement that approves the details of a proposal, of an order or message that a client requests directly
 * (trading/approval-details.ts, trading/message-details.ts), or of a grant (grant.ts).
 * @param sub the person who approves
 * @throws {HttpProblem} 403 `signature_nonce` for a proposal that has no nonce because it predates signed approvals,
 *   `signature_code` for a direct request whose details have no code
 * @throws {ZodError} for details of any other form
 * @throws {TypeError} for a malformed grant
 */
export function approvalStatement(details: Readonly<Record<string, unknown>>, sub: string): ApprovalStatement {
  const fixed = { v: 1, purpose: 'trade-agent.approval', decision: 'approve', sub } as const;
  if (details.type === GRANT_DETAILS_TYPE) {
    const { locations, identifier, digest } = parseGrantDetails(details);
    const [gateway] = locations;
    const code = approvalCode(digest);
    const granted = { purpose: 'trade-agent.grant', proposal: identifier, worst_case: null, nonce: digest } as const;
    return { ...fixed, ...granted, gateway, digest, code };
  }
  if (!isProposalDetails(details)) {
    const { locations, identifier, digest, code } = askedDetailsSchema.parse(details);
    const [gateway = ''] = locations;
    if (code === undefined) {
      throw new HttpProblem(403, 'signature_code', 'the approved details have no code', {
        hint: 'Request approval from this home’s own identity provider.',
        fields: ['code'],
      });
    }
    return { ...fixed, gateway, proposal: identifier, digest, code, worst_case: null, nonce: digest };
  }
  const { locations, proposal, digest, code, worst_case, nonce } = proposedDetailsSchema.parse(details);
  const [gateway = ''] = locations;
  if (nonce === undefined) {
    throw new HttpProblem(403, 'signature_nonce', 'the proposal predates signed approvals', {
      hint: 'Create the proposal again.',
    });
  }
  return { ...fixed, gateway, proposal, digest, code, worst_case: worst_case as WorstCase | null, nonce };
}

/** Returns the bytes to sign: SHA-256 of the statement's RFC 8785 form. */
export function statementChallenge(statement: ApprovalStatement): Buffer {
  return createHash('sha256')
    .update(canonicalize(statement) ?? '')
    .digest();
}

/** Base64url without padding (RFC 4648 §5), as in WebAuthn's JSON. */
const base64urlText = (longest: number) =>
  z
    .string()
    .max(longest)
    .regex(/^[A-Za-z0-9_-]+$/);

/**
 * The proof that a person's own key signed an approval: the claim `approval_evidence` of the approval's token.
 * `statement` is a copy of the signed statement for people who read the evidence later. A verifier derives the
 * statement from its own request and compares the two.
 *
 * This schema checks only the shape; `verify-evidence.ts` verifies the content.
 */
export const evidenceSchema = z.lazy(() =>
  z.strictObject({
    /**
     * `webauthn`: a passkey or security key. `software`: a software key of the terminal phone, without an
     * authenticator.
     */
    method: z.string().max(32),
    credential_id: base64urlText(1400),
    /** WebAuthn §6.1. */
    authenticator_data: base64urlText(4096),
    /** WebAuthn §5.8.1. */
    client_data_json: base64urlText(4096),
    signature: base64urlText(2048),
    statement: z.strictObject({
      v: z.number(),
      purpose: z.string(),
      gateway: z.string(),
      proposal: z.string(),
      digest: z.string(),
      sub: z.string(),
      code: z.string(),
      worst_case: z.record(z.string(), z.unknown()).nullable(),
      decision: z.string(),
      nonce: z.string(),
    }),
  }),
);
export type Evidence = z.output<typeof evidenceSchema>;

/** Converts a passkey's assertion to evidence. @param statement from `ApprovalKeys.approvalOptions` */
export function toWebauthnEvidence(
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

/** Returns base64url(SHA-256 of the evidence's RFC 8785 form), which identifies the evidence. */
export function evidenceDigest(evidence: Evidence): string {
  return createHash('sha256')
    .update(canonicalize(evidence) ?? '')
    .digest('base64url');
}
