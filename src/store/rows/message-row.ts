import type { SentMessage } from '../../trading/message.ts';
import type { Problem } from '../../trading/views.ts';
import type { MessageEntry, MessageResult, MessageState } from '../message-journal.ts';

/** What is written with a result. */
export function keptOf(result: MessageResult): string | null {
  if (result.state === 'sent') return JSON.stringify(result.message);
  return result.state === 'refused' ? JSON.stringify(result.problem) : null;
}

/** A row of `gateway_messages`. */
export interface MessageRow {
  readonly client_message_id: string;
  readonly digest: string;
  readonly sub: string;
  readonly state: MessageState;
  readonly epoch: number;
  readonly result: string | null;
}

export function entryOf(row: MessageRow): MessageEntry {
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
