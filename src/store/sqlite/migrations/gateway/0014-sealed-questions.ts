import { TOLD } from '../../../rows/proposal-states.ts';

/** The ids of questions, sealed. What rows have in clear is sealed by who has the key (`seal-questions.ts`). */
export const sql = `
  ALTER TABLE proposals ADD COLUMN auth_req_hash TEXT;
  ALTER TABLE proposals ADD COLUMN sealed_auth_req_id BLOB;
  ALTER TABLE proposals ADD COLUMN sealed_owner_auth_req_id BLOB;
  CREATE UNIQUE INDEX proposals_asked_by ON proposals (auth_req_hash) WHERE auth_req_hash IS NOT NULL;
  CREATE INDEX proposals_untold_sealed ON proposals (version)
    WHERE auth_req_hash IS NOT NULL AND told < version AND state IN (${TOLD});
`;
