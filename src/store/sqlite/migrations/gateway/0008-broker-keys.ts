/** Key pairs of people's accounts at brokers, sealed. */
export const sql = `
  CREATE TABLE IF NOT EXISTS broker_keys (
    sub TEXT NOT NULL, connection TEXT NOT NULL, sealed BLOB NOT NULL, account_number TEXT NOT NULL,
    environment TEXT NOT NULL CHECK (environment IN ('paper', 'live')), kept_at INTEGER NOT NULL,
    PRIMARY KEY (sub, connection)
  ) STRICT;
`;
