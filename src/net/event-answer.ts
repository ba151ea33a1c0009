import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { Leave } from './stream-limit.ts';

/**
 * Answers by server-sent events (HTML Living Standard §9.2), which `write` writes. Where that fails the stream ends, and whoever reads
 * asks anew. It is caught here, since Hono prints what is thrown with its stack, or tells it to whoever reads.
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
