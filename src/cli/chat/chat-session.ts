import type { AgentEvent, ApprovalView } from '../../agent/events.ts';
import type { ThemeName } from '../../config/theme-name.ts';
import { toErrorObject } from '../../errors/error-object.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import { safeLine, safeText } from '../../text/sanitize.ts';
import { outcomeOrders } from '../../trading/kinds/kind-words.ts';
import { hasEnded } from '../../trading/order-legs.ts';
import { describeOrderOutcome } from '../../trading/order-outcome.ts';
import type { Order } from '../../trading/views.ts';
import { approvalOutcome, isFinalApproval, wasReportedAsNotPlaced } from '../text/approval-lines.ts';
import { DEFAULT_THEME } from '../text/theme.ts';
import type { ChatDriver, ChatLogin, ChatStatus } from './chat-driver.ts';
import { type ChatItem, errorItem, stoppedItem } from './chat-item.ts';
import {
  type ChatAction,
  type ChatState,
  chatReducer,
  emptyChat,
  findActiveRun,
  isConversationOpen,
  isRunWaiting,
} from './chat-state.ts';
import { ChoicePicker, type Picker } from './choices.ts';
import { parseSlashCommand, type SlashCommand } from './slash-commands.ts';

const VALUE_INTERVAL_MS = 10_000;

/** Milliseconds within which a program records the conversation of a request that it sent to the gateway. */
const RECORDING_MS = 400;

/** Maximum number of queued lines. If there are more, they were probably sent by a program or by accident. */
const MAX_QUEUED = 5;

/** Maximum wait for runs to save their pending work when the person quits, in milliseconds. */
const QUIT_GRACE_MS = 3000;

export interface ChatSnapshot {
  readonly state: ChatState;
  readonly status: ChatStatus;
  readonly login: ChatLogin | undefined;
  readonly question: string | undefined;
  readonly picker: Picker | undefined;
  readonly theme: ThemeName;
  /** Whether work is running that Esc can stop. The person's next line waits until this work ends. */
  readonly busy: boolean;
  readonly queued: readonly string[];
  readonly ended: boolean;
}

/**
 * The chat without its screen: takes input, drives the agent, and has the state that the screen shows. A run that is
 * only waiting for the phone doesn't block other runs.
 */
export class ChatSession {
  readonly driver: ChatDriver;
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  readonly #works = new WorkSet({ failed: (error) => this.fail(error), changed: () => this.#set({}) });
  readonly #watch: OpenOrderWatcher;
  readonly picking: ChoicePicker;
  readonly #runCommand: (chat: ChatSession, command: SlashCommand) => void;
  readonly #onQuit: () => void;
  readonly #live = new AbortController();
  #following = false;
  readonly #toldLate = new Set<string>();
  /** IDs of the approvals that this chat's runs report. */
  readonly #own = new Set<string>();
  /** Last reported status, by ID, of the approvals that other windows and earlier sessions requested. */
  readonly #elsewhere = new Map<string, string>();
  #snapshot: ChatSnapshot;
  #answer: ((yes: boolean) => void) | undefined;
  #quit = false;
  nextProfile: string | undefined;

  constructor(options: {
    driver: ChatDriver;
    runCommand: (chat: ChatSession, command: SlashCommand) => void;
    clock: Clock;
    status: ChatStatus;
    thread?: string;
    theme?: ThemeName;
    onQuit?: () => void;
  }) {
    this.driver = options.driver;
    this.#runCommand = options.runCommand;
    this.#clock = options.clock;
    this.picking = new ChoicePicker(options.clock, (picker) => this.#set({ picker }));
    this.#snapshot = {
      state: { ...emptyChat, thread: options.thread },
      status: options.status,
      login: undefined,
      question: undefined,
      picker: undefined,
      theme: options.theme ?? DEFAULT_THEME,
      busy: false,
      queued: [],
      ended: false,
    };
    this.#onQuit = options.onQuit ?? (() => undefined);
    this.#watch = new OpenOrderWatcher({
      orders: () => this.driver.orders(),
      clock: this.#clock,
      changed: (order) => this.#orderChanged(order),
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): ChatSnapshot => this.#snapshot;

  /** Loads the user and the account's value, and shows pending approvals of earlier sessions. */
  async connect(): Promise<void> {
    try {
      this.#set({ status: await this.driver.status() });
    } catch (error) {
      this.#set({ status: { ...this.#snapshot.status, connected: true } });
      this.fail(error);
    }
    if (this.#snapshot.status.user !== undefined) await this.#signedIn();
  }

  async idle(): Promise<void> {
    await this.#works.idle();
  }

  submit(entry: string): boolean {
    const text = entry.trim();
    const command = parseSlashCommand(text);
    if (command?.name === 'quit') {
      void this.quit();
      return true;
    }
    if (this.#answer !== undefined) {
      this.#decide(/^y(es)?$/i.test(text));
      return true;
    }
    const { busy, status, queued } = this.#snapshot;
    if (busy || !status.connected) {
      if (text === '') return true;
      if (queued.length >= MAX_QUEUED) return false;
      this.#set({ queued: [...queued, text] });
      return true;
    }
    this.#take(text);
    return true;
  }

  #take(text: string): void {
    const command = parseSlashCommand(text);
    if (text === '') {
      if (this.#snapshot.status.user === undefined) this.login();
    } else if (command === undefined) this.#prompt(text);
    else {
      this.add({ type: 'prompt', text: safeText(text) });
      this.#runCommand(this, command);
    }
  }

  /** Stops the current work. Orders that are waiting for approval are not affected. */
  interrupt(): void {
    if (this.#answer !== undefined) {
      this.#decide(false);
      return;
    }
    this.#set({ queued: [] });
    const atWork = findActiveRun(this.#snapshot.state)?.talk;
    this.#works.stop((talk) => talk === undefined || talk === atWork);
  }

  async quit(): Promise<void> {
    if (this.#quit) return;
    this.#quit = true;
    this.picking.choose(false);
    this.#live.abort();
    this.#watch.stop();
    this.#works.stop();
    const limit = new AbortController();
    await Promise.race([this.idle(), this.#clock.sleep(QUIT_GRACE_MS, limit.signal).catch(() => undefined)]);
    limit.abort();
    this.#set({ ended: true });
    // The screen must render once more before it is closed.
    await new Promise(setImmediate);
    this.#onQuit();
  }

  ask(question: string): Promise<boolean> {
    this.#set({ question });
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  chooseTheme(theme: ThemeName): void {
    this.driver.chooseTheme(theme);
    this.#set({ theme });
  }

  /** Runs work that belongs to no conversation. The next line waits until it ends, and Esc stops it. */
  work(work: (signal: AbortSignal) => Promise<void>): void {
    this.#works.start(undefined, work);
  }

  login(): void {
    this.work(async (signal) => {
      const login = await this.driver.login();
      this.#set({ login });
      try {
        const user = await login.complete(signal);
        this.add({ type: 'outcome', text: `signed in as ${user}`, good: true });
      } finally {
        this.#set({ login: undefined });
      }
      await this.refresh();
      await this.#signedIn();
    });
  }

  /** Resumes a conversation: waits for its approvals and finishes its run. */
  resume(thread: string, title: string): void {
    const { state } = this.#snapshot;
    const known = state.pending.find((left) => left.thread === thread)?.talk;
    const taken = state.runs.some((run) => run.talk === state.talk);
    // If the current conversation is empty, the resumed conversation takes its number.
    const same = state.thread === thread || (state.thread === undefined && !taken);
    const talk = known ?? (same ? state.talk : this.#nextTalk());
    this.#dispatch({ type: 'start', talk, title, thread });
    this.#works.start(talk, (signal) => this.#follow(talk, this.driver.resume(thread, signal), signal));
  }

  fresh(): void {
    this.#dispatch({ type: 'fresh' });
  }

  add(item: ChatItem): void {
    this.#dispatch({ type: 'add', item });
  }

  report(text: string): void {
    this.add({ type: 'report', text });
  }

  fail(error: unknown): void {
    const { code, message, hint } = toErrorObject(error);
    // Replaces the hint, which names a shell command, because people can sign in without leaving the chat.
    const next = code === 'login_required' ? 'Press Enter on an empty line, or type /login.' : hint;
    this.add(code === 'interrupted' ? stoppedItem : errorItem(message, next));
  }

  async refresh(): Promise<void> {
    const status = await this.driver.status().catch(() => undefined);
    if (status !== undefined) this.#set({ status });
  }

  #prompt(text: string): void {
    const { state } = this.#snapshot;
    // A conversation that waits for the phone takes no further prompts, so a new one starts.
    const taken = isConversationOpen(state, state.talk);
    const talk = taken ? this.#nextTalk() : state.talk;
    const thread = taken ? undefined : state.thread;
    this.#dispatch({ type: 'start', talk, title: safeLine(text), text, thread });
    this.#works.start(talk, (signal) => this.#follow(talk, this.driver.run(text, thread, signal), signal));
  }

  #nextTalk(): number {
    return this.#snapshot.state.talks + 1;
  }

  async #follow(talk: number, events: AsyncIterable<AgentEvent>, signal: AbortSignal): Promise<void> {
    let finished = false;
    try {
      for await (const event of events) {
        finished ||= event.type === 'result';
        if (event.type === 'approval') {
          this.#own.add(event.approval.id);
          for (const order of outcomeOrders(event.approval)) this.#watch.told(order);
        }
        this.#dispatch({ type: 'event', talk, event });
      }
      if (!finished) throw signal.aborted ? signal.reason : new Error('the run ended without a result');
    } catch (error) {
      const { code, message, hint } = toErrorObject(signal.aborted ? signal.reason : error);
      this.#dispatch({ type: 'failed', talk, code, message, hint });
    }
    if (this.#quit) return;
    this.#watch.look();
    // Not awaited, because an unresponsive gateway must not block the person.
    void this.refresh();
  }

  async #signedIn(): Promise<void> {
    this.#watch.look();
    this.#followLive();
    const all = await this.driver.approvals().catch(() => []);
    this.#addLate(all);
    const open = all.filter(({ status }) => !isFinalApproval(status));
    for (const approval of open) {
      this.#elsewhere.set(approval.id, approval.status);
      this.add({
        type: 'note',
        text: `from an earlier session: ${approvalOutcome(approval)} (${approval.code}); continue with /resume ${approval.thread}`,
      });
    }
  }

  /**
   * Reports requests from other windows, such as the chat page. Also reports orders that reached the broker although
   * they had been reported as not placed.
   */
  async #tellChanges(): Promise<void> {
    const all = await this.driver.approvals().catch(() => []);
    this.#addLate(all);
    const unassigned = all.filter((approval) => !this.#addElsewhere(approval));
    if (unassigned.length === 0) return;
    // A program records its request right after the gateway announces it.
    await this.#clock.sleep(RECORDING_MS, this.#live.signal).catch(() => undefined);
    const later = this.#live.signal.aborted ? [] : await this.driver.approvals().catch(() => []);
    for (const approval of later) this.#addElsewhere(approval);
  }

  /** Reports a request from another window. @returns false if the request's conversation is not known yet */
  #addElsewhere(approval: ApprovalView): boolean {
    const { id, status, thread, code } = approval;
    const told = this.#elsewhere.get(id);
    const isOver = isFinalApproval(status) || status === 'unknown';
    if (this.#quit || told === status || this.#own.has(id) || (told === undefined && isOver)) return true;
    if (thread === '') return false;
    // This chat's run reports the request itself.
    if (this.#snapshot.state.runs.some((run) => run.thread === thread)) return true;
    this.#elsewhere.set(id, status);
    if (isOver) {
      for (const order of outcomeOrders(approval)) this.#watch.told(order);
      this.add({ type: 'outcome', text: approvalOutcome(approval), good: status === 'executed' });
    } else if (told === undefined) {
      this.add({ type: 'note', text: `from another window: ${approvalOutcome(approval)} (${code})` });
    }
    return true;
  }

  #addLate(approvals: readonly ApprovalView[]): void {
    for (const approval of approvals) {
      if (!wasReportedAsNotPlaced(approval) || this.#toldLate.has(approval.id) || this.#quit) continue;
      this.#toldLate.add(approval.id);
      const text = `${approvalOutcome(approval)} (${approval.code}); see "trade-agent approvals show ${approval.id}"`;
      this.add({ type: 'outcome', text: safeLine(text), good: false });
    }
  }

  /** Refreshes the chat on each gateway event and, for market prices, at intervals. */
  #followLive(): void {
    if (this.#following || this.#quit) return;
    this.#following = true;
    const changed = () => {
      this.#watch.look();
      void this.#tellChanges();
      void this.refresh();
    };
    // If the gateway rejects the event stream, `#refreshOften` still refreshes the chat.
    void this.driver.events(this.#live.signal, changed).catch(() => undefined);
    void this.#refreshOften(this.#live.signal);
  }

  async #refreshOften(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(VALUE_INTERVAL_MS, signal).catch(() => undefined);
      if (!signal.aborted) await this.refresh();
    }
  }

  #orderChanged(order: Order): void {
    // If a run of this chat follows the order, the run already reports the change.
    const followed = this.#snapshot.state.runs.some(({ approvals }) =>
      approvals.some((one) => one.kind === 'order' && one.order.client_order_id === order.client_order_id),
    );
    if (followed) return;
    this.add({
      type: 'outcome',
      text: safeLine(describeOrderOutcome(order)),
      good: order.status === 'filled' || order.status === 'partially_filled',
    });
    void this.refresh();
  }

  #decide(yes: boolean): void {
    const answer = this.#answer;
    this.#answer = undefined;
    this.#set({ question: undefined });
    answer?.(yes);
  }

  #dispatch(action: ChatAction): void {
    this.#set({ state: chatReducer(this.#snapshot.state, action) });
  }

  #set(change: Partial<ChatSnapshot>): void {
    const next = { ...this.#snapshot, ...change };
    const waiting = new Set(next.state.runs.filter(isRunWaiting).map(({ talk }) => talk));
    const busy = next.question === undefined && this.#works.some((talk) => talk === undefined || !waiting.has(talk));
    const free = !busy && next.status.connected && next.question === undefined && !this.#quit;
    const [first, ...others] = next.queued;
    this.#snapshot = { ...next, busy, queued: free && first !== undefined ? others : next.queued };
    for (const listener of this.#listeners) listener();
    if (free && first !== undefined) this.#take(first);
  }
}

interface Work {
  readonly stop: AbortController;
  readonly done: Promise<void>;
  readonly talk: number | undefined;
}

/** The running work of a chat. Work that belongs to no conversation, such as signing in, has no `talk`. */
class WorkSet {
  readonly #works = new Set<Work>();
  readonly #failed: (error: unknown) => void;
  readonly #changed: () => void;

  constructor(parts: { failed: (error: unknown) => void; changed: () => void }) {
    this.#failed = parts.failed;
    this.#changed = parts.changed;
  }

  start(talk: number | undefined, work: (signal: AbortSignal) => Promise<void>): void {
    const stop = new AbortController();
    const done = work(stop.signal)
      .catch((error) => this.#failed(stop.signal.aborted ? stop.signal.reason : error))
      .finally(() => {
        this.#works.delete(entry);
        this.#changed();
      });
    const entry: Work = { stop, done, talk };
    this.#works.add(entry);
    this.#changed();
  }

  some(is: (talk: number | undefined) => boolean): boolean {
    return [...this.#works].some(({ talk }) => is(talk));
  }

  stop(is: (talk: number | undefined) => boolean = () => true): void {
    for (const { stop, talk } of this.#works)
      if (is(talk)) stop.abort(new TradeAgentError('interrupted', 'interrupted'));
  }

  async idle(): Promise<void> {
    while (this.#works.size > 0) await Promise.all([...this.#works].map(({ done }) => done));
  }
}

/** Polling interval in milliseconds while an order is open: twelve requests a minute, far below any broker's limit. */
const ORDER_POLL_INTERVAL_MS = 5_000;
const ORDER_RETRY_INTERVAL_MS = 30_000;

/**
 * Watches open orders, including orders placed by other programs, and reports each change (fill, partial fill,
 * cancellation). Polls only while an order is open, or when `look` is called.
 */
export class OpenOrderWatcher {
  readonly #orders: () => Promise<readonly Order[]>;
  readonly #clock: Clock;
  readonly #changed: (order: Order) => void;
  readonly #known = new Map<string, string>();
  readonly #stop = new AbortController();
  #looking = false;
  #again = false;

  constructor(parts: {
    orders: () => Promise<readonly Order[]>;
    clock: Clock;
    changed: (order: Order) => void;
  }) {
    this.#orders = parts.orders;
    this.#clock = parts.clock;
    this.#changed = parts.changed;
  }

  told(order: Order): void {
    this.#known.set(order.id, orderState(order));
  }

  look(): void {
    if (this.#stop.signal.aborted) return;
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = true;
    void this.#watch()
      .catch(() => undefined)
      .finally(() => {
        this.#looking = false;
      });
  }

  stop(): void {
    this.#stop.abort();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#again = false;
      let open = true;
      let pause = ORDER_POLL_INTERVAL_MS;
      try {
        open = this.#compare(await this.#orders());
      } catch {
        pause = ORDER_RETRY_INTERVAL_MS;
      }
      if (!open && !this.#again) return;
      await this.#clock.sleep(pause, signal);
    }
  }

  /** Reports changed orders. @returns whether any order is still open */
  #compare(orders: readonly Order[]): boolean {
    if (this.#stop.signal.aborted) return false;
    for (const order of orders) {
      const before = this.#known.get(order.id);
      this.told(order);
      // Seeing an order for the first time is not a change. If this chat placed the order, the order's run reports it.
      if (before !== undefined && before !== orderState(order)) this.#changed(order);
    }
    return orders.some((order) => !hasEnded(order));
  }
}

function orderState(order: Order): string {
  const { legs = [] } = order;
  return [order, ...legs].map(({ status, filled_qty }) => `${status} ${filled_qty}`).join(', ');
}
