import { z } from 'zod';

/** What names a proposal, and its task. */
export const proposalIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be the proposal_id of an earlier answer')
  .describe('The proposal_id of an earlier answer');
