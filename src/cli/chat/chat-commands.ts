import type { ApprovalView } from '../../agent/events.ts';
import { themeNames } from '../../config/theme-name.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { findClosestMatch } from '../../text/closest-match.ts';
import { safeLine } from '../../text/sanitize.ts';
import type { TradingState } from '../../trading/policy-views.ts';
import { approvalOutcome, isFinalApproval } from '../text/approval-lines.ts';
import { formatLocalTime } from '../text/as-of.ts';
import type { ChatSession } from './chat-session.ts';
import { isRunWaiting, shortTitle } from './chat-state.ts';
import { nearestCommand, type SlashCommand, type SlashName, slashHelpLines } from './slash-commands.ts';

/**
 * Maximum number of rows of a printed list, so that the list and the live part fit on the screen. The newest row of a
 * list comes last, next to the input.
 */
const MAX_LIST_ROWS = 15;
const CLEARING_ROWS = 60;

type Handler = (chat: ChatSession, args: readonly string[]) => void;

const handlers: Record<Exclude<SlashName, 'quit'>, Handler> = {
  help: (chat) => chat.report(slashHelpLines),
  portfolio: (chat) => runReport(chat, () => chat.driver.portfolio()),
  orders: (chat) => runReport(chat, () => chat.driver.ordersReport()),
  chart,
  approvals,
  threads,
  resume,
  theme,
  model,
  mcp: (chat) => runReport(chat, () => chat.driver.mcpServers()),
  profile,
  clear,
  halt,
  login: (chat) => chat.login(),
};

export function runChatCommand(chat: ChatSession, { name, args }: SlashCommand): void {
  const handler = Object.hasOwn(handlers, name) ? handlers[name as keyof typeof handlers] : undefined;
  if (handler !== undefined) {
    handler(chat, args);
    return;
  }
  const nearest = nearestCommand(name);
  const meant = nearest === undefined ? '/portfolio, /orders, /chart or /help' : `/${nearest}`;
  chat.fail(usageError(`unknown command /${safeLine(name)}`, `Did you mean ${meant}? Type / to see all commands.`));
}

function runReport(chat: ChatSession, text: () => Promise<string>): void {
  chat.work(async (signal) => chat.report(await abortable(text(), signal)));
}

/** Waits for the promise, but rejects as soon as the signal aborts: Esc works even if the gateway does not respond. */
function abortable<T>(looking: Promise<T>, signal: AbortSignal): Promise<T> {
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([looking, stopped]);
}

function chart(chat: ChatSession, args: readonly string[]): void {
  chat.work(async (signal) => {
    const said = new Set(args.map((arg) => arg.toLowerCase().replace(/^--?/, '')));
    const [typed, range, ...more] = args.filter((arg) => !/^-{0,2}(candles|volume|line)$/i.test(arg));
    if (more.length > 0) {
      throw usageError(
        `unknown chart option "${safeLine(more.join(' '))}"`,
        'For example: /chart AAPL 3m candles volume',
      );
    }
    const look = { candles: said.has('candles'), volume: said.has('volume') };
    const symbol = typed ?? (await pickSymbol(chat, signal));
    if (symbol === undefined) return;
    chat.report(await abortable(chat.driver.chart(symbol.toUpperCase(), range, look), signal));
  });
}

/** Lets the person pick one of their symbols, or type another one. Returns undefined if the person cancels. */
async function pickSymbol(chat: ChatSession, signal: AbortSignal): Promise<string | undefined> {
  const picked = await chat.picking.pick({
    title: 'Chart of which symbol?',
    choices: await abortable(chat.driver.symbols(), signal),
    search: chat.driver.searchSymbols,
    other: (typed) => (/^[a-z]{1,5}$/i.test(typed) ? { label: typed.toUpperCase(), what: '' } : undefined),
  });
  return picked?.label;
}

function approvals(chat: ChatSession, [verb, code]: readonly string[]): void {
  chat.work(async () => {
    const all = await chat.driver.approvals();
    if (verb === undefined) {
      const lines = all.slice(0, MAX_LIST_ROWS).map(approvalLine).reverse();
      return chat.report(lines.length === 0 ? 'No approvals.' : lines.join('\n'));
    }
    if (verb !== 'cancel') {
      throw usageError(`unknown command /approvals ${safeLine(verb)}`, 'Use /approvals, or /approvals cancel CODE.');
    }
    if (code === undefined) {
      throw usageError('cancel which approval?', 'Add its code: /approvals cancel K7QP. Type /approvals for the list.');
    }
    const wanted = code.toUpperCase();
    const found = all.filter((approval) => approval.code === wanted || approval.id.toUpperCase() === wanted);
    // Codes are short and can repeat, so prefer the open approval.
    const approval = found.find(({ status }) => !isFinalApproval(status)) ?? found[0];
    if (approval === undefined) {
      throw usageError(`there is no approval ${safeLine(code)}`, 'Type /approvals for the list.');
    }
    chat.report(approvalLine(await chat.driver.cancelApproval(approval.id)));
  });
}

function approvalLine(approval: ApprovalView): string {
  return `${approval.code}  ${approval.id}  ${approvalOutcome(approval)}`;
}

function threads(chat: ChatSession): void {
  runReport(chat, async () => {
    const all = await chat.driver.threads();
    if (all.length === 0) return 'No conversations yet.';
    const { runs, pending, thread: current } = chat.snapshot().state;
    const shown = all.slice(0, MAX_LIST_ROWS).reverse();
    const width = Math.max(...shown.map(({ thread }) => thread.length));
    return shown
      .map(({ thread, status, prompt, updated_at }) => {
        const here = [...runs, ...pending].find((talk) => talk.thread === thread);
        const mark = here === undefined ? (thread === current ? '*' : '') : `#${here.talk}`;
        const waits = runs.some((run) => run.thread === thread && isRunWaiting(run));
        return `${mark.padEnd(3)} ${formatLocalTime(updated_at)}  ${thread.padEnd(width)}  ${(waits ? 'on phone' : status).padEnd(8)} ${shortTitle(prompt)}`;
      })
      .join('\n');
  });
}

function resume(chat: ChatSession, [wanted]: readonly string[]): void {
  chat.work(async () => {
    const { pending, runs, thread: current } = chat.snapshot().state;
    const numbered = pending.find(({ talk }) => wanted === `#${talk}` || wanted === String(talk))?.thread;
    const left = pending.at(-1)?.thread;
    const earlier = async () =>
      (await chat.driver.approvals()).find(
        ({ status, thread }) => !isFinalApproval(status) && !runs.some((run) => run.thread === thread),
      )?.thread;
    const thread = numbered ?? wanted ?? left ?? (await earlier()) ?? (await pickThread(chat, current));
    if (thread === 'none') return;
    if (thread === undefined) throw usageError('there is nothing to resume', 'See /threads and /approvals.');
    if (runs.some((run) => run.thread === thread || `#${run.talk}` === wanted)) {
      throw usageError(
        'that conversation is already active',
        'Its order is shown below. Approve or deny it on your phone.',
      );
    }
    // Checks that the thread exists, because resuming an unknown thread would start a new conversation.
    const all = (await chat.driver.threads()).map((one) => one.thread);
    if (!all.includes(thread)) {
      const nearest = findClosestMatch(thread, all);
      throw usageError(
        `there is no conversation ${safeLine(thread)}`,
        `${nearest === undefined ? '' : `Did you mean ${nearest}? `}Type /threads for the list.`,
      );
    }
    chat.resume(thread, `resume ${thread}`);
  });
}

/** Statuses of unfinished conversations, which `/resume` can continue. */
const unfinishedStatuses = ['running', 'pending', 'unknown', 'failed'];

/**
 * Returns the current conversation if it is unfinished, otherwise the conversation that the person picks. Returns
 * `none` if the person cancels.
 */
async function pickThread(chat: ChatSession, current: string | undefined): Promise<string | undefined> {
  const threads = await chat.driver.threads();
  const here = threads.find(({ thread }) => thread === current);
  const all = threads.filter((one) => one !== here);
  if (all.length === 0 || (here !== undefined && unfinishedStatuses.includes(here.status))) return current;
  const picked = await chat.picking.pick({
    title: 'Continue which conversation?',
    choices: all.map(({ thread, updated_at, status, prompt }) => ({
      thread,
      label: `${formatLocalTime(updated_at)}  ${status}`,
      what: shortTitle(prompt),
      also: [thread],
    })),
  });
  return picked?.thread ?? 'none';
}

/** Returns the typed name, or else the label that the person picks. Returns undefined if the person cancels. */
async function pickUnlessNamed(
  chat: ChatSession,
  name: string | undefined,
  offer: Parameters<ChatSession['picking']['pick']>[0],
): Promise<string | undefined> {
  return name ?? (await chat.picking.pick(offer))?.label;
}

function theme(chat: ChatSession, [name]: readonly string[]): void {
  chat.work(async () => {
    const now = chat.snapshot().theme;
    const picked = await pickUnlessNamed(chat, name, {
      title: `Theme for this session (now ${now})`,
      choices: themeNames.map((one) => ({ label: one, what: one === now ? 'now' : '' })),
    });
    if (picked === undefined) return;
    const chosen = themeNames.find((one) => one === picked.toLowerCase());
    if (chosen === undefined) {
      throw usageError(`there is no theme "${safeLine(picked)}"`, `Choose from ${themeNames.join(', ')}.`);
    }
    chat.chooseTheme(chosen);
    chat.add({ type: 'note', text: `Switched to theme ${chosen}. Earlier output keeps its colors.` });
  });
}

function model(chat: ChatSession, [name]: readonly string[]): void {
  chat.work(async () => {
    const { status, state } = chat.snapshot();
    if (state.runs.length > 0) throw pendingOrderError();
    const picked = await pickUnlessNamed(chat, name, {
      title: `Model for this session (now ${status.model})`,
      choices: name === undefined ? await chat.driver.models() : [],
      other: (typed) => ({ label: typed, what: 'use the model with this name' }),
    });
    if (picked === undefined) return;
    await chat.driver.chooseModel(picked);
    await chat.refresh();
    chat.add({ type: 'note', text: `Switched to ${chat.snapshot().status.model}.` });
  });
}

function profile(chat: ChatSession, [typed]: readonly string[]): void {
  chat.work(async () => {
    const all = await chat.driver.profiles();
    const name = await pickUnlessNamed(chat, typed, {
      title: 'Which profile?',
      choices: all.map((one) => ({ label: one.name, what: `${one.environment}${one.current ? ', now' : ''}` })),
    });
    if (name === undefined || all.some((one) => one.current && one.name === name)) return;
    if (!all.some((one) => one.name === name)) {
      const names = all.map((one) => one.name);
      const nearest = findClosestMatch(name, names);
      const hint = nearest === undefined ? 'See /profile.' : `Did you mean "${nearest}"?`;
      throw usageError(`there is no profile "${safeLine(name)}"`, hint);
    }
    if (chat.snapshot().state.runs.length > 0) throw pendingOrderError();
    // Checks that the other profile is complete before this chat ends.
    await chat.driver.checkProfile(name);
    chat.nextProfile = name;
    // Not awaited, because `quit` waits for running work, and this function is running work.
    void chat.quit();
  });
}

function clear(chat: ChatSession): void {
  chat.add({ type: 'space', rows: CLEARING_ROWS });
  chat.fresh();
  chat.add({ type: 'note', text: 'New conversation. Earlier messages are above and in /threads.' });
}

function halt(chat: ChatSession, [verb]: readonly string[]): void {
  if (verb === 'lift') {
    liftHalt(chat);
    return;
  }
  chat.work(async () => {
    if (verb !== undefined) {
      throw usageError(`unknown command /halt ${safeLine(verb)}`, 'Use /halt, or /halt lift to resume trading.');
    }
    const open = (await chat.driver.approvals()).filter(({ status }) => !isFinalApproval(status));
    const taken =
      open.length === 0
        ? 'No approvals are pending.'
        : `This withdraws your pending approvals: ${open.map(({ code }) => code).join(', ')}.`;
    const yes = await chat.ask(
      `This halts all trading, from every program, until you lift the halt on your phone. ${taken} Orders already at the broker stay open; see /orders. Halt? (y/n)`,
    );
    if (!yes) return chat.add({ type: 'note', text: 'Not halted. Nothing has changed.' });
    await chat.driver.halt();
    // Loads the status so that the status line shows the halt.
    await chat.refresh();
    chat.add({
      type: 'outcome',
      text: 'HALTED: no orders are placed. You can still view and cancel orders. Resume with /halt lift.',
      good: false,
    });
  });
}

function liftHalt(chat: ChatSession): void {
  chat.work(async (signal) => {
    const state = await chat.driver.liftHalt(({ code }) => {
      chat.add({
        type: 'note',
        text: `Approve lifting the halt on your phone (code ${code}). Press Esc to stop waiting.`,
      });
    }, signal);
    await chat.refresh();
    chat.add({ type: 'outcome', text: liftOutcomes[state], good: state === 'active' });
  });
}

const liftOutcomes: Readonly<Record<TradingState, string>> = {
  active: 'The halt is lifted. Trading is active.',
  reducing: 'The halt is lifted, but you can still only reduce positions. Lift that restriction too with /halt lift.',
  halted: 'Trading was halted again in the meantime.',
};

function usageError(message: string, hint: string): TradeAgentError {
  return new TradeAgentError('usage', message, { hint });
}

function pendingOrderError(): TradeAgentError {
  return usageError(
    'an order is waiting for your approval',
    'Approve or deny it first, or withdraw it with /approvals cancel CODE.',
  );
}
