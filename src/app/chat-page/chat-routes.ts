import { Hono } from 'hono';
import { html } from 'hono/html';
import type { SSEStreamingApi } from 'hono/streaming';
import { toErrorObject } from '../../errors/error-object.ts';
import type { BrowserContext, BrowserEnv } from '../../home/phone/page/browser-env.ts';
import { renderPage } from '../../home/phone/page/page.ts';
import type { Clock } from '../../machine/clock.ts';
import { createStreamLimit, eventStreamResponse, tooManyStreamsResponse } from '../../net/event-stream.ts';
import { isUnknownThread } from './conversation.ts';
import type { Conversations } from './conversations.ts';

export const CHAT_PATH = '/chat';

/** Milliseconds between heartbeats. The page reconnects if it receives nothing for 20 seconds. */
const HEARTBEAT_MS = 5_000;
/** Maximum number of chat pages that can be open at once. */
const MAX_STREAMS = 20;
/** Maximum length of a message in characters. A request's body has at most 16 KiB. */
const MAX_MESSAGE_LENGTH = 4_000;

/** Creates the chat page's routes. The caller must reject requests without the page's key and forms without a token. */
export function createChatRoutes(
  conversations: Conversations,
  { clock, closing, onError }: { clock: Clock; closing: AbortSignal; onError: (message: string) => void },
): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();

  app.get(CHAT_PATH, (context) =>
    renderPage(context, {
      title: 'Chat',
      script: 'chat.js',
      body: html`<div id="chat" data-path="${CHAT_PATH}" data-token="${context.var.formToken}" data-longest="${MAX_MESSAGE_LENGTH}" data-testid="chat"><h1 class="unseen" tabindex="-1">Chat</h1><p class="soft">Loading…</p></div>`,
    }),
  );

  const streams = createStreamLimit(MAX_STREAMS);
  app.get(`${CHAT_PATH}/events`, (context) => {
    const leave = streams.enter('');
    if (leave === undefined) return tooManyStreamsResponse(context);
    return eventStreamResponse(
      context,
      ({ message }) => onError(message),
      async (stream, over) => {
        const changes = createChangeSignal(clock);
        const watched = await watchOrUndefined(conversations, context, changes.notify);
        if (watched === undefined) await stream.writeSSE({ event: 'unknown', data: '' });
        else
          await writeChanges(stream, watched, {
            lines: conversations.lines,
            last: context.req.header('last-event-id'),
            nextChange: (signal) => changes.next(HEARTBEAT_MS, signal),
            signal: AbortSignal.any([over, closing]),
          });
      },
      leave,
    );
  });

  const addAction = (name: string, act: (form: Record<string, string>) => Promise<object>) =>
    app.post(`${CHAT_PATH}/${name}`, async (context) => {
      const form = Object.entries(await context.req.parseBody()).filter(([, value]) => typeof value === 'string');
      try {
        return context.json(await act(Object.fromEntries(form) as Record<string, string>));
      } catch (error) {
        const { message, hint } = toErrorObject(error);
        return context.json({ text: hint === undefined ? message : `${message}. ${hint}` }, 409);
      }
    });
  addAction('send', async ({ thread, text = '' }) => {
    const prompt = text.trim().slice(0, MAX_MESSAGE_LENGTH);
    return { thread: await conversations.send(parseThread(thread), prompt) };
  });
  addAction('stop', async ({ thread }) => {
    conversations.stop(parseThread(thread) ?? '');
    return {};
  });
  addAction('resume', async ({ thread }) => {
    await conversations.resume(parseThread(thread) ?? '');
    return {};
  });
  addAction('withdraw', async ({ id = '' }) => {
    await conversations.withdraw(id);
    return {};
  });
  return app;
}

type Watched = Awaited<ReturnType<Conversations['watch']>>;

/** Watches a conversation. Returns undefined if it does not exist. */
async function watchOrUndefined(
  conversations: Conversations,
  context: BrowserContext,
  changed: () => void,
): Promise<Watched | undefined> {
  try {
    return await conversations.watch(parseThread(context.req.query('thread')), changed);
  } catch (error) {
    if (isUnknownThread(error)) return undefined;
    throw error;
  }
}

/** Writes the list of conversations and one conversation's patches, whenever they change, until the signal aborts. */
async function writeChanges(
  stream: SSEStreamingApi,
  watched: Watched,
  {
    lines,
    nextChange,
    signal,
    ...from
  }: {
    readonly lines: Conversations['lines'];
    /** The ID of the last patch that the page has received. */
    readonly last: string | undefined;
    /** Resolves at the next change or heartbeat, whichever is first. */
    readonly nextChange: (signal: AbortSignal) => Promise<void>;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  let { last } = from;
  let sentLines = '';
  try {
    while (!signal.aborted) {
      // Starts waiting before the changes are read, so that no change is missed.
      const next = nextChange(signal);
      const data = JSON.stringify(lines());
      if (data !== sentLines) await stream.writeSSE({ event: 'lines', data });
      sentLines = data;
      for (const { id, patch } of watched.since(last)) {
        await stream.writeSSE({ event: 'patch', id, data: JSON.stringify(patch) });
        last = id;
      }
      await next;
      if (!signal.aborted) await stream.writeSSE({ event: 'alive', data: '' });
    }
  } finally {
    watched.close();
  }
}

function parseThread(text: string | undefined): string | undefined {
  return text !== undefined && /^[A-Za-z0-9_-]{1,64}$/.test(text) ? text : undefined;
}

/** Creates a signal of changes. `next` resolves at the next call of `notify`, or after `ms` milliseconds. */
function createChangeSignal(clock: Clock) {
  let notify = () => {};
  return {
    notify: () => notify(),
    async next(ms: number, signal: AbortSignal): Promise<void> {
      const over = new AbortController();
      const changed = new Promise<void>((resolve) => {
        notify = resolve;
      });
      await Promise.race([changed, clock.sleep(ms, AbortSignal.any([signal, over.signal])).catch(() => undefined)]);
      over.abort();
    },
  };
}
