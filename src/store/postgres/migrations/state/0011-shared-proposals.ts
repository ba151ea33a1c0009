import type { Migration } from '../../schema.ts';

/** The gateway answers a repeated order with the proposal that is already open, so two threads may share one. */
export const sharedProposals = (): Migration => `
  ALTER TABLE thread_proposals DROP CONSTRAINT thread_proposals_pkey;
  ALTER TABLE thread_proposals ADD PRIMARY KEY (tenant, person, proposal, thread);
`;
