import { ask } from './ask.ts';

/** Milliseconds without a sign of life after which the stream counts as dead; the server gives one every five seconds. */
const SILENCE_MS = 20_000;
const RETRY_MS = 2000;

/** By event name; `error` is called with no data whenever the stream is interrupted, before it is opened anew. */
export type Listeners = Readonly<Record<string, (data: string) => void>>;

/**
 * A stream of server-sent events. The browser's own EventSource can't send this origin's key along.
 * @returns what ends it
 */
export function listen(path: string, listeners: Listeners): () => void {
  const over = new AbortController();
  void follow(path, listeners, over.signal);
  return () => over.abort();
}

async function follow(path: string, listeners: Listeners, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    try {
      if ((await readOnce(path, listeners, over)) === 'refused') {
        listeners.signed_out?.('');
        return;
      }
    } catch {
      // Whatever broke it, it is opened again.
    }
    if (over.aborted) return;
    listeners.error?.('');
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function readOnce(path: string, listeners: Listeners, over: AbortSignal): Promise<'ended' | 'refused'> {
  // AbortSignal.any is younger than the browsers this is for.
  const stop = new AbortController();
  over.addEventListener('abort', () => stop.abort(), { signal: stop.signal });
  let timer = setTimeout(() => stop.abort(), SILENCE_MS);
  try {
    const answer = await ask(path, {
      headers: { accept: 'text/event-stream' },
      signal: stop.signal,
    });
    if (answer.status === 401) return 'refused';
    if (!answer.ok || answer.body === null) return 'ended';
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; ; ) {
      const { done, value = '' } = await reader.read();
      if (done) return 'ended';
      clearTimeout(timer);
      timer = setTimeout(() => stop.abort(), SILENCE_MS);
      const blocks = (text + value).split(/\r?\n\r?\n/);
      text = blocks.pop() ?? '';
      for (const block of blocks) dispatch(block, listeners);
    }
  } finally {
    clearTimeout(timer);
  }
}

function dispatch(block: string, listeners: Listeners): void {
  const fields = block.split(/\r?\n/).map((line) => /^(\w+): ?(.*)$/.exec(line));
  const valuesOf = (name: string) => fields.filter((field) => field?.[1] === name).map((field) => field?.[2]);
  listeners[valuesOf('event')[0] ?? 'message']?.(valuesOf('data').join('\n'));
}
