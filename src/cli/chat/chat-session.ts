import type { AgentEvent } from '../../agent/events.ts';
import type { Clock } from '../../trading/clock.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import { errorObject } from '../output.ts';
import { safeText } from '../text/safe-text.ts';
import type { ChatDriver, ChatLogin, ChatStatus } from './chat-driver.ts';
import { type ChatAction, type ChatItem, type ChatState, chatReducer, emptyChat } from './chat-state.ts';
import { parseSlashCommand, slashHelp } from './slash-commands.ts';

/** What the screen shows at one moment. */
export interface ChatSnapshot {
  readonly state: ChatState;
  readonly status: ChatStatus;
  /** A sign-in that waits for the person. */
  readonly login: ChatLogin | undefined;
  /** Something is going on that Esc can stop. */
  readonly busy: boolean;
}

/** How long quitting waits for a run to write down what is pending. */
const QUIT_GRACE_MS = 3000;

/**
 * A chat without its screen: takes what the person types, drives the agent, and keeps what is to be shown. The screen
 * subscribes to it.
 */
export class ChatSession {
  readonly #driver: ChatDriver;
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #snapshot: ChatSnapshot;
  /** What is going on now, and how to stop it. */
  #work: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;
  #quit = false;
  readonly #onQuit: () => void;

  constructor(options: {
    driver: ChatDriver;
    clock: Clock;
    status: ChatStatus;
    /** An earlier conversation to go on with. */
    thread?: string;
    onQuit?: () => void;
  }) {
    this.#driver = options.driver;
    this.#clock = options.clock;
    this.#snapshot = {
      state: { ...emptyChat, thread: options.thread },
      status: options.status,
      login: undefined,
      busy: false,
    };
    this.#onQuit = options.onQuit ?? (() => undefined);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): ChatSnapshot => this.#snapshot;

  /** Resolves when nothing is going on any more. */
  async idle(): Promise<void> {
    while (this.#work !== undefined) await this.#work.done;
  }

  /** Takes a line the person sent. False while busy: the line stays where it is. */
  submit(line: string): boolean {
    const text = line.trim();
    const command = parseSlashCommand(text);
    if (command === 'quit') {
      void this.quit();
      return true;
    }
    if (this.#work !== undefined) return false;
    if (text === '') {
      if (this.#snapshot.status.user === undefined) this.#start((signal) => this.#login(signal));
      return true;
    }
    if (command === undefined) this.#prompt(text);
    else this.#command(command);
    return true;
  }

  /** Stops what is going on; an approval that was asked for stays pending. */
  interrupt(): void {
    this.#work?.stop.abort(new TradeAgentError('interrupted', 'interrupted'));
  }

  /** Ends the chat: stops what is going on and lets it write down what is pending. */
  async quit(): Promise<void> {
    if (this.#quit) return;
    this.#quit = true;
    this.interrupt();
    const limit = new AbortController();
    await Promise.race([this.idle(), this.#clock.sleep(QUIT_GRACE_MS, limit.signal).catch(() => undefined)]);
    limit.abort();
    this.#onQuit();
  }

  #prompt(text: string): void {
    this.#dispatch({ type: 'prompt', text });
    const { thread, pendingThread } = this.#snapshot.state;
    // A thread that waits for the phone is gone on with by /resume; another wish gets a thread of its own.
    const goOn = pendingThread === undefined ? thread : undefined;
    this.#start((signal) => this.#follow(this.#driver.run(text, goOn, signal), signal));
  }

  #command(name: string): void {
    const reports: Record<string, () => Promise<ChatItem>> = {
      portfolio: () => this.#driver.portfolio(),
      orders: () => this.#driver.orders(),
      approvals: () => this.#driver.approvals(),
    };
    const report = Object.hasOwn(reports, name) ? reports[name] : undefined;
    if (report !== undefined) this.#start(async () => this.#add(await report()));
    else if (name === 'help') this.#add({ type: 'report', text: slashHelp });
    else if (name === 'login') this.#start((signal) => this.#login(signal));
    else if (name === 'resume') this.#resume();
    else
      this.#fail(
        new TradeAgentError('usage', `there is no /${name}`, { hint: '/help lists what there is.' }),
      );
  }

  #resume(): void {
    const thread = this.#snapshot.state.pendingThread ?? this.#snapshot.state.thread;
    if (thread === undefined) {
      this.#fail(new TradeAgentError('usage', 'there is nothing to go on with', { hint: 'See /approvals.' }));
      return;
    }
    this.#dispatch({ type: 'resuming' });
    this.#start((signal) => this.#follow(this.#driver.resume(thread, signal), signal));
  }

  async #follow(events: AsyncIterable<AgentEvent>, signal: AbortSignal): Promise<void> {
    let finished = false;
    try {
      for await (const event of events) {
        finished ||= event.type === 'result';
        this.#dispatch({ type: 'event', event });
      }
      if (!finished) throw signal.aborted ? signal.reason : new Error('the run ended without a result');
    } catch (error) {
      const { message, hint } = errorObject(signal.aborted ? signal.reason : error);
      this.#dispatch({ type: 'failed', message, hint });
    }
    await this.#refresh();
  }

  async #login(signal: AbortSignal): Promise<void> {
    const login = await this.#driver.login();
    this.#set({ login });
    try {
      const user = await login.complete(signal);
      this.#add({ type: 'outcome', text: `signed in as ${user}`, good: true });
    } finally {
      this.#set({ login: undefined });
    }
    await this.#refresh();
  }

  async #refresh(): Promise<void> {
    const status = await this.#driver.status().catch(() => undefined);
    if (status !== undefined) this.#set({ status });
  }

  #start(work: (signal: AbortSignal) => Promise<void>): void {
    const stop = new AbortController();
    const done = work(stop.signal)
      .catch((error) => this.#fail(stop.signal.aborted ? stop.signal.reason : error))
      .finally(() => {
        this.#work = undefined;
        this.#set({ busy: false });
      });
    this.#work = { stop, done };
    this.#set({ busy: true });
  }

  #fail(error: unknown): void {
    const { message, hint } = errorObject(error);
    this.#add({
      type: 'error',
      text: safeText(message),
      hint: hint === undefined ? undefined : safeText(hint),
    });
  }

  #add(item: ChatItem): void {
    this.#dispatch({ type: 'add', item });
  }

  #dispatch(action: ChatAction): void {
    this.#set({ state: chatReducer(this.#snapshot.state, action) });
  }

  #set(change: Partial<ChatSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    for (const listener of this.#listeners) listener();
  }
}
