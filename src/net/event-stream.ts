import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';

/**
 * Responds with server-sent events (HTML Living Standard §9.2) that `write` produces. If `write` fails, the stream ends
 * and the client reconnects. The error is caught here because Hono would log it with its stack or send it to the
 * client.
 * @param brokeOff called with the error if `write` fails
 * @param write produces the events; its signal aborts when the client disconnects, and when `write` ends
 * @param leave called when the stream ends, for whatever reason
 */
export function eventStreamResponse(
  context: Context,
  brokeOff: (error: Error) => void,
  write: (stream: SSEStreamingApi, over: AbortSignal) => Promise<void>,
  leave: ReleaseSlot,
): Response {
  return streamSSE(context, async (stream) => {
    const over = new AbortController();
    stream.onAbort(() => over.abort());
    await write(stream, over.signal).catch(brokeOff);
    over.abort();
    leave();
  });
}

/** Responds with 429 when a person has too many streams open. The page retries automatically. */
export function tooManyStreamsResponse(context: Context): Response {
  return context.text('too many streams are open', 429, { 'retry-after': '5' });
}

/** Frees a stream's slot. Further calls do nothing. */
export type ReleaseSlot = () => void;

/** Limits the number of open event streams per name, because each stream uses a socket and a timer. */
export function createStreamLimit(most: number) {
  const open = new Map<string, number>();
  return {
    most,
    /** Takes a slot and returns the function that frees it, or undefined if the name has reached its limit. */
    enter(name: string): ReleaseSlot | undefined {
      const count = open.get(name) ?? 0;
      if (count >= most) return undefined;
      open.set(name, count + 1);
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        const left = (open.get(name) ?? 1) - 1;
        if (left > 0) open.set(name, left);
        else open.delete(name);
      };
    },
  };
}
