import { randomBytes } from 'node:crypto';
import type { AgentEvent, ApprovalView, RunResult, ThreadMessage, ThreadRecord } from '../../agent/events.ts';
import { toErrorObject } from '../../errors/error-object.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { toRequestPanel } from '../../home/phone/dashboard/proposals-part.ts';
import type {
  ConversationActivity,
  ConversationItem,
  ConversationPatch,
  RequestPanel,
} from '../../home/phone/web/chat-events.ts';
import type { Clock } from '../../machine/clock.ts';
import { safeLine, safeText } from '../../text/sanitize.ts';
import { findTool } from '../../tools/catalog.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import { environmentName } from '../../trading/environment.ts';
import { getKindDefinition, kindPayload, kinds } from '../../trading/kinds/kinds.ts';
import { orderStatusWords } from '../../trading/kinds/phrases.ts';
import { isInProgressState, isSettledState } from '../../trading/proposal.ts';
import { containsMessage } from '../run.ts';
import { connectionLine, failureMessage, isProposalTool, toolCallText } from '../run-words.ts';

/** Maximum number of stored messages shown when a conversation is opened. Older messages are left out. */
const MAX_MESSAGES = 300;
/** Milliseconds for which changes are collected into one patch, so that a fast model does not flood the page. */
const COLLECT_MS = 30;
/** Number of patches kept for pages that reconnect. A page that missed more patches receives all items. */
const MAX_KEPT_PATCHES = 200;

export interface ConversationDeps {
  /** Reads the thread. @param asKept whether to use stored states of approvals instead of asking the gateway */
  read(thread: string, asKept: boolean): Promise<ThreadRecord>;
  readonly gateway: Pick<GatewayClient, 'proposal'>;
  readonly clock: Clock;
  readonly closing: AbortSignal;
}

interface NumberedPatch {
  readonly version: number;
  readonly patch: ConversationPatch;
}

type Item<Kind extends ConversationItem['kind']> = Extract<ConversationItem, { kind: Kind }>;

/**
 * One thread, as the chat page shows it. A run of this process reports its events. A run of another process, such as
 * the terminal's chat, is read from the thread's record.
 */
export class Conversation {
  readonly thread: string;
  readonly #parts: ConversationDeps;
  /** Prefix of this object's patch IDs, because another process also numbers its patches from 1. */
  readonly #id = randomBytes(6).toString('hex');
  readonly #listeners = new Set<() => void>();
  #items: readonly ConversationItem[] = [];
  /** Tool names by call ID. */
  readonly #tools = new Map<string, string>();
  /** The state of each approval when its panel was created, as JSON, by approval ID. */
  readonly #approvals = new Map<string, string>();
  /** Number of the record's messages that are already in the items. */
  #shown = 0;
  #isStreaming = false;
  #isElsewhere = false;
  #run: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #sent: { readonly items: readonly ConversationItem[]; readonly texts: readonly string[] } = { items: [], texts: [] };
  #activity: ConversationActivity = 'idle';
  #version = 0;
  #patches: readonly NumberedPatch[] = [];
  #isCollecting = false;

  constructor(thread: string, parts: ConversationDeps) {
    this.thread = thread;
    this.#parts = parts;
  }

  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /** Whether the run only waits for approvals on the phone. If so, the person may start another conversation. */
  get isWaiting(): boolean {
    return this.#currentActivity() === 'waiting';
  }

  get isUsed(): boolean {
    return this.isRunning || this.#listeners.size > 0;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Returns the patches after the given ID, or all items if the ID is unknown or too old.
   * @param last the ID of the last patch that the page received
   */
  since(last: string | undefined): readonly { readonly id: string; readonly patch: ConversationPatch }[] {
    const [id, number] = (last ?? '').split('.');
    const known = id === this.#id && number !== undefined ? Number(number) : Number.NaN;
    if (known === this.#version) return [];
    const missed = this.#patches.filter(({ version }) => version > known);
    if (missed[0]?.version === known + 1)
      return missed.map(({ version, patch }) => ({ id: `${this.#id}.${version}`, patch }));
    const all = { from: 0, items: this.#sent.items, activity: this.#activity };
    return [{ id: `${this.#id}.${this.#version}`, patch: all }];
  }

  /**
   * Reads what other processes added to the thread. Does nothing while a run of this process is active, because that
   * run reports its own events.
   * @throws {TradeAgentError} `not_found`
   */
  refresh(asKept = false): Promise<void> {
    return this.#inTurn(async () => {
      if (this.isRunning) return;
      const record = await this.#parts.read(this.thread, asKept);
      // A run may have started while the record was read.
      if (!this.isRunning) await this.#show(record);
    });
  }

  /** Starts a run and returns immediately. @param prompt the person's message; undefined to resume the thread */
  start(prompt: string | undefined, begin: (signal: AbortSignal) => AsyncIterable<AgentEvent>): void {
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#parts.closing]);
    if (prompt !== undefined) this.#push({ kind: 'prompt', text: safeText(prompt) });
    this.#isElsewhere = false;
    this.#run = { stop, done: this.#follow(begin, signal) };
    this.#changed();
  }

  /** Stops the run, as Esc does in the terminal. Approval requests stay open, and approved orders are still placed. */
  stop(): void {
    this.#run?.stop.abort(new TradeAgentError('interrupted', 'interrupted'));
  }

  async ended(): Promise<void> {
    await this.#run?.done;
  }

  async #follow(begin: (signal: AbortSignal) => AsyncIterable<AgentEvent>, signal: AbortSignal): Promise<void> {
    let result: RunResult | undefined;
    try {
      for await (const event of begin(signal)) {
        if (event.type === 'result') result = event.result;
        await this.#inTurn(() => this.#apply(event));
      }
      if (result === undefined) throw new Error('the run ended without a result');
    } catch (error) {
      if (!signal.aborted) this.#fail(toErrorObject(error));
    }
    // If a run is stopped while it only waits, its result contains no error.
    if (signal.aborted) this.#noteStopped();
    await this.#inTurn(async () => {
      this.#isStreaming = false;
      this.#run = undefined;
      this.#changed();
      // Another run is using the thread. That run's messages are new to this page, so they must still be shown.
      if (result?.error?.code === 'busy') return;
      const record = await this.#parts.read(this.thread, true).catch(() => undefined);
      if (record !== undefined) this.#shown = record.messages.length;
    });
  }

  async #apply(event: AgentEvent): Promise<void> {
    switch (event.type) {
      case 'text':
        this.#addText(safeText(event.delta));
        break;
      case 'tool_call':
        this.#addCall(event.id, event.name, toolCallText(event));
        break;
      case 'tool_result':
        this.#endCall(event.id, event.ok, safeLine(event.summary));
        break;
      case 'approval':
        await this.#showApproval(event.approval);
        break;
      case 'connection':
        this.#push({ kind: 'note', text: connectionLine(event.connection) });
        break;
      case 'notice':
        this.#push({ kind: 'note', text: safeLine(event.message) });
        break;
      case 'result':
        this.#addResult(event.result);
        break;
      default:
        break;
    }
    this.#changed();
  }

  #addText(delta: string): void {
    const last = this.#items.at(-1);
    if (this.#isStreaming && last?.kind === 'answer') {
      this.#items = [...this.#items.slice(0, -1), { kind: 'answer', text: last.text + delta }];
      return;
    }
    const text = delta.trimStart();
    if (text === '') return;
    this.#push({ kind: 'answer', text });
    this.#isStreaming = true;
  }

  #addCall(id: string, tool: string, text: string): void {
    this.#tools.set(id, tool);
    this.#push({ kind: 'tool', id, text, state: 'running', summary: '' });
  }

  #endCall(id: string, ok: boolean, summary: string): void {
    this.#replace(
      (item): item is Item<'tool'> => item.kind === 'tool' && item.id === id && item.state === 'running',
      (item) => ({ ...item, state: ok ? 'done' : 'failed', summary }),
    );
  }

  #addResult({ text, error }: RunResult): void {
    if (error?.code === 'interrupted') return;
    // A model that doesn't stream delivers its answer only in the result.
    if (this.#items.at(-1)?.kind !== 'answer' && text.trim() !== '')
      this.#push({ kind: 'answer', text: safeText(text) });
    if (error !== undefined && !containsMessage(text, error.message)) this.#fail(error);
  }

  #fail({ code, message, hint }: { readonly code: string; readonly message: string; readonly hint?: string }): void {
    if (code === 'busy') {
      this.#push({
        kind: 'error',
        text: 'This conversation is in use in another window or terminal, so your message was not sent.',
        hint: 'Wait until that run ends, or start a new conversation.',
      });
    } else {
      this.#push({ kind: 'error', text: safeText(message), ...(hint === undefined ? {} : { hint: safeText(hint) }) });
    }
    this.#changed();
  }

  #noteStopped(): void {
    const isOpen = this.#items.some((item) => item.kind === 'request' && item.request.isOpen);
    const more = isOpen ? ' The request stays on your phone, and its order is placed if you approve it.' : '';
    this.#push({ kind: 'note', text: `Stopped.${more}` });
    this.#changed();
  }

  /** Shows the messages and approvals that are new in the thread's record. */
  async #show(record: ThreadRecord): Promise<void> {
    const { messages, approvals, status } = record;
    if (messages.length < this.#shown) this.#clear();
    if (this.#shown === 0 && messages.length > MAX_MESSAGES) {
      this.#shown = messages.length - MAX_MESSAGES;
      this.#push({ kind: 'note', text: 'Earlier messages of this conversation are not shown.' });
    }
    for (const message of messages.slice(this.#shown)) this.#showMessage(message);
    this.#shown = messages.length;
    for (const approval of approvals) await this.#showApproval(approval);
    this.#isElsewhere = status === 'running';
    this.#changed();
  }

  #showMessage(message: ThreadMessage): void {
    const { role, text } = message;
    if (role === 'tool') this.#endCall(message.call, message.ok, message.ok ? '' : failureMessage(text));
    else if (role === 'user') this.#push({ kind: 'prompt', text: safeText(text) });
    else if (role === 'context')
      this.#push({ kind: 'note', text: `Standard input with ${text.length} characters was given as context.` });
    else {
      if (text.trim() !== '') this.#push({ kind: 'answer', text: safeText(text) });
      for (const call of message.calls)
        this.#addCall(call.id, call.name, toolCallText({ ...call, title: findTool(call.name)?.title }));
    }
  }

  #clear(): void {
    this.#items = [];
    this.#tools.clear();
    this.#approvals.clear();
    this.#shown = 0;
  }

  async #showApproval(approval: ApprovalView): Promise<void> {
    const text = JSON.stringify(approval);
    if (this.#approvals.get(approval.id) === text) return;
    const request = await this.#panel(approval);
    this.#approvals.set(approval.id, text);
    const item = { kind: 'request', id: approval.id, request } as const;
    const isKnown = this.#replace(
      (one): one is Item<'request'> => one.kind === 'request' && one.id === approval.id,
      () => item,
    );
    if (isKnown) return;
    // The panel replaces the call that proposed the order.
    const after = this.#items.findLastIndex(({ kind }) => kind === 'request');
    const isPlaced = this.#replace(
      (one): one is Item<'tool'> => one.kind === 'tool' && this.#mayHaveProposed(one, approval),
      () => item,
      after + 1,
    );
    if (!isPlaced) this.#push(item);
  }

  #mayHaveProposed({ id, state }: Item<'tool'>, { status }: ApprovalView): boolean {
    if (!isProposalTool(this.#tools.get(id) ?? '')) return false;
    return state === 'running' || (state === 'done') === (status === 'executed');
  }

  async #panel(approval: ApprovalView): Promise<RequestPanel> {
    try {
      return toRequestPanel(await this.#parts.gateway.proposal(approval.id));
    } catch {
      return lastKnownPanel(approval);
    }
  }

  #push(item: ConversationItem): void {
    this.#isStreaming = false;
    this.#items = [...this.#items, item];
  }

  /** Replaces the first matching item. @returns whether an item matched */
  #replace<T extends ConversationItem>(
    matches: (item: ConversationItem) => item is T,
    change: (item: T) => ConversationItem,
    from = 0,
  ): boolean {
    const at = this.#items.findIndex((item, index) => index >= from && matches(item));
    const found = this.#items[at];
    if (found === undefined || !matches(found)) return false;
    this.#items = this.#items.with(at, change(found));
    return true;
  }

  /** Runs work after all earlier work, because a slow read must not overwrite a newer change. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  #currentActivity(): ConversationActivity {
    const open = this.#items.some((item) => item.kind === 'request' && item.request.isOpen);
    if (this.isRunning) {
      const isWorking =
        this.#isStreaming || this.#items.some((item) => item.kind === 'tool' && item.state === 'running');
      return open && !isWorking ? 'waiting' : 'working';
    }
    if (this.#isElsewhere) return 'elsewhere';
    return open ? 'open' : 'idle';
  }

  #changed(): void {
    if (this.#isCollecting) return;
    this.#isCollecting = true;
    const { clock, closing } = this.#parts;
    void clock
      .sleep(COLLECT_MS, closing)
      .catch(() => undefined)
      .then(() => {
        this.#isCollecting = false;
        this.#commit();
      });
  }

  #commit(): void {
    const items = this.#items;
    const texts = items.map((item) => JSON.stringify(item));
    const before = this.#sent.texts;
    let from = 0;
    while (from < texts.length && texts[from] === before[from]) from += 1;
    const activity = this.#currentActivity();
    if (from === texts.length && from === before.length && activity === this.#activity) return;
    this.#version += 1;
    this.#activity = activity;
    this.#sent = { items, texts };
    const patch = { from, items: items.slice(from), activity };
    this.#patches = [...this.#patches, { version: this.#version, patch }].slice(-MAX_KEPT_PATCHES);
    for (const listener of this.#listeners) listener();
  }
}

/** Returns whether the error means that the thread does not exist. */
export function isUnknownThread(error: unknown): boolean {
  return isTradeAgentError(error) && error.code === 'not_found';
}

/** Returns an approval's panel from its last known state, for when the gateway can't be reached. */
function lastKnownPanel(approval: ApprovalView): RequestPanel {
  const { id, kind, status, code, code_entry, expires_at, environment, worst_case, warnings, client } = approval;
  const words = kinds[kind].phrases.status[status] ?? orderStatusWords[status];
  return {
    id,
    state: status,
    words: `${words} (last known; the gateway can’t be reached)`,
    isOpen: !isSettledState(status) && !isInProgressState(status),
    isGood: status === 'executed',
    code: safeLine(code),
    isCodeTyped: code_entry !== undefined,
    expiresAt: expires_at,
    environment: environmentName(environment),
    environmentNote: '',
    isLive: environment !== 'paper',
    headline: safeLine(getKindDefinition(kind).terminal.headline(kindPayload(approval))),
    terms: '',
    cautions: warnings.map((text) => safeLine(text)),
    askedBy: safeLine(client),
    fields: [],
    ...(worst_case === null ? {} : { worstCase: safeLine(worst_case.text) }),
  };
}
