import type { SentMessage } from '../../trading/message.ts';
import type { Problem } from '../../trading/views.ts';
import type {
  MessageChangeResult,
  MessageJournal,
  MessageJournalEntry,
  MessageLimit,
  MessageResult,
  MessageState,
} from '../message-journal.ts';
import { lock, one, run, type SqlTransactions, type TransactionWork } from './sql-database.ts';
import { consumeApproval } from './used-approvals.ts';

export function createMessageJournal(database: SqlTransactions): MessageJournal {
  return {
    find: (sub, id) => database.read(() => find(sub, id)),
    countSince: (sub, since) => database.read(() => countSince(sub, since)),
    claim: ({ approval, sub, id, digest, draft }, limit, now) =>
      database.write(function* () {
        yield* lockMessages(sub);
        const known = yield* find(sub, id);
        if (known !== undefined) return { outcome: 'known', entry: known } as const;
        if (yield* isLimitReached(sub, limit)) return { outcome: 'over_limit' } as const;
        if (!(yield* consumeApproval(approval, { kind: 'message', sub, subjectId: id }, now)))
          return { outcome: 'approval_used' } as const;
        yield* run(
          `INSERT INTO gateway_messages (client_message_id, digest, sub, draft, state, epoch, created_at, updated_at)
           VALUES (@id, @digest, @sub, @draft, 'intent', 1, @now, @now)`,
          { sub, id, digest, draft: JSON.stringify(draft), now },
        );
        return { outcome: 'claimed', entry: yield* requireEntry(sub, id) } as const;
      }),
    reclaim: (seen, limit, now) =>
      database.write(function* () {
        yield* lockMessages(seen.sub);
        const entry = yield* requireEntry(seen.sub, seen.id);
        if (entry.epoch !== seen.epoch) return { outcome: 'stale', entry } as const;
        if (yield* isLimitReached(seen.sub, limit)) return { outcome: 'over_limit' } as const;
        return yield* move(seen, { from: 'ready', to: 'intent', result: null, now });
      }),
    finish: (seen, result, now) =>
      database.write(() => move(seen, { from: 'intent', to: result.state, result: storedResult(result), now })),
  };
}

/** Locks the person's messages until the end of the transaction, so that concurrent claims count each other. */
function lockMessages(sub: string): TransactionWork<void> {
  return lock('messages', sub);
}

function* move(
  { sub, id, epoch }: MessageJournalEntry,
  change: {
    readonly from: MessageState;
    readonly to: MessageState;
    readonly result: string | null;
    readonly now: number;
  },
): TransactionWork<MessageChangeResult> {
  const changed = yield* run(
    `UPDATE gateway_messages SET state = @to, result = @result, epoch = epoch + 1, updated_at = @now
     WHERE sub = @sub AND client_message_id = @id AND state = @from AND epoch = @epoch`,
    { sub, id, epoch, ...change },
  );
  return { outcome: changed === 1 ? 'moved' : 'stale', entry: yield* requireEntry(sub, id) };
}

function* isLimitReached(sub: string, { since, max }: MessageLimit): TransactionWork<boolean> {
  return (yield* countSince(sub, since)) >= max;
}

/** Counts messages by their latest change, so that a message that is sent again the next day counts for that day. */
function* countSince(sub: string, since: number): TransactionWork<number> {
  const row = yield* one<{ readonly count: number }>(
    `SELECT count(*) AS count FROM gateway_messages
     WHERE sub = @sub AND state IN ('intent', 'sent', 'unknown') AND updated_at >= @since`,
    { sub, since },
  );
  return Number(row?.count ?? 0);
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
