import { z } from 'zod';
import { grantTermsSchema } from './grant-terms.ts';
import { proposalKinds } from './kinds/kinds.ts';
import { orderDraftSchema } from './order.ts';
import { codeEntrySchema, proposalStates, provenanceSchema, rulesDigestSchema, worstCaseSchema } from './proposal.ts';
import { orderSchema } from './views.ts';

/** Path of the gateway's receipt keys: a JWK Set (RFC 7517) that verifiers can pin. */
export const RECEIPT_KEYS_PATH = '/.well-known/trade-agent-receipt-keys.json';

/** Canonical base64url without padding (RFC 4648 §5): unused bits of the last character must be zero. */
const base64Url = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/)
  .refine((text) => Buffer.from(text, 'base64url').toString('base64url') === text);
const base64Hash = z
  .string()
  .regex(/^[A-Za-z0-9+/]{43}=$/)
  .refine((text) => Buffer.from(text, 'base64').toString('base64') === text);
/** A time as `Date.toISOString` writes it, in UTC to the millisecond. */
const time = z.lazy(() => z.iso.datetime({ precision: 3 }));
const digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const jsonRecord = z.record(z.string(), z.unknown());

const approvedSchema = z.lazy(() =>
  z.strictObject({
    id: z.string(),
    kind: z.enum(proposalKinds),
    sub: z.string(),
    client: z.string(),
    proposed_by: z.string().optional(),
    code_entry: codeEntrySchema.optional(),
    /** Digest of the rules under which the order was approved. A mandate's subject contains this digest. */
    policy: rulesDigestSchema.optional(),
    requested_by: z.string().nullable(),
    code: z.string(),
    nonce: z.string().nullable(),
    digest,
    subject: jsonRecord,
    worst_case: worstCaseSchema.nullable(),
    provenance: provenanceSchema.nullable(),
    created_at: time,
  }),
);

const signedSchema = z.lazy(() =>
  z.strictObject({
    sub: z.string(),
    evidence: z.strictObject({
      method: z.enum(['webauthn', 'software']),
      credential_id: base64Url,
      authenticator_data: base64Url,
      client_data_json: base64Url,
      signature: base64Url,
      statement: jsonRecord,
    }),
    /** Origin of the page on which the approval was signed. `rp_id` is the WebAuthn RP ID that the keys belong to. */
    origin: z.string(),
    rp_id: z.string(),
    key: z.strictObject({
      credential_id: base64Url,
      /** COSE_Key (RFC 9052 §7). */
      public_key: base64Url,
      /** COSE algorithm: -7 (ES256), -8 (EdDSA) or -257 (RS256). */
      algorithm: z.int(),
      method: z.enum(['webauthn', 'software']),
      device_type: z.enum(['singleDevice', 'multiDevice']),
      name: z.string(),
      enrolled_at: time,
    }),
  }),
);

const sentSchema = z.lazy(() =>
  z.strictObject({
    client_order_id: z.string(),
    order: orderDraftSchema,
    state: z.enum(['intent', 'placed', 'rejected', 'unknown']),
    /** Number of attempts to send the order. */
    submissions: z.int().min(1),
    submitted_at: time.nullable(),
    answered: orderSchema.nullable(),
    problem: jsonRecord.nullable(),
  }),
);

const provenLinesSchema = z.lazy(() =>
  z.array(
    z.strictObject({
      leaf: z.int().min(0),
      line: z.string(),
      /** Hashes of 32 bytes, in base64. */
      proof: z.array(base64Hash),
    }),
  ),
);
const detachedSchema = z.strictObject({ protected: base64Url, signature: base64Url });

/** Schema of a receipt (docs/guide/RECEIPTS.md). A receipt file contains the RFC 8785 form, followed by a line feed. */
export const receiptSchema = z.lazy(() =>
  z.strictObject({
    type: z.literal('trade-agent.receipt'),
    v: z.literal(1),
    gateway: z.string(),
    issued_at: time,
    state: z.enum(proposalStates),
    proposal: approvedSchema,
    /**
     * The signatures of the owner and, if required, the second approver. Empty under a mandate or if approvals are not
     * signed.
     */
    approvals: z.array(signedSchema).max(2),
    mandate: z
      .strictObject({
        id: z.string(),
        proposal: approvedSchema,
        approvals: z.array(signedSchema).max(2),
      })
      .nullable(),
    /** The policy decision that allowed the order. Null if it is no longer stored. */
    decision: z
      .strictObject({
        at: time,
        effect: z.enum(['allow', 'deny']),
        policy: z.string(),
        reasons: z.array(z.string()),
      })
      .nullable(),
    orders: z.array(sentSchema).min(1),
    /** The audit log's lines about the proposal, each with its inclusion proof (RFC 6962 §2.1.1) to the checkpoint. */
    record: provenLinesSchema,
    /** A signed checkpoint of the audit log (C2SP tlog-checkpoint). */
    checkpoint: z.string(),
    /** JWS with detached payload (RFC 7515 appendix F), over the RFC 8785 form of all other members. */
    signature: detachedSchema,
  }),
);
export type Receipt = z.output<typeof receiptSchema>;
export type UnsignedReceipt = Omit<Receipt, 'signature'>;

/** The receipt of a signed grant, which proves whose key gave a device, an agent or an app access. */
export const grantReceiptSchema = z.lazy(() =>
  z.strictObject({
    type: z.literal('trade-agent.grant-receipt'),
    v: z.literal(1),
    gateway: z.string(),
    issued_at: time,
    grant: z.strictObject({ id: z.string(), digest, terms: grantTermsSchema }),
    approval: signedSchema,
    /** The audit log's lines about the key's enrollment and the signature, each with its inclusion proof. */
    record: provenLinesSchema,
    checkpoint: z.string(),
    signature: detachedSchema,
  }),
);
export type GrantReceipt = z.output<typeof grantReceiptSchema>;
export type SignedApproval = Receipt['approvals'][number];
export type ApprovedProposal = Receipt['proposal'];

export const receiptEntrySchema = z.lazy(() =>
  z.object({
    id: z.string(),
    kind: z.enum([...proposalKinds, 'grant']),
    state: z.string(),
    summary: z.string(),
    by: z.enum(['signature', 'mandate', 'token']),
    at: z.iso.datetime(),
  }),
);
export type ReceiptEntry = z.output<typeof receiptEntrySchema>;
