/** The gateway answers a repeated order with the proposal that is already open, so two threads may share one. */
export const sql = `
  CREATE TABLE shared_proposals (
    proposal TEXT NOT NULL,
    thread TEXT NOT NULL REFERENCES threads (id),
    prompt INTEGER NOT NULL,
    tool_call_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    last_seen TEXT NOT NULL,
    PRIMARY KEY (proposal, thread)
  ) STRICT;
  INSERT INTO shared_proposals (proposal, thread, prompt, tool_call_id, attempt, last_seen)
    SELECT proposal, thread, prompt, tool_call_id, attempt, last_seen FROM thread_proposals ORDER BY rowid;
  DROP TABLE thread_proposals;
  ALTER TABLE shared_proposals RENAME TO thread_proposals;
  CREATE INDEX thread_proposals_by_thread ON thread_proposals (thread, prompt);
`;
