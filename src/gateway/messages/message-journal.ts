import type Database from 'better-sqlite3-multiple-ciphers';
import type { MessageDraft, SentMessage } from '../../trading/message.ts';
import type { Problem } from '../../trading/views.ts';

/**
 * Where a message is, as far as we can prove:
 *
 *     ready ⇄ intent ──▶ sent | refused | unknown
 *
 * `intent` is written before the service hears of it; found later, it means that the process died, and that the message
 * may have been sent. `ready` again: the service certainly did not take it. The other three are final: `unknown` too,
 * since no service can be asked what became of a message, and none is sent a second time to find out.
 */
export type MessageState = 'ready' | 'intent' | 'sent' | 'refused' | 'unknown';

/** Whose message, and its id, which is unique among that user's alone: nobody can take another's. */
export interface MessageKey {
  readonly sub: string;
  readonly id: string;
}

export interface MessageEntry extends MessageKey {
  readonly digest: string;
  readonly state: MessageState;
  /** For `sent`. */
  readonly message: SentMessage | undefined;
  /** For `refused`. */
  readonly problem: Problem | undefined;
}

export interface MessageClaim extends MessageKey {
  readonly digest: string;
  /** The approval token's id: usable once. */
  readonly jti: string;
  readonly draft: MessageDraft;
}

/** The record that makes one approval one message at most. */
export interface MessageJournal {
  find(sub: string, id: string): MessageEntry | undefined;
  /**
   * Uses the approval and writes the intent, in one transaction that is on disk when this returns. `known`: there is an
   * entry already, and nothing was used.
   */
  claim(claim: MessageClaim, now: number): 'claimed' | 'known' | 'approval_used';
  /** Takes the right to send a message that is `ready` again. False where anybody else did. */
  reclaim(key: MessageKey, now: number): boolean;
  release(key: MessageKey, now: number): void;
  finish(
    key: MessageKey,
    result:
      | { readonly state: 'sent'; readonly message: SentMessage }
      | { readonly state: 'refused'; readonly problem: Problem }
      | { readonly state: 'unknown' },
    now: number,
  ): void;
}

/** @param database whose tables {@link createOrderJournal} has made */
export function createMessageJournal(database: Database.Database): MessageJournal {
  const select = database.prepare<[string, string], Row>(
    'SELECT * FROM gateway_messages WHERE sub = ? AND client_message_id = ?',
  );
  const used = database.prepare<[string, string]>(
    'SELECT 1 FROM gateway_messages WHERE jti = ? UNION ALL SELECT 1 FROM gateway_orders WHERE jti = ?',
  );
  const insert = database.prepare(`
    INSERT INTO gateway_messages (client_message_id, digest, sub, jti, draft, state, created_at, updated_at)
    VALUES (@id, @digest, @sub, @jti, @draft, 'intent', @now, @now)`);
  const claim = database.transaction((entry: MessageClaim, now: number) => {
    if (select.get(entry.sub, entry.id) !== undefined) return 'known' as const;
    if (used.get(entry.jti, entry.jti) !== undefined) return 'approval_used' as const;
    insert.run({ ...entry, draft: JSON.stringify(entry.draft), now });
    return 'claimed' as const;
  });
  const move = database.prepare(`
    UPDATE gateway_messages SET state = @to, result = @result, updated_at = @now
    WHERE sub = @sub AND client_message_id = @id AND state = @from`);

  return {
    find(sub, id) {
      const row = select.get(sub, id);
      if (row === undefined) return undefined;
      const result: unknown = row.result === null ? undefined : JSON.parse(row.result);
      return {
        id: row.client_message_id,
        digest: row.digest,
        sub: row.sub,
        state: row.state,
        message: row.state === 'sent' ? (result as SentMessage) : undefined,
        problem: row.state === 'refused' ? (result as Problem) : undefined,
      };
    },
    claim: (entry, now) => claim.immediate(entry, now),
    reclaim: ({ sub, id }, now) =>
      move.run({ sub, id, from: 'ready', to: 'intent', result: null, now }).changes === 1,
    release: ({ sub, id }, now) => void move.run({ sub, id, from: 'intent', to: 'ready', result: null, now }),
    finish({ sub, id }, result, now) {
      const kept =
        result.state === 'sent' ? result.message : result.state === 'refused' ? result.problem : undefined;
      const text = kept === undefined ? null : JSON.stringify(kept);
      move.run({ sub, id, from: 'intent', to: result.state, result: text, now });
    },
  };
}

interface Row {
  readonly client_message_id: string;
  readonly digest: string;
  readonly sub: string;
  readonly state: MessageState;
  readonly result: string | null;
}
