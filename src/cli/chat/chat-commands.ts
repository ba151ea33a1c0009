import type { ApprovalView } from '../../agent/events.ts';
import { themeNames } from '../../config/theme-name.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { closestMatch } from '../../text/closest-match.ts';
import { safeLine } from '../../text/shown-text.ts';
import type { TradingState } from '../../trading/policy-views.ts';
import { approvalOutcome, isFinalApproval } from '../text/approval-lines.ts';
import { localTime } from '../text/as-of.ts';
import type { ChatSession } from './chat-session.ts';
import { isWaiting, shortTitle } from './chat-state.ts';
import { type SlashCommand, type SlashName, slashCommands, slashHelp } from './slash-commands.ts';

/** Fits on a screen beside what is going on. */
const MOST_ROWS = 15;
/** More rows than any terminal has; Ink draws only what exists. */
const CLEARING_ROWS = 60;

type Handler = (chat: ChatSession, args: readonly string[]) => void;

const handlers: Record<Exclude<SlashName, 'quit'>, Handler> = {
  help: (chat) => chat.report(slashHelp),
  portfolio: (chat) => report(chat, () => chat.driver.portfolio()),
  orders: (chat) => report(chat, () => chat.driver.ordersReport()),
  chart,
  approvals,
  threads,
  resume,
  theme,
  model,
  mcp: (chat) => report(chat, () => chat.driver.mcpServers()),
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
  const names = slashCommands.map((command) => command.name);
  const nearest = closestMatch(name, names);
  const meant = nearest === undefined ? '' : `Did you mean /${nearest}? `;
  chat.fail(usage(`there is no /${safeLine(name)}`, `${meant}/help lists what there is.`));
}

function report(chat: ChatSession, text: () => Promise<string>): void {
  chat.work(async (signal) => chat.report(await unlessStopped(text(), signal)));
}

/** Esc leaves a command that only reads, even while the gateway doesn't answer. */
function unlessStopped<T>(looking: Promise<T>, signal: AbortSignal): Promise<T> {
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([looking, stopped]);
}

function chart(chat: ChatSession, args: readonly string[]): void {
  report(chat, async () => {
    const said = new Set(args.map((arg) => arg.toLowerCase().replace(/^--?/, '')));
    const [symbol, range, ...more] = args.filter((arg) => !/^-{0,2}(candles|volume|line)$/i.test(arg));
    if (symbol === undefined) throw usage('a chart of what?', 'Name a symbol: /chart AAPL 3m candles volume');
    if (more.length > 0) {
      throw usage(`a chart takes no "${safeLine(more.join(' '))}"`, 'As in: /chart AAPL 3m candles volume');
    }
    const look = { candles: said.has('candles'), volume: said.has('volume') };
    return chat.driver.chart(symbol.toUpperCase(), range, look);
  });
}

function approvals(chat: ChatSession, [verb, code]: readonly string[]): void {
  chat.work(async () => {
    const all = await chat.driver.approvals();
    if (verb === undefined) {
      const lines = all.slice(0, MOST_ROWS).map(approvalLine);
      return chat.report(lines.length === 0 ? 'No approvals.' : lines.join('\n'));
    }
    if (verb !== 'cancel') {
      throw usage(`there is no /approvals ${safeLine(verb)}`, 'Use /approvals, or /approvals cancel CODE.');
    }
    if (code === undefined) {
      throw usage('cancel which approval?', 'Name its code: /approvals cancel K7QP; /approvals lists them.');
    }
    const wanted = code.toUpperCase();
    const found = all.filter((approval) => approval.code === wanted || approval.id.toUpperCase() === wanted);
    // Codes are short: of two equal ones the open one is meant.
    const approval = found.find(({ status }) => !isFinalApproval(status)) ?? found[0];
    if (approval === undefined) {
      throw usage(`there is no approval ${safeLine(code)}`, '/approvals lists them.');
    }
    chat.report(approvalLine(await chat.driver.cancelApproval(approval.id)));
  });
}

function approvalLine(approval: ApprovalView): string {
  return `${approval.code}  ${approval.id}  ${approvalOutcome(approval)}`;
}

function threads(chat: ChatSession): void {
  report(chat, async () => {
    const all = await chat.driver.threads();
    if (all.length === 0) return 'No conversations yet.';
    const { runs, pending, thread: current } = chat.snapshot().state;
    const shown = all.slice(0, MOST_ROWS);
    const width = Math.max(...shown.map(({ thread }) => thread.length));
    return shown
      .map(({ thread, status, prompt, updated_at }) => {
        const here = [...runs, ...pending].find((talk) => talk.thread === thread);
        const mark = here === undefined ? (thread === current ? '*' : '') : `#${here.talk}`;
        const waits = runs.some((run) => run.thread === thread && isWaiting(run));
        return `${mark.padEnd(3)} ${localTime(updated_at)}  ${thread.padEnd(width)}  ${(waits ? 'on phone' : status).padEnd(8)} ${shortTitle(prompt)}`;
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
    if (thread === undefined) throw usage('there is nothing to go on with', 'See /threads and /approvals.');
    if (runs.some((run) => run.thread === thread || `#${run.talk}` === wanted)) {
      throw usage('that one is going on already', 'Its order waits below; decide on your phone.');
    }
    // Checked first: a typo must not become a new conversation.
    const all = (await chat.driver.threads()).map((one) => one.thread);
    if (!all.includes(thread)) {
      const nearest = closestMatch(thread, all);
      throw usage(
        `there is no conversation ${safeLine(thread)}`,
        `${nearest === undefined ? '' : `Did you mean ${nearest}? `}/threads lists yours.`,
      );
    }
    chat.resume(thread, `resume ${thread}`);
  });
}

/** States of an interrupted conversation, which `/resume` continues. */
const brokenOff = ['running', 'pending', 'unknown', 'failed'];

/** This conversation if it was interrupted, else one picked from the earlier ones, or `none`. */
async function pickThread(chat: ChatSession, current: string | undefined): Promise<string | undefined> {
  const threads = await chat.driver.threads();
  const here = threads.find(({ thread }) => thread === current);
  const all = threads.filter((one) => one !== here);
  if (all.length === 0 || (here !== undefined && brokenOff.includes(here.status))) return current;
  const shown = all.slice(0, MOST_ROWS);
  const rows = shown.map(
    ({ updated_at, status, prompt }) => `${localTime(updated_at)}  ${status.padEnd(8)} ${shortTitle(prompt)}`,
  );
  const row = await chat.picking.pick('Go on with which conversation?', rows);
  return row === undefined ? 'none' : shown[row]?.thread;
}

function theme(chat: ChatSession, [name]: readonly string[]): void {
  chat.work(async () => {
    const now = chat.snapshot().theme;
    if (name === undefined) {
      chat.report(
        `${now} is the theme. /theme NAME changes it for this session: ${themeNames.join(', ')}. To keep it: trade-agent config set theme NAME`,
      );
      return;
    }
    const chosen = themeNames.find((one) => one === name.toLowerCase());
    if (chosen === undefined) {
      throw usage(`there is no theme "${safeLine(name)}"`, `There are ${themeNames.join(', ')}.`);
    }
    chat.chooseTheme(chosen);
    chat.add({ type: 'note', text: `Theme ${chosen} from now on; what stands above keeps its colours.` });
  });
}

function model(chat: ChatSession, [name]: readonly string[]): void {
  chat.work(async () => {
    const { status, state } = chat.snapshot();
    if (name === undefined) {
      chat.report(
        `${status.model} answers. /model NAME chooses another for this session; "builtin" is the offline planner.`,
      );
      return;
    }
    if (state.runs.length > 0) throw notWhileWaiting();
    await chat.driver.chooseModel(name);
    await chat.refresh();
    chat.add({ type: 'note', text: `${chat.snapshot().status.model} answers from now on.` });
  });
}

function profile(chat: ChatSession, [name]: readonly string[]): void {
  chat.work(async () => {
    const all = await chat.driver.profiles();
    if (name === undefined) {
      const lines = all.map((one) => `${one.current ? '*' : ' '} ${one.name.padEnd(16)} ${one.environment}`);
      return chat.report([...lines, '', '/profile NAME changes to another.'].join('\n'));
    }
    if (!all.some((one) => one.name === name)) {
      const names = all.map((one) => one.name);
      const nearest = closestMatch(name, names);
      const hint = nearest === undefined ? 'See /profile.' : `Did you mean "${nearest}"?`;
      throw usage(`there is no profile "${safeLine(name)}"`, hint);
    }
    if (chat.snapshot().state.runs.length > 0) throw notWhileWaiting();
    // This chat ends with the change, so the other profile must be able to open.
    await chat.driver.checkProfile(name);
    chat.nextProfile = name;
    // Not awaited: quitting waits for this very work.
    void chat.quit();
  });
}

function clear(chat: ChatSession): void {
  chat.add({ type: 'space', rows: CLEARING_ROWS });
  chat.fresh();
  chat.add({ type: 'note', text: 'A new conversation. What was said before is above, and in /threads.' });
}

function halt(chat: ChatSession, [verb]: readonly string[]): void {
  if (verb === 'lift') {
    liftHalt(chat);
    return;
  }
  chat.work(async () => {
    if (verb !== undefined) {
      throw usage(`there is no /halt ${safeLine(verb)}`, 'Use /halt, or /halt lift to let trading go on.');
    }
    const open = (await chat.driver.approvals()).filter(({ status }) => !isFinalApproval(status));
    const taken =
      open.length === 0
        ? 'Nothing waits for your phone.'
        : `It takes back what waits for your phone: ${open.map(({ code }) => code).join(', ')}.`;
    const yes = await chat.ask(
      `Halt: nothing more is carried out, whichever program proposed it, until your phone lifts it. ${taken} Orders that are at the broker stay there; /orders lists them. Halt? (y/n)`,
    );
    if (!yes) return chat.add({ type: 'note', text: 'Not halted; nothing has changed.' });
    await chat.driver.halt();
    // The status line shows it from now on.
    await chat.refresh();
    chat.add({
      type: 'outcome',
      text: 'HALTED: nothing is carried out. Cancelling and looking still work; /halt lift ends it.',
      good: false,
    });
  });
}

function liftHalt(chat: ChatSession): void {
  chat.work(async (signal) => {
    const state = await chat.driver.liftHalt(({ code }) => {
      chat.add({
        type: 'note',
        text: `Approve it on your phone, where the code is ${code}. Esc stops waiting.`,
      });
    }, signal);
    await chat.refresh();
    chat.add({ type: 'outcome', text: liftedText[state], good: state === 'active' });
  });
}

const liftedText: Readonly<Record<TradingState, string>> = {
  active: 'The halt is lifted: trading goes on.',
  reducing: 'The halt is lifted; positions may still only be made smaller. /halt lift ends that too.',
  halted: 'Trading was halted again meanwhile.',
};

function usage(message: string, hint: string): TradeAgentError {
  return new TradeAgentError('usage', message, { hint });
}

function notWhileWaiting(): TradeAgentError {
  return usage(
    'not while an order waits for your phone',
    'Decide on it first, or take it back with /approvals cancel CODE.',
  );
}
