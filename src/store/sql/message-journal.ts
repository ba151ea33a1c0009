import type { SentMessage } from '../../trading/message.ts';
import type { Problem } from '../../trading/views.ts';
import type {
  MessageChangeResult,
  MessageJournal,
  MessageJournalEntry,
  MessageResult,
  MessageState,
} from '../message-journal.ts';
import { lock, one, run, type SqlTransactions, type TransactionWork } from './sql-database.ts';
import { consumeApproval } from './used-approvals.ts';

export function createMessageJournal(database: SqlTransactions): MessageJournal {
  const move = (
    { sub, id, epoch }: MessageJournalEntry,
    from: MessageState,
    to: MessageState,
    result: string | null,
    now: number,
  ): Promise<MessageChangeResult> =>
    database.write(function* () {
      const changed = yield* run(
        `UPDATE gateway_messages SET state = @to, result = @result, epoch = epoch + 1, updated_at = @now
         WHERE sub = @sub AND client_message_id = @id AND state = @from AND epoch = @epoch`,
        { sub, id, epoch, from, to, result, now },
      );
      return { outcome: changed === 1 ? 'moved' : 'stale', entry: yield* requireEntry(sub, id) };
    });
  return {
    find: (sub, id) => database.read(() => find(sub, id)),
    claim: ({ approval, sub, id, digest, draft }, now) =>
      database.write(function* () {
        // Locks the message's ID until the end of the transaction, so that a concurrent claim finds this entry.
        yield* lock('message', sub, id);
        const known = yield* find(sub, id);
        if (known !== undefined) return { outcome: 'known', entry: known } as const;
        if (!(yield* consumeApproval(approval, { kind: 'message', sub, subjectId: id }, now)))
          return { outcome: 'approval_used' } as const;
        yield* run(
          `INSERT INTO gateway_messages (client_message_id, digest, sub, draft, state, epoch, created_at, updated_at)
           VALUES (@id, @digest, @sub, @draft, 'intent', 1, @now, @now)`,
          { sub, id, digest, draft: JSON.stringify(draft), now },
        );
        return { outcome: 'claimed', entry: yield* requireEntry(sub, id) } as const;
      }),
    reclaim: (seen, now) => move(seen, 'ready', 'intent', null, now),
    finish: (seen, result, now) => move(seen, 'intent', result.state, storedResult(result), now),
  };
}

function* find(sub: string, id: string): TransactionWork<MessageJournalEntry | undefined> {
  const row = yield* one<MessageRow>('SELECT * FROM gateway_messages WHERE sub = @sub AND client_message_id = @id', {
    sub,
    id,
  });
  return row && toEntry(row);
}

function* requireEntry(sub: string, id: string): TransactionWork<MessageJournalEntry> {
  const entry = yield* find(sub, id);
  if (entry === undefined) throw new Error('an entry of the message journal is missing');
  return entry;
}

function storedResult(result: MessageResult): string | null {
  if (result.state === 'sent') return JSON.stringify(result.message);
  return result.state === 'refused' ? JSON.stringify(result.problem) : null;
}

interface MessageRow {
  readonly client_message_id: string;
  readonly digest: string;
  readonly sub: string;
  readonly state: MessageState;
  readonly epoch: number;
  readonly result: string | null;
}

function toEntry(row: MessageRow): MessageJournalEntry {
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
