import type { MessageEntry, MessageJournal, MessageMove, MessageState } from '../message-journal.ts';
import { entryOf, keptOf, type MessageRow } from '../rows/message-row.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';
import { spendApproval } from './used-approvals.ts';

export function postgresMessageJournal(database: TenantDatabase): MessageJournal {
  const move = (
    { sub, id, epoch }: MessageEntry,
    from: MessageState,
    to: MessageState,
    result: string | null,
    now: number,
  ): Promise<MessageMove> =>
    database.write(async (unit) => {
      const changed = await unit.run(
        `UPDATE gateway_messages SET state = @to, result = @result, epoch = epoch + 1, updated_at = @now
         WHERE sub = @sub AND client_message_id = @id AND state = @from AND epoch = @epoch`,
        { sub, id, epoch, from, to, result, now },
      );
      return { outcome: changed === 1 ? 'moved' : 'stale', entry: await existing(unit, sub, id) };
    });
  return {
    find: (sub, id) => database.read((unit) => find(unit, sub, id)),
    claim: ({ approval, sub, id, digest, draft }, now) =>
      database.write(async (unit) => {
        // Until the end one unit of work at a time has this id: of two the second finds what the first wrote.
        const key = JSON.stringify(['message', database.tenant, sub, id]);
        await unit.all('SELECT pg_advisory_xact_lock(hashtextextended(@key, 0))', { key });
        const known = await find(unit, sub, id);
        if (known !== undefined) return { outcome: 'known', entry: known } as const;
        if (!(await spendApproval(unit, approval, { kind: 'message', sub, subjectId: id }, now)))
          return { outcome: 'approval_used' } as const;
        await unit.run(
          `INSERT INTO gateway_messages (client_message_id, digest, sub, draft, state, epoch, created_at, updated_at)
           VALUES (@id, @digest, @sub, @draft, 'intent', 1, @now, @now)`,
          { sub, id, digest, draft: JSON.stringify(draft), now },
        );
        return { outcome: 'claimed', entry: await existing(unit, sub, id) } as const;
      }),
    reclaim: (seen, now) => move(seen, 'ready', 'intent', null, now),
    finish: (seen, result, now) => move(seen, 'intent', result.state, keptOf(result), now),
  };
}

async function find(unit: Unit, sub: string, id: string): Promise<MessageEntry | undefined> {
  const row = await unit.one<MessageRow>(
    'SELECT * FROM gateway_messages WHERE sub = @sub AND client_message_id = @id',
    { sub, id },
  );
  return row && entryOf(row);
}

async function existing(unit: Unit, sub: string, id: string): Promise<MessageEntry> {
  const entry = await find(unit, sub, id);
  if (entry === undefined) throw new Error('the message journal has lost an entry');
  return entry;
}
