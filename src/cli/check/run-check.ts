import { join } from 'node:path';
import type { ApprovalMode } from '../../agent/agent.ts';
import type { ApprovalView, RunResult } from '../../agent/events.ts';
import { errorObject } from '../../app/error-object.ts';
import { exitCodeForError, exitCodeForRun } from '../../app/exit-codes.ts';
import { resumeCommand } from '../../app/run/run-report.ts';
import { type Check, check } from '../../check/check.ts';
import { gather } from '../../check/gather.ts';
import { loadRules, standardRules } from '../../check/load-rules.ts';
import type { CheckResult } from '../../check/result.ts';
import type { RulesFile } from '../../check/rules-schema.ts';
import { ensurePrivateFolder } from '../../machine/home.ts';
import { withProcessLock } from '../../machine/process-lock.ts';
import { safeLine } from '../../net/safe-text.ts';
import type { Notice } from '../../notify/notice.ts';
import { databaseKey } from '../../secrets/database-key.ts';
import type { AccountMemory, CheckStore } from '../../store/check-store.ts';
import { openCheckStore } from '../../store/sqlite/check-store.ts';
import { isTradeAgentError, TradeAgentError } from '../../trading/errors.ts';
import { isSettledState } from '../../trading/proposal.ts';
import type { Context } from '../context.ts';
import { talkError } from '../output.ts';
import { proposalObject, propose } from './propose.ts';

export interface CheckOptions {
  readonly rules?: string;
  readonly report?: string;
  readonly format: 'text' | 'markdown';
  readonly suggest?: boolean;
  readonly buyOnly?: boolean;
  readonly approval: ApprovalMode;
  /** As the person is told who proposes; `check` unless said otherwise. */
  readonly requestedBy?: string;
  /** Seconds that a proposal may take. */
  readonly ttl?: number;
}

/** What comes after a check was told, remembered, and out of the way of the next one. */
export type AfterCheck = (result: CheckResult, runs: readonly RunResult[]) => Promise<void>;

const FOUND = 3;
/** Sales first; what they bring is spent in a second round. */
const MOST_ROUNDS = 2;

/** One check, from the rules to the exit code. */
export async function runCheck(
  context: Context,
  options: CheckOptions,
  after: AfterCheck = sayWhatWaits(context),
): Promise<number> {
  const file = options.rules === undefined ? standardRules() : await loadRules(options.rules);
  // A session that is limited to reading carries no order out, whatever the phone says.
  if (!proposes(options)) context.limitToReading();
  const [profile, home, session] = await Promise.all([
    context.profile(),
    context.home(),
    context.requireSession(),
  ]);
  const folder = ensurePrivateFolder(home.data);
  const lock = join(folder, `check.${profile.name}.lock`);
  const { result, runs, failure } = await oneAtATime(lock, context.signal, async () => {
    const key = (await databaseKey(await context.store())).toString('hex');
    const store = openCheckStore<Notice>(join(folder, `checks.${profile.name}.db`), key);
    try {
      return await checkAndTell(context, options, file, store, `${profile.name}:${session.user.sub}`);
    } finally {
      store.close();
    }
  });
  await after(result, runs);
  if (failure !== undefined) talkError(context.io, errorObject(failure));
  return exitCode(context, result, runs, failure);
}

function sayWhatWaits({ io, profileOption }: Context): AfterCheck {
  return async (_result, runs) => {
    for (const { status, thread } of runs)
      if (status === 'pending') {
        io.talk('what you approve is carried out, with or without this terminal');
        io.talk(`how it went: ${resumeCommand(thread, profileOption)}`);
      }
  };
}

/** A check that was told and remembered. */
interface Told {
  readonly result: CheckResult;
  readonly runs: readonly RunResult[];
  /** Why the report could not be written. */
  readonly failure: TradeAgentError | undefined;
}

async function checkAndTell(
  context: Context,
  options: CheckOptions,
  file: RulesFile,
  store: CheckStore<Notice>,
  owner: string,
): Promise<Told> {
  const gateway = await context.gateway();
  const { listedSymbols } = await import('../../sandbox/market/symbols.ts');
  const symbols = listedSymbols();
  const sectorOf = (symbol: string) => symbols.get(symbol)?.sector || undefined;
  const suggesting = options.suggest === true;
  const look = async () => {
    const snapshot = await gather({
      gateway,
      file,
      closes: store.closes,
      activities: (account) => store.activities({ profile: owner, account }),
      localNow: context.clock.now(),
      suggest: suggesting,
    });
    const memory = store.account({ profile: owner, account: snapshot.account.account });
    const approvals = suggesting ? await (await context.agent({ model: 'builtin' })).approvals() : [];
    const done = check({
      file,
      rulesFile: options.rules,
      snapshot,
      memory: await memory.remembered(),
      sectorOf,
      ...(suggesting
        ? {
            suggest: {
              awaited: awaitedSymbols(approvals),
              wasAsked: (thread: string, symbol: string) =>
                approvals.some(
                  (approval) =>
                    approval.kind === 'order' &&
                    approval.thread === thread &&
                    approval.order.symbol === symbol,
                ),
              ...(options.buyOnly ? { buyOnly: true } : {}),
            },
          }
        : {}),
    });
    return { done, memory };
  };

  const { done, memory } = await look();
  for (const finding of done.result.findings) context.output.event({ type: 'finding', finding });
  const runs: RunResult[] = [];
  let latest = done;
  while (proposes(options) && latest.proposals.length > 0 && runs.length < MOST_ROUNDS) {
    const run = await propose(context, latest.proposals, memory, options);
    runs.push(run);
    if (!mayGoOn(run, latest)) break;
    latest = (await look()).done;
  }
  const result: CheckResult = {
    ...done.result,
    proposals: runs.map((run) => proposalObject(context, run)),
    notes: [...done.result.notes],
  };

  const failure = options.report === undefined ? undefined : await writeReport(options.report, result, done);
  if (failure !== undefined) result.notes.push(failure.message);
  const tell = () => tellPeople(context, { owner, result, done, memory, runs });
  // A person sees what was found before anything is waited for; the one object of a script says also who was told.
  if (context.output.format === 'text') {
    await print(context, options, result);
    await tell();
  } else {
    await tell();
    await print(context, options, result);
  }
  // After it was told: a crash in between tells a thing twice rather than never.
  await memory.remember(done.firing.states, done.figures.drawdowns.mark);
  return { result, runs, failure };
}

/** Whether anybody may be asked for an order. */
function proposes({ suggest, approval }: CheckOptions): boolean {
  return suggest === true && approval !== 'deny';
}

/** Orders that wait for the person, or of which nobody knows: nothing more is proposed for their symbols. */
function awaitedSymbols(approvals: readonly ApprovalView[]): Set<string> {
  return new Set(
    approvals
      .filter(({ status, overdue }) => !isSettledState(status) && overdue !== true)
      .flatMap((approval) => (approval.kind === 'order' ? [approval.order.symbol] : [])),
  );
}

/** Another round makes sense only for buys that waited for sales, and those must have been filled. */
function mayGoOn({ status, orders }: RunResult, { result }: Check): boolean {
  return (
    status === 'done' &&
    orders.length > 0 &&
    orders.every((order) => order.status === 'filled') &&
    orders.some(({ side }) => side === 'sell') &&
    (result.suggestion?.left ?? []).some(({ reason }) => reason === 'awaits_cash')
  );
}

interface Tellable {
  readonly owner: string;
  readonly result: CheckResult;
  readonly done: Check;
  readonly memory: AccountMemory<Notice>;
  readonly runs: readonly RunResult[];
}

/** Sends notices, and puts what became of them into the result. Whatever goes wrong is told, and nothing else is changed by it. */
async function tellPeople(context: Context, { owner, result, done, memory, runs }: Tellable): Promise<void> {
  const profile = await context.profile();
  const { notices: channels } = profile;
  if (channels === undefined) return;
  const warn = (message: string) => context.io.talk(safeLine(`warning: ${message}`));
  try {
    const [{ noticesOf }, { sendNotices }] = await Promise.all([
      import('./tell.ts'),
      import('./send-notices.ts'),
    ]);
    const now = Date.parse(result.checked_at);
    const { notices: outbox } = memory;
    await outbox.put(
      noticesOf({
        profile: profile.name,
        owner: `${owner}:${result.account.account}`,
        channels,
        result,
        findings: done.firing.findings,
        stateOf: done.firing.stateOf,
        untold: await outbox.untold(),
        runs,
        now,
      }),
    );
    result.notices = await sendNotices(context, channels, outbox, now);
    for (const { channel, title, status, error } of result.notices) {
      if (error === undefined) continue;
      const next = status === 'waiting' ? '; it is tried again at the next check' : '';
      warn(`notice "${title}" was not sent by ${channel}: ${error.message}${next}`);
    }
  } catch (error) {
    const { message } = errorObject(error);
    result.notes.push(`nobody was told: ${message}`);
    warn(`nobody was told: ${message}`);
  }
}

async function print(context: Context, options: CheckOptions, result: CheckResult): Promise<void> {
  const { schema: _schema, ...data } = result;
  await context.output.result('check', data, async () => {
    if (options.format === 'markdown')
      return (await import('../../check/report/markdown.ts')).markdownReport(result);
    return (await import('../../check/report/text.ts')).textReport(result);
  });
}

async function writeReport(
  file: string,
  result: CheckResult,
  { figures }: Check,
): Promise<TradeAgentError | undefined> {
  const [{ htmlReport }, { writeReportFile }] = await Promise.all([
    import('../../check/report/html.ts'),
    import('./report-file.ts'),
  ]);
  return writeReportFile(file, htmlReport(result, figures));
}

function exitCode(
  { signal }: Context,
  result: CheckResult,
  runs: readonly RunResult[],
  failure: TradeAgentError | undefined,
): number {
  const unfinished = runs.map(exitCodeForRun).filter((code) => code !== 0);
  // Not known what became of an order: nothing else matters before that.
  if (unfinished.includes(10)) return 10;
  if (signal.aborted)
    return exitCodeForError(isTradeAgentError(signal.reason) ? signal.reason.code : 'interrupted');
  const [first] = unfinished;
  if (first !== undefined) return first;
  if (failure !== undefined) return exitCodeForError(failure.code);
  return result.findings.length > 0 ? FOUND : 0;
}

async function oneAtATime<T>(file: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  let held = false;
  try {
    return await withProcessLock(file, { waitMs: 0, signal }, () => {
      held = true;
      return work();
    });
  } catch (error) {
    if (held || !isTradeAgentError(error) || error.code !== 'busy') throw error;
    throw new TradeAgentError('busy', 'another check of this account is under way', {
      hint: 'Wait for it to end.',
    });
  }
}
