import type Database from 'better-sqlite3-multiple-ciphers';
import type {
  MessageClaim,
  MessageEntry,
  MessageJournal,
  MessageMove,
  MessageState,
} from '../message-journal.ts';
import { entryOf, keptOf, type MessageRow } from '../rows/message-row.ts';
import { approvalUse } from './used-approvals.ts';

/** @param database the gateway's, of its latest version */
export function sqliteMessageJournal(database: Database.Database): MessageJournal {
  const select = database.prepare<[string, string], MessageRow>(
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
      result: string | null,
      now: number,
    ): MessageMove => {
      const { changes } = update.run({ sub, id, epoch, from, to, result, now });
      return { outcome: changes === 1 ? 'moved' : 'stale', entry: existing(sub, id) };
    },
  );

  return {
    find: async (sub, id) => find(sub, id),
    claim: async (entry, now) => claim.immediate(entry, now),
    reclaim: async (seen, now) => move.immediate(seen, 'ready', 'intent', null, now),
    finish: async (seen, result, now) => move.immediate(seen, 'intent', result.state, keptOf(result), now),
  };
}
