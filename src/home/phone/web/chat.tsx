import { render } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ConversationActivity, ConversationItem, ConversationLine, ConversationPatch } from './chat-events.ts';
import { LocalizedText, Markdown } from './chat-markdown.tsx';
import { RequestCard } from './chat-request.tsx';

/* The chat page. Text from models, tools and brokers arrives as JSON and is rendered as text, never as markup. */

interface Page {
  readonly path: string;
  readonly token: string;
  readonly longest: number;
}

/** Sends a form. @throws {Error} with a message for the person if the server rejects the form or can't be reached */
async function post(page: Page, name: string, fields: Record<string, string>): Promise<{ thread?: string }> {
  let answer: Response;
  let said: { thread?: string; text?: string };
  try {
    answer = await window.tradeAgent.fetch(`${page.path}/${name}`, {
      method: 'POST',
      body: new URLSearchParams({ form_token: page.token, ...fields }),
      headers: { accept: 'application/json' },
    });
    said = await answer.json();
  } catch {
    throw new Error('Not sent. Check that "trade-agent web" still runs, then try again.');
  }
  if (!answer.ok) throw new Error(said.text ?? 'That was rejected. Reload the page.');
  return said;
}

interface Conversation {
  readonly items: readonly ConversationItem[];
  readonly activity: ConversationActivity;
  /** Whether the server has sent the conversation yet. */
  readonly isRead: boolean;
  readonly isUnknown: boolean;
}

const nothing: Conversation = { items: [], activity: 'idle', isRead: false, isUnknown: false };

/** Follows the list of conversations and one conversation. After a lost connection, continues after the last patch. */
function useConversation(page: Page, thread: string | undefined) {
  const [lines, setLines] = useState<readonly ConversationLine[]>([]);
  const [conversation, setConversation] = useState(nothing);
  const [connection, setConnection] = useState('Connecting');
  useEffect(() => {
    setConversation({ ...nothing, isRead: thread === undefined });
    const query = thread === undefined ? '' : `?${new URLSearchParams({ thread })}`;
    let leave = () => {};
    leave = window.tradeAgent.listen(`${page.path}/events${query}`, {
      lines: (data) => {
        setConnection('Live');
        setLines(JSON.parse(data));
      },
      patch: (data) => {
        setConnection('Live');
        const { from, items, activity } = JSON.parse(data) as ConversationPatch;
        setConversation((old) => ({
          items: [...old.items.slice(0, from), ...items],
          activity,
          isRead: true,
          isUnknown: false,
        }));
      },
      alive: () => setConnection('Live'),
      unknown: () => {
        setConnection('Live');
        setConversation({ ...nothing, isRead: true, isUnknown: true });
        leave();
      },
      signed_out: () => setConnection('Signed out. Run "trade-agent web" again.'),
      error: () => setConnection('Not connected, trying again'),
    });
    return leave;
  }, [page, thread]);
  return { lines, conversation, connection };
}

function threadInAddress(): string | undefined {
  return new URLSearchParams(location.search).get('thread') ?? undefined;
}

function Chat({ page }: { readonly page: Page }) {
  const [thread, setThread] = useState(threadInAddress);
  const [problem, setProblem] = useState('');
  const [isListOpen, setListOpen] = useState(false);
  const { lines, conversation, connection } = useConversation(page, thread);
  useEffect(() => {
    const onBack = () => setThread(threadInAddress());
    addEventListener('popstate', onBack);
    return () => removeEventListener('popstate', onBack);
  }, []);
  const open = (next: string | undefined) => {
    setListOpen(false);
    setProblem('');
    if (next === thread) return;
    history.pushState(
      null,
      '',
      next === undefined ? page.path : `${page.path}?${new URLSearchParams({ thread: next })}`,
    );
    setThread(next);
  };
  const attempt = async (work: () => Promise<unknown>): Promise<boolean> => {
    setProblem('');
    try {
      await work();
      return true;
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      return false;
    }
  };
  const isBusy = conversation.activity === 'working' || conversation.activity === 'waiting';
  const stop = () => void attempt(() => post(page, 'stop', { thread: thread ?? '' }));
  // Registered before the next paint, so that Escape immediately stops what the page shows.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && isBusy) stop();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
  return (
    <>
      <aside class="talks" data-open={isListOpen}>
        <div class="heading">
          <button
            type="button"
            class="quiet toggle"
            aria-expanded={isListOpen}
            aria-controls="talk-list"
            onClick={() => setListOpen(!isListOpen)}
          >
            Conversations
          </button>
          <h2>Conversations</h2>
          <button type="button" class="quiet" data-testid="new" onClick={() => open(undefined)}>
            New
          </button>
        </div>
        <TalkList page={page} lines={lines} thread={thread} open={open} />
      </aside>
      <section class="talk" aria-label="Conversation">
        <Items conversation={conversation} withdraw={(id) => void attempt(() => post(page, 'withdraw', { id }))} />
        <ActivityLine
          activity={conversation.activity}
          connection={connection}
          resume={() => void attempt(() => post(page, 'resume', { thread: thread ?? '' }))}
        />
        {problem === '' ? null : (
          <p class="problem" role="alert" data-testid="problem">
            {problem}
          </p>
        )}
        <Composer
          longest={page.longest}
          activity={conversation.activity}
          stop={stop}
          send={(text) =>
            attempt(async () =>
              open((await post(page, 'send', { text, ...(thread === undefined ? {} : { thread }) })).thread),
            )
          }
        />
      </section>
    </>
  );
}

const statusWords: Readonly<Record<string, string>> = {
  done: '',
  running: 'running',
  pending: 'waiting',
  unknown: 'outcome unknown',
};

function TalkList({
  page,
  lines,
  thread,
  open,
}: {
  readonly page: Page;
  readonly lines: readonly ConversationLine[];
  readonly thread: string | undefined;
  readonly open: (thread: string) => void;
}) {
  return (
    <nav aria-label="Conversations" id="talk-list">
      {lines.length === 0 ? <p class="small soft">No conversations yet.</p> : null}
      <ul>
        {lines.map((line) => (
          <li key={line.thread}>
            <a
              href={`${page.path}?${new URLSearchParams({ thread: line.thread })}`}
              aria-current={line.thread === thread ? 'page' : undefined}
              data-testid="talk"
              onClick={(event) => {
                if (event.metaKey || event.ctrlKey || event.shiftKey) return;
                event.preventDefault();
                open(line.thread);
              }}
            >
              <span class="words">{line.prompt}</span>
              <span class="small soft">{statusWords[line.status] ?? line.status}</span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Distance from the end, in pixels, within which new items scroll into view. */
const NEAR_END = 80;

function Items({
  conversation,
  withdraw,
}: {
  readonly conversation: Conversation;
  readonly withdraw: (id: string) => void;
}) {
  const { items, isRead, isUnknown } = conversation;
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const now = useNow(items.some((item) => item.kind === 'request' && item.request.isOpen));
  useLayoutEffect(() => {
    if (isAtEnd.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  });
  return (
    <div
      class="items"
      role="log"
      aria-label="Messages"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      ref={box}
      data-testid="items"
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END;
      }}
    >
      {isUnknown ? (
        <p class="empty soft" data-testid="unknown">
          There is no such conversation. It may have been deleted.
        </p>
      ) : null}
      {isRead ? null : <p class="empty soft">Loading…</p>}
      {isRead && !isUnknown && items.length === 0 ? <Welcome /> : null}
      {items.map((item, index) => (
        <Item key={itemKey(item, index)} item={item} now={now} withdraw={withdraw} />
      ))}
    </div>
  );
}

function itemKey(item: ConversationItem, index: number): string {
  return item.kind === 'request' ? item.id : `${index} ${item.kind}`;
}

function Welcome() {
  return (
    <div class="empty soft" data-testid="welcome">
      <p>Ask about your account, or describe an order. You approve every order on your phone.</p>
      <p class="small">“How is my portfolio doing?” · “Buy 5 AAPL, limit 180” · “What changed today?”</p>
    </div>
  );
}

function Item({
  item,
  now,
  withdraw,
}: {
  readonly item: ConversationItem;
  readonly now: number;
  readonly withdraw: (id: string) => void;
}) {
  switch (item.kind) {
    case 'prompt':
      return (
        <div class="said" data-testid="prompt">
          <span class="unseen">You: </span>
          {item.text}
        </div>
      );
    case 'answer':
      return (
        <div class="answer" data-testid="answer">
          <span class="unseen">Agent: </span>
          <Markdown text={item.text} />
        </div>
      );
    case 'tool':
      return (
        <p class={`tool small soft ${item.state}`} data-testid="tool" data-state={item.state}>
          <span class="unseen">{{ running: 'running: ', done: 'done: ', failed: 'failed: ' }[item.state]}</span>
          {item.text}
          {item.summary === '' ? '' : `: ${item.summary}`}
        </p>
      );
    case 'request':
      return <RequestCard request={item.request} now={now} withdraw={() => withdraw(item.id)} />;
    case 'note':
      return (
        <p class="small soft" data-testid="note">
          <LocalizedText text={item.text} />
        </p>
      );
    case 'error':
      return (
        <div class="problem" data-testid="error">
          <p>
            <LocalizedText text={item.text} />
          </p>
          {item.hint === undefined ? null : (
            <p class="small">
              <LocalizedText text={item.hint} />
            </p>
          )}
        </div>
      );
  }
}

const activityWords: Readonly<Record<ConversationActivity, string>> = {
  idle: '',
  working: 'Working…',
  waiting: 'Waiting for your phone. Another message starts a new conversation.',
  elsewhere: 'In use in another window or terminal. You can follow along, and send a message once that run ends.',
  open: 'A request is still open. Its order is placed once you approve it.',
};

function ActivityLine({
  activity,
  connection,
  resume,
}: {
  readonly activity: ConversationActivity;
  readonly connection: string;
  readonly resume: () => void;
}) {
  return (
    <div class="activity">
      <p class="small soft" role="status" data-testid="activity" data-activity={activity}>
        {activityWords[activity]}
      </p>
      {activity === 'open' ? (
        <button type="button" class="quiet" data-testid="resume" onClick={resume}>
          Wait for the outcome
        </button>
      ) : null}
      <p class="small soft connection" role="status" data-testid="live">
        {connection}
      </p>
    </div>
  );
}

function Composer({
  longest,
  activity,
  send,
  stop,
}: {
  readonly longest: number;
  readonly activity: ConversationActivity;
  readonly send: (text: string) => Promise<boolean>;
  readonly stop: () => void;
}) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [isSending, setSending] = useState(false);
  const isBusy = activity === 'working' || activity === 'waiting';
  useEffect(() => {
    // On a touch screen, the focus would open the keyboard over the conversation.
    if (matchMedia('(pointer: fine)').matches) field.current?.focus({ preventScroll: true });
  }, []);
  const submit = async () => {
    const { current } = field;
    const text = current?.value.trim() ?? '';
    if (current === null || text === '' || isSending || activity === 'working') return;
    setSending(true);
    const isSent = await send(text);
    setSending(false);
    if (isSent) current.value = '';
    growField(current);
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <label class="unseen" for="say">
        Message
      </label>
      <textarea
        id="say"
        ref={field}
        rows={1}
        maxLength={longest}
        placeholder="Message"
        data-testid="say"
        onInput={({ currentTarget }) => growField(currentTarget)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          void submit();
        }}
      />
      {activity === 'working' ? null : (
        <button type="submit" class="go" aria-busy={isSending || undefined} data-testid="send">
          Send
        </button>
      )}
      {isBusy ? (
        <button type="button" class="stop" data-testid="stop" onClick={stop}>
          Stop<span class="unseen"> (Escape)</span>
        </button>
      ) : null}
    </form>
  );
}

/** Sets the field's height to the height of its text, up to the limit in the style sheet. */
function growField(field: HTMLTextAreaElement): void {
  field.rows = Math.min(8, Math.max(1, field.value.split('\n').length));
}

/** Returns the current time, updated every second while `isTicking`. */
function useNow(isTicking: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!isTicking) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isTicking]);
  return now;
}

const root = document.getElementById('chat');
if (root !== null) {
  const { path = '', token = '', longest = '' } = root.dataset;
  root.querySelector('p')?.remove();
  const place = document.createElement('div');
  place.className = 'frame';
  root.append(place);
  render(<Chat page={{ path, token, longest: Number(longest) }} />, place);
}
