import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';

/**
 * Answers by server-sent events (HTML Living Standard §9.2), which `write` writes. Where that fails the stream ends, and whoever reads
 * asks anew. It is caught here, since Hono prints what is thrown with its stack, or tells it to whoever reads.
 * @param brokeOff told why it ended too soon
 * @param write its signal aborts once whoever reads has gone, and with its own end
 */
export function eventAnswer(
  context: Context,
  brokeOff: (error: Error) => void,
  write: (stream: SSEStreamingApi, over: AbortSignal) => Promise<void>,
): Response {
  return streamSSE(context, async (stream) => {
    const over = new AbortController();
    stream.onAbort(() => over.abort());
    await write(stream, over.signal).catch(brokeOff);
    over.abort();
  });
}
