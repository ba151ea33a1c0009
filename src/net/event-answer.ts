import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';

/**
 * Answers by server-sent events (HTML Living Standard §9.2), which `write` writes. Where that fails the stream ends, and whoever reads
 * asks again. It is caught here, since Hono prints what is thrown with its stack, or tells it to whoever reads.
 * @param brokeOff told why it ended too soon
 * @param write its signal aborts once whoever reads has gone, and with its own end
 * @param leave called at its end, however that came
 */
export function eventAnswer(
  context: Context,
  brokeOff: (error: Error) => void,
  write: (stream: SSEStreamingApi, over: AbortSignal) => Promise<void>,
  leave: Leave,
): Response {
  return streamSSE(context, async (stream) => {
    const over = new AbortController();
    stream.onAbort(() => over.abort());
    await write(stream, over.signal).catch(brokeOff);
    over.abort();
    leave();
  });
}

/** What a page is answered whose person has too many streams open: it asks again by itself. */
export function tooManyStreams(context: Context): Response {
  return context.text('too many streams are open', 429, { 'retry-after': '5' });
}

/** Gives the place back; more than once is as good as once. */
export type Leave = () => void;

/** Limits how many streams of server-sent events each name has open: each holds a socket and a timer. */
export function streamLimit(most: number) {
  const open = new Map<string, number>();
  return {
    most,
    /** Takes a place; undefined if this name has as many as it may. */
    enter(name: string): Leave | undefined {
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
