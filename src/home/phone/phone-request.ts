import { z } from 'zod';
import { proposalKinds, provenanceSchema, worstCaseSchema } from '../../trading/proposal.ts';

/** A request as displayed by the sandbox's simulated phone. Times are UTC, RFC 3339. */
export const phoneRequestSchema = z.lazy(() =>
  z.object({
    id: z.string(),
    user: z.string(),
    client_name: z.string(),
    /** A note about a client that the person allowed: whether the client is new or unverified, and its claimed host. */
    client_note: z.string().nullable(),
    /** Empty until the decision if the person must type the code. */
    code: z.string(),
    binding_message: z.string().nullable(),
    details: z.record(z.string(), z.unknown()),
    requested_at: z.string(),
    expires_at: z.string(),
    status: z.enum(['pending', 'approved', 'denied', 'expired', 'withdrawn']),
    /** The fields below come from the proposal. They are null or empty if a client sent the request directly. */
    kind: z.enum(proposalKinds).nullable(),
    worst_case: worstCaseSchema.nullable(),
    warnings: z.array(z.string()),
    shows: z.record(z.string(), z.string()),
    requested_by: z.string().nullable(),
    /** The OAuth client that sent the proposal to the gateway. */
    client: z.string().nullable(),
    provenance: provenanceSchema.nullable(),
    outcome: z
      .object({
        state: z.enum(['executing', 'executed', 'cancelled', 'expired', 'blocked', 'unknown']),
        text: z.string(),
        at: z.string(),
      })
      .nullable(),
  }),
);
export type PhoneRequest = z.output<typeof phoneRequestSchema>;
