import type { ThreadView } from '../../agent/events.ts';
import { createShortId } from '../../agent/short-id.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import { followEvents } from '../../tools/gateway/follow-events.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import type { AgentOptions, App } from '../app.ts';
import { resumeChat, sendMessage } from '../chat.ts';
import { Conversation, type ConversationDeps, isUnknownThread } from './conversation.ts';

/** Milliseconds between reads of conversations that other processes may be running. Reading a local file is cheap. */
const LOCAL_INTERVAL_MS = 400;
const REMOTE_INTERVAL_MS = 2_000;
/** Milliseconds to wait before requesting the gateway's events again after the gateway has refused. */
const RETRY_MS = 5_000;
/** Maximum number of concurrent runs, because each run keeps connections open. */
const MAX_RUNS = 10;
/** Number of conversations kept in memory in addition to those that pages show, in case a page is opened again. */
const MAX_KEPT = 20;
/** Maximum number of conversations in the list. */
const MAX_LISTED = 100;

export type Conversations = ReturnType<typeof createConversations>;

/** Creates the chat page's conversations. They run the agent, and include threads that other processes run. */
export function createConversations(
  app: App,
  options: AgentOptions,
  {
    gateway,
    clock,
    closing,
  }: { readonly gateway: GatewayClient; readonly clock: Clock; readonly closing: AbortSignal },
) {
  const open = new Map<string, Conversation>();
  const listeners = new Set<() => void>();
  let lines: readonly ThreadView[] = [];
  let linesText = '';
  let watching: AbortController | undefined;

  const parts: ConversationDeps = {
    read: async (thread, asKept) => (await app.agent(options)).thread(thread, { asKept }),
    gateway,
    clock,
    closing,
  };
  const conversation = (thread: string): Conversation => {
    const known = open.get(thread);
    if (known !== undefined) return known;
    const made = new Conversation(thread, parts);
    open.set(thread, made);
    return made;
  };
  const readLines = async (asKept: boolean): Promise<void> => {
    const threads = await (await app.agent(options)).threads({ asKept });
    lines = threads.slice(0, MAX_LISTED);
    const text = JSON.stringify(lines);
    if (text === linesText) return;
    linesText = text;
    for (const listener of listeners) listener();
  };
  const refresh = async (asKept: boolean): Promise<void> => {
    await Promise.all(
      // A source that can't be read now is read again at the next refresh.
      [{ refresh: readLines }, ...[...open.values()].filter(({ isUsed }) => isUsed)].map((one) =>
        one.refresh(asKept).catch(() => undefined),
      ),
    );
  };
  return {
    lines: () => lines,

    /**
     * Watches the list of conversations and one conversation.
     * @param changed called after each change
     * @throws {TradeAgentError} `not_found`
     */
    async watch(thread: string | undefined, changed: () => void) {
      if (watching === undefined) {
        watching = new AbortController();
        startWatching(app, { gateway, clock, refresh, signal: AbortSignal.any([watching.signal, closing]) });
      }
      listeners.add(changed);
      const one = thread === undefined ? undefined : conversation(thread);
      const unsubscribe = one?.subscribe(changed);
      const close = (): void => {
        unsubscribe?.();
        listeners.delete(changed);
        forgetUnused(open);
        if (listeners.size > 0) return;
        watching?.abort();
        watching = undefined;
      };
      try {
        await one?.refresh();
      } catch (error) {
        if (isUnknownThread(error)) {
          close();
          throw error;
        }
        // Shows the last known state first. The next refresh updates it.
      }
      return { since: (last: string | undefined) => one?.since(last) ?? [], close };
    },

    /**
     * Sends a message. If the conversation waits for an approval on the phone, starts a new conversation, as in the
     * terminal.
     * @returns the conversation's thread
     * @throws {TradeAgentError} `busy` while the agent works on the conversation, or if too many runs are active
     */
    async send(thread: string | undefined, prompt: string): Promise<string> {
      const one = await chooseConversation(open, conversation, thread);
      one.start(prompt, (signal) => sendMessage(app, options, { prompt, thread: one.thread }, signal));
      return one.thread;
    },

    /** Resumes a conversation that has open approval requests. */
    async resume(thread: string): Promise<void> {
      const one = conversation(thread);
      await one.refresh(true);
      if (!one.isRunning) one.start(undefined, (signal) => resumeChat(app, options, thread, signal));
    },

    stop(thread: string): void {
      open.get(thread)?.stop();
    },

    /** Withdraws a request. @throws {TradeAgentError} `not_found`; `usage` if the request has already ended */
    async withdraw(id: string): Promise<void> {
      await (await app.agent(options)).cancelApproval(id);
      await refresh(false);
    },

    /** Waits until the stopped runs have stored their state. The caller must abort `closing` first. */
    async ended(): Promise<void> {
      await Promise.all([...open.values()].map((one) => one.ended()));
    },
  };
}

function forgetUnused(open: Map<string, Conversation>): void {
  for (const [thread, one] of open) {
    if (open.size <= MAX_KEPT) return;
    if (!one.isUsed) open.delete(thread);
  }
}

/** Refreshes conversations at each gateway event, and at regular intervals, until the signal aborts. */
function startWatching(
  app: App,
  {
    gateway,
    clock,
    refresh,
    signal,
  }: {
    readonly gateway: GatewayClient;
    readonly clock: Clock;
    readonly refresh: (asKept: boolean) => Promise<void>;
    readonly signal: AbortSignal;
  },
): void {
  const rest = (ms: number) => clock.sleep(ms, signal).catch(() => undefined);
  const look = async (): Promise<void> => {
    const isRemote = (await app.profile()).server !== undefined;
    // Requests may have been decided while no page was open.
    for (let asKept = false; !signal.aborted; asKept = true) {
      await refresh(asKept);
      await rest(isRemote ? REMOTE_INTERVAL_MS : LOCAL_INTERVAL_MS);
    }
  };
  const listen = async (): Promise<void> => {
    while (!signal.aborted) {
      // The regular refreshes continue without the gateway's events.
      await followEvents(gateway, { clock, signal, changed: () => void refresh(false) }).catch(() => undefined);
      await rest(RETRY_MS);
    }
  };
  void look().catch(() => undefined);
  void listen();
}

/**
 * Returns the selected conversation, or a new conversation if the selected one is waiting for an approval.
 * @throws {TradeAgentError} `busy`
 */
async function chooseConversation(
  open: ReadonlyMap<string, Conversation>,
  conversation: (thread: string) => Conversation,
  thread: string | undefined,
): Promise<Conversation> {
  const asked = thread === undefined ? undefined : conversation(thread);
  if (asked?.isRunning === true && !asked.isWaiting)
    throw new TradeAgentError('busy', 'The agent is still working. Wait for its answer, or press Stop.');
  if ([...open.values()].filter(({ isRunning }) => isRunning).length >= MAX_RUNS)
    throw new TradeAgentError('busy', `At most ${MAX_RUNS} conversations can run at once. Stop one first.`);
  const one = asked === undefined || asked.isRunning ? conversation(createShortId('th_', 10)) : asked;
  if (one === asked) {
    await one.refresh(true).catch(() => undefined);
    // Another message may have started a run in the meantime.
    if (one.isRunning) throw new TradeAgentError('busy', 'The agent is already working on another message.');
  }
  return one;
}
