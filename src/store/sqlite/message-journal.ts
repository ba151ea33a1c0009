import type Database from 'better-sqlite3-multiple-ciphers';
import type { SentMessage } from '../../trading/message.ts';
import type { Problem } from '../../trading/views.ts';
import type {
  MessageClaim,
  MessageEntry,
  MessageJournal,
  MessageMove,
  MessageResult,
  MessageState,
} from '../message-journal.ts';
import { approvalUse } from './used-approvals.ts';

/** @param database the gateway's, of its latest version */
export function sqliteMessageJournal(database: Database.Database): MessageJournal {
  const select = database.prepare<[string, string], Row>(
    'SELECT * FROM gateway_messages WHERE sub = ? AND client_message_id = ?',
  );
  const find = (sub: string, id: string): MessageEntry | undefined => {
    const row = select.get(sub, id);
    return row === undefined ? undefined : entryOf(row);
  };
  const existing = (sub: string, id: string): MessageEntry => {
    const entry = find(sub, id);
    if (entry === undefined) throw new Error('the message journal has lost an entry');
    return entry;
  };
  const spend = approvalUse(database);
  const insert = database.prepare(`
    INSERT INTO gateway_messages (client_message_id, digest, sub, draft, state, epoch, created_at, updated_at)
    VALUES (@id, @digest, @sub, @draft, 'intent', 1, @now, @now)`);
  const claim = database.transaction(({ approval, sub, id, digest, draft }: MessageClaim, now: number) => {
    const known = find(sub, id);
    if (known !== undefined) return { outcome: 'known', entry: known } as const;
    if (!spend(approval, { kind: 'message', sub, subjectId: id }, now))
      return { outcome: 'approval_used' } as const;
    insert.run({ sub, id, digest, draft: JSON.stringify(draft), now });
    return { outcome: 'claimed', entry: existing(sub, id) } as const;
  });
  const update = database.prepare(`
    UPDATE gateway_messages SET state = @to, result = @result, epoch = epoch + 1, updated_at = @now
    WHERE sub = @sub AND client_message_id = @id AND state = @from AND epoch = @epoch`);
  const move = database.transaction(
    (
      { sub, id, epoch }: MessageEntry,
      from: MessageState,
      to: MessageState,
      result: unknown,
      now: number,
    ): MessageMove => {
      const text = result === undefined ? null : JSON.stringify(result);
      const { changes } = update.run({ sub, id, epoch, from, to, result: text, now });
      return { outcome: changes === 1 ? 'moved' : 'stale', entry: existing(sub, id) };
    },
  );

  return {
    find: async (sub, id) => find(sub, id),
    claim: async (entry, now) => claim.immediate(entry, now),
    reclaim: async (seen, now) => move.immediate(seen, 'ready', 'intent', undefined, now),
    finish: async (seen, result, now) => move.immediate(seen, 'intent', result.state, kept(result), now),
  };
}

function kept(result: MessageResult): SentMessage | Problem | undefined {
  if (result.state === 'sent') return result.message;
  return result.state === 'refused' ? result.problem : undefined;
}

interface Row {
  readonly client_message_id: string;
  readonly digest: string;
  readonly sub: string;
  readonly state: MessageState;
  readonly epoch: number;
  readonly result: string | null;
}

function entryOf(row: Row): MessageEntry {
  const result: unknown = row.result === null ? undefined : JSON.parse(row.result);
  return {
    id: row.client_message_id,
    digest: row.digest,
    sub: row.sub,
    state: row.state,
    epoch: row.epoch,
    message: row.state === 'sent' ? (result as SentMessage) : undefined,
    problem: row.state === 'refused' ? (result as Problem) : undefined,
  };
}
