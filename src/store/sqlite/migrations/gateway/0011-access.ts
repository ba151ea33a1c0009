/**
 * Who stands how to whose account. A proposal may be somebody else's than the account's owner, and may need a second
 * person's yes: `sealed_token` stays the owner's, and `owner_auth_req_id` is set once that is there.
 */
export const sql = `
  CREATE TABLE access_grants (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('co_owner', 'advisor', 'viewer', 'firm', 'household', 'member')),
    who TEXT NOT NULL,
    via TEXT,
    valid_from INTEGER NOT NULL,
    valid_until INTEGER,
    granted_at INTEGER NOT NULL,
    revoked_at INTEGER
  ) STRICT;
  CREATE INDEX access_to_account ON access_grants (account) WHERE revoked_at IS NULL;
  CREATE INDEX access_of_person ON access_grants (who) WHERE revoked_at IS NULL;
  ALTER TABLE proposals ADD COLUMN proposed_by TEXT;
  ALTER TABLE proposals ADD COLUMN second TEXT;
  ALTER TABLE proposals ADD COLUMN owner_auth_req_id TEXT;
  ALTER TABLE proposals ADD COLUMN second_token BLOB;
  CREATE INDEX proposals_for_others ON proposals (proposed_by, created_at) WHERE proposed_by IS NOT NULL;
  CREATE INDEX proposals_for_others_changed ON proposals (proposed_by, version) WHERE proposed_by IS NOT NULL;
`;
