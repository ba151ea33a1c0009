import { randomUUID } from 'node:crypto';
import type { JSONRPCMessage, JSONRPCResponse } from '@modelcontextprotocol/server';

/** At once, of one caller and of all: each holds a request open until it is answered. */
const [MOST_OF_ONE, MOST_OF_ALL] = [4, 200];

/**
 * What clients of the 2025 revisions are asked in the middle of a call, by the stream of its answer. They answer by a
 * request of its own: the two are brought together by who calls and by an id that nobody can guess, in this process alone.
 */
export interface ClientQuestions {
  /**
   * @param caller as it was verified
   * @param answered told at most once
   * @returns the id to ask under
   * @throws where too much is open
   */
  open(caller: string, answered: (answer: JSONRPCResponse) => void): string;
  close(id: string): void;
  /** Nothing happens to an answer that belongs to no question of this caller's. */
  answer(caller: string, answer: JSONRPCResponse): void;
}

export function createClientQuestions(): ClientQuestions {
  const open = new Map<string, { caller: string; answered: (answer: JSONRPCResponse) => void }>();
  return {
    open(caller, answered) {
      const own = [...open.values()].filter((one) => one.caller === caller);
      if (own.length >= MOST_OF_ONE || open.size >= MOST_OF_ALL) throw new Error('too much is being asked');
      const id = randomUUID();
      open.set(id, { caller, answered });
      return id;
    },
    close: (id) => void open.delete(id),
    answer(caller, answer) {
      const id = String(answer.id);
      const asked = open.get(id);
      if (asked?.caller !== caller) return;
      open.delete(id);
      asked.answered(answer);
    },
  };
}

export function isAnswer(message: unknown): message is JSONRPCResponse {
  if (typeof message !== 'object' || message === null || 'method' in message) return false;
  return (
    typeof (message as JSONRPCMessage & { id: unknown }).id === 'string' &&
    ('result' in message || 'error' in message)
  );
}
