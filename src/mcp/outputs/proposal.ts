import { z } from 'zod';
import { sentMessageSchema } from '../../trading/message.ts';
import { codeEntrySchema, proposalKinds, worstCaseSchema } from '../../trading/proposal.ts';
import { orderSchema } from '../../trading/views.ts';

/** Proposal states as shown to models. A proposal that waits for the person is `pending_approval`. */
export const proposalStatuses = [
  'pending_approval',
  'executing',
  'executed',
  'denied',
  'expired',
  'cancelled',
  'blocked',
  'unknown',
] as const;

const listedProposalSchema = z.object({
  status: z.enum(proposalStatuses),
  proposal_id: z.string(),
  kind: z.enum(proposalKinds),
  code: z.string(),
  code_entry: codeEntrySchema.optional(),
  summary: z.string(),
  worst_case: worstCaseSchema.nullable(),
  warnings: z.array(z.string()),
  created_at: z.string(),
  expires_at: z.string(),
  reason: z
    .object({ code: z.string(), text: z.string(), members: z.record(z.string(), z.unknown()).optional() })
    .optional(),
  order: orderSchema.optional(),
  sent: sentMessageSchema.optional(),
});

/** The fields of a proposal in a tool's result. */
export const proposalOutput = listedProposalSchema.extend({ next: z.string().optional() });

export const proposalsOutput = z.object({
  state: z.enum(['open', 'all']),
  total: z.int(),
  total_is_minimum: z.literal(true).optional(),
  proposals: z.array(listedProposalSchema),
  next_cursor: z.string().nullable(),
});

/** A canceled order, or a proposal to cancel it. */
export const cancelOutput = proposalOutput.partial().extend({ status: z.enum([...proposalStatuses, 'ok']) });
