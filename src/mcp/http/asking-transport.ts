import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import type { Handshake } from './client-handshake.ts';
import type { ClientQuestions } from './client-questions.ts';

/**
 * One exchange with a client of the 2025 revisions, over which it can be asked something: the server is told the client's
 * handshake first, and what it asks goes out under ids that answers are known by.
 */
export function askingTransport(
  inner: Transport,
  {
    caller,
    handshake,
    questions,
  }: { readonly caller: string; readonly handshake: Handshake; readonly questions: ClientQuestions },
): Transport {
  const greeted = Promise.withResolvers<void>();
  let isGreeted = false;
  /** By the server's own id. */
  const asked = new Map<unknown, string>();
  const outer: Transport = {
    async start() {
      inner.onmessage = (message, extra) =>
        void greeted.promise.then(() => outer.onmessage?.(message, extra));
      inner.onerror = (error) => outer.onerror?.(error);
      inner.onclose = () => {
        for (const id of asked.values()) questions.close(id);
        outer.onclose?.();
      };
      await inner.start();
      outer.onmessage?.({ jsonrpc: '2.0', id: 0, method: 'initialize', params: handshake });
    },
    async send(message, options) {
      // The client's own message waits for the answer to its handshake, which it has had long ago: that is the first one.
      if (!isGreeted && !('method' in message)) {
        isGreeted = true;
        return greeted.resolve();
      }
      await inner.send(outward(message), options);
    },
    close: () => inner.close(),
  };
  const outward = (message: JSONRPCMessage): JSONRPCMessage => {
    if (!('method' in message)) return message;
    if ('id' in message) {
      const { id } = message;
      const shown = questions.open(caller, (answer) => outer.onmessage?.({ ...answer, id }));
      asked.set(id, shown);
      return { ...message, id: shown };
    }
    const known = asked.get(message.params?.requestId);
    if (message.method !== 'notifications/cancelled' || known === undefined) return message;
    questions.close(known);
    return { ...message, params: { ...message.params, requestId: known } };
  };
  return outer;
}
