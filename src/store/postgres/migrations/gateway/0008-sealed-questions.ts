import { TOLD } from '../../../rows/proposal-states.ts';

/**
 * The ids of questions, sealed. Gateways of an older version run on beside it, so the columns in clear stay: what is in them is
 * sealed by who has the key (`seal-questions.ts`).
 */
export const sql = `
  ALTER TABLE proposals
    ADD COLUMN auth_req_hash text,
    ADD COLUMN sealed_auth_req_id bytea,
    ADD COLUMN sealed_owner_auth_req_id bytea;
  CREATE UNIQUE INDEX proposals_asked_by ON proposals (tenant, auth_req_hash) WHERE auth_req_hash IS NOT NULL;
  CREATE INDEX proposals_untold_sealed ON proposals (tenant, version)
    WHERE auth_req_hash IS NOT NULL AND told < version AND state IN (${TOLD});
`;
