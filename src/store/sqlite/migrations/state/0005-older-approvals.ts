import type Database from 'better-sqlite3-multiple-ciphers';

interface OlderApproval {
  id: string;
  thread: string;
  prompt: number;
  tool_call_id: string;
  attempt: number;
  status: string;
  kind: 'order' | 'message';
  draft: string;
  code: string;
  expires_at: number;
  placed: string | null;
  reason_code: string | null;
  reason: string | null;
  created_at: number;
  updated_at: number;
}

/**
 * Up to version 4 the agent asked and carried out by itself, from rows with sealed tokens. What is left of them is what
 * there is to tell: nobody here can carry one out any more, so that those left open have ended.
 */
export function turnOlderApprovals(database: Database.Database): void {
  const insert = database.prepare(
    `INSERT INTO thread_proposals (proposal, thread, prompt, tool_call_id, attempt, last_seen)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const approvals = database
    .prepare<[], OlderApproval>('SELECT * FROM approvals ORDER BY created_at, rowid')
    .all();
  for (const approval of approvals) {
    const { id, thread, prompt, tool_call_id, attempt } = approval;
    insert.run(id, thread, prompt, tool_call_id, attempt, JSON.stringify(asProposal(approval)));
  }
}

function asProposal(approval: OlderApproval) {
  const { id, kind, code, draft, placed } = approval;
  return {
    id,
    kind,
    ...ending(approval),
    code,
    subject: JSON.parse(draft) as unknown,
    ...(placed === null ? {} : { result: JSON.parse(placed) as unknown }),
    worst_case: null,
    warnings: [],
    created_at: new Date(approval.created_at).toISOString(),
    expires_at: new Date(approval.expires_at).toISOString().replace(/\.\d{3}Z$/, 'Z'),
    updated_at: new Date(approval.updated_at).toISOString(),
    requested_by: null,
    client: 'trade-agent',
    approval: { method: 'ciba' },
  };
}

function ending({ status, kind, reason_code, reason }: OlderApproval) {
  switch (status) {
    case 'drafted':
    case 'requested':
    case 'approved':
      // It was on its way only from the moment that its row said "executing".
      return {
        state: 'cancelled',
        reason: {
          code: 'approval_cancelled',
          text: `asked by an older version; nothing was ${kind === 'message' ? 'sent' : 'traded'}`,
        },
      };
    case 'executing':
    case 'unknown':
      return {
        state: 'blocked',
        reason: {
          code: 'outcome_unknown',
          text:
            kind === 'message'
              ? 'sent by an older version, which never learnt what became of it; look there before you send it again'
              : 'sent by an older version, which never learnt what became of it; look at your orders before you order again',
        },
      };
    default:
      return {
        state: status,
        ...(reason === null ? {} : { reason: { code: reason_code ?? status, text: reason } }),
      };
  }
}
