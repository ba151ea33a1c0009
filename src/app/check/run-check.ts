import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { type ApprovalMode, MAX_ORDERS_PER_REQUEST, type RunOptions } from '../../agent/agent.ts';
import type { AgentEvent, ApprovalView, RunResult } from '../../agent/events.ts';
import { createShortId } from '../../agent/short-id.ts';
import { type CompletedCheck, checkPortfolio, type SuggestedProposal } from '../../check/check.ts';
import { defaultRulesFile, loadRules } from '../../check/load-rules.ts';
import type { CheckResult } from '../../check/result-schema.ts';
import type { RulesFile } from '../../check/rules-schema.ts';
import { toErrorObject } from '../../errors/error-object.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { ensurePrivateFolder } from '../../machine/directories.ts';
import { withProcessLock } from '../../machine/process-lock.ts';
import type { Notice } from '../../notify/notice.ts';
import { getOrCreateDatabaseKey } from '../../secrets/database-key.ts';
import type { AccountCheckState, CheckStore } from '../../store/check-store.ts';
import { openCheckStore } from '../../store/sqlite/check-store.ts';
import { safeLine } from '../../text/sanitize.ts';
import type { AccountName } from '../../trading/account-entry.ts';
import type { MandateView } from '../../trading/mandate/mandate.ts';
import { isSettledState } from '../../trading/proposal.ts';
import { type KnownAccount, type MissingAccount, runInAccount } from '../accounts.ts';
import type { App } from '../app.ts';
import { findApplicableMandates } from '../mandates.ts';
import { followRun, proposedSymbols, toRunOutput } from '../run.ts';
import type { sendNotices } from './check-notices.ts';
import { readAccountWithHistory } from './with-check-store.ts';

/** The checks that ran, and the accounts that could not be read. */
export interface CheckOutcomes {
  readonly checks: readonly CheckOutcome[];
  readonly missing: readonly MissingAccount[];
}

/**
 * Runs one check or, if the person asked for all accounts, one check per account, in sequence. Each account gets its
 * own report. Accounts that can't be read are returned as `missing`.
 * @param allReported receives all results before any of them is saved
 * @throws {TradeAgentError} the errors of `runCheck`; `broker_unreachable` if no account could be read
 */
export async function runChecks(
  app: App,
  options: CheckOptions,
  listener: ChecksListener,
  allReported: OnAllReported,
): Promise<CheckOutcomes> {
  return await withCheckResources(app, options, (basis) => runChecksWith(app, options, listener, allReported, basis));
}

type ChecksListener = Omit<CheckListener, 'reported'>;
type OnAllReported = (results: readonly CheckResult[], missing: readonly MissingAccount[]) => void | Promise<void>;

/** Like {@link runChecks}, but with rules and a store that are already open. */
export async function runChecksWith(
  app: App,
  options: CheckOptions,
  listener: ChecksListener,
  allReported: OnAllReported,
  basis: CheckResources,
): Promise<CheckOutcomes> {
  if (!app.isAllAccounts) {
    const one = { ...listener, reported: (result: CheckResult) => allReported([result], []) };
    return { checks: [await runCheckWith(app, options, one, basis)], missing: [] };
  }
  const checked: FinishedCheck[] = [];
  const missing: MissingAccount[] = [];
  for (const entry of await app.accounts()) {
    const one = await runInAccount(app, entry, (own, at) => checkAccount(own, at, options, listener, basis));
    if ('at' in one) checked.push(one.value);
    else missing.push(one);
  }
  if (checked.length === 0) throw noAccountChecked(missing);
  const checks = checked.map(({ outcome }) => outcome);
  const results = checks.map(({ result }) => result);
  await allReported(results, missing);
  for (const { remember } of checked) await remember();
  return { checks, missing };
}

async function checkAccount(
  own: App,
  { account, broker, label }: KnownAccount,
  { report, ...options }: CheckOptions,
  listener: ChecksListener,
  basis: CheckResources,
): Promise<FinishedCheck> {
  try {
    const file = report === undefined ? {} : { report: accountReportPath(report, account) };
    return await checkAndNotify(own, { ...options, ...file }, listener, { ...basis, at: { broker, label } });
  } finally {
    await own.close();
  }
}

function accountReportPath(path: string, account: string): string {
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}.${account.replace(/[^\w-]/g, '_')}${ext}`);
}

function noAccountChecked(missing: readonly MissingAccount[]): TradeAgentError {
  const why = missing.map(({ label, message }) => `${safeLine(label)}: ${safeLine(message)}`).join('; ');
  return new TradeAgentError('broker_unreachable', `no account could be checked (${why})`, {
    hint: 'Try again in a moment. Run "trade-agent accounts" to list your accounts.',
  });
}

export interface CheckOptions {
  readonly rules?: string;
  readonly report?: string;
  readonly suggest?: boolean;
  readonly buyOnly?: boolean;
  readonly approval: ApprovalMode;
  /** The proposer's name, as shown to the person. Defaults to `check`. */
  readonly requestedBy?: string;
  /** Lifetime of a proposal, in seconds. */
  readonly ttl?: number;
  /** Due time in milliseconds since the epoch. Defaults to now. Determines which mandate period the orders use. */
  readonly due?: number | undefined;
}

export interface CheckListener {
  finding(finding: CheckResult['findings'][number]): void;
  /** Called for each event while orders are being proposed. */
  proposing(event: AgentEvent): void | Promise<void>;
  /** Called with the result, before notices are sent. */
  found(result: CheckResult): void | Promise<void>;
  /** Called after the notices were sent. If the process crashes before the result is saved, the check is repeated. */
  reported(result: CheckResult): void | Promise<void>;
}

/** The outcome of a check whose result was reported and saved. */
export interface CheckOutcome {
  readonly result: CheckResult;
  readonly runs: readonly RunResult[];
  /** The reason why the report could not be written. Undefined if it was written. */
  readonly failure: TradeAgentError | undefined;
}

const FINDINGS_NOT_SAVED =
  'findings are not saved on this machine, so the next check reports them again. A schedule on the server saves them';

/** Maximum number of rounds. The first round sells, and the second makes the purchases that need the proceeds. */
const MAX_ROUNDS = 2;

/**
 * Runs one check: evaluates the rules, proposes orders if allowed, sends notices, and saves the reported findings.
 * @throws {TradeAgentError} `invalid_config` for invalid rules, `login_required`, `busy`, and any gateway error
 */
export async function runCheck(app: App, options: CheckOptions, listener: CheckListener): Promise<CheckOutcome> {
  return await withCheckResources(app, options, (basis) => runCheckWith(app, options, listener, basis));
}

/** Like {@link runCheck}, but with rules and a store that are already open. */
async function runCheckWith(
  app: App,
  options: CheckOptions,
  listener: CheckListener,
  basis: CheckResources,
): Promise<CheckOutcome> {
  const checked = await checkAndNotify(app, options, listener, basis);
  await listener.reported(checked.outcome.result);
  await checked.remember();
  return checked.outcome;
}

/** Runs `work` with the rules and the store of earlier checks, under a lock that prevents concurrent checks. */
async function withCheckResources<T>(
  app: App,
  options: CheckOptions,
  work: (basis: CheckResources) => Promise<T>,
): Promise<T> {
  const rules = options.rules === undefined ? defaultRulesFile() : await loadRules(options.rules);
  // A read-only session can't execute an order, even if it is approved on the phone.
  if (!proposesOrders(options)) app.limitToReading();
  const [profile, home, session] = await Promise.all([app.profile(), app.home(), app.requireSession()]);
  const folder = ensurePrivateFolder(home.data);
  const lock = join(folder, `check.${profile.name}.lock`);
  const busy = { message: 'another check of this account is running', hint: 'Wait for it to finish.' };
  return await withProcessLock(lock, { waitMs: 0, signal: app.signal, busy }, async () => {
    // If the profile has a server, this machine stores no findings, because the server stores its schedules' findings.
    const isHere = profile.server === undefined;
    const key = isHere ? await getOrCreateDatabaseKey(await app.store()) : randomBytes(32);
    const file = isHere ? join(folder, `checks.${profile.name}.db`) : ':memory:';
    const store = openCheckStore<Notice>(file, key.toString('hex'));
    try {
      return await work({ file: rules, store, owner: `${profile.name}:${session.user.sub}` });
    } finally {
      store.close();
    }
  });
}

interface CheckResources {
  readonly file: RulesFile;
  readonly store: CheckStore<Notice>;
  readonly owner: string;
  /** Sends the notices. Defaults to a function that sends them immediately. */
  readonly sendNotices?: typeof sendNotices;
  /** The broker and label of this account, if the person has several accounts. */
  readonly at?: Pick<AccountName, 'broker' | 'label'>;
}

/** A finished check. The report is written before the check is saved, so that a crash in between repeats the check. */
interface FinishedCheck {
  readonly outcome: CheckOutcome;
  remember(): Promise<void>;
}

/** Evaluates the rules, proposes orders and sends notices. The caller reports and then saves the result. */
async function checkAndNotify(
  app: App,
  options: CheckOptions,
  listener: ChecksListener,
  basis: CheckResources,
): Promise<FinishedCheck> {
  const look = await createEvaluator(app, options, basis);
  const { done, memory } = await look();
  for (const finding of done.result.findings) listener.finding(finding);
  const runs: RunResult[] = [];
  let latest = done;
  while (proposesOrders(options) && latest.proposals.length > 0 && runs.length < MAX_ROUNDS) {
    const { account } = latest.result.account;
    const run = await proposeOrders(app, latest.proposals, account, memory, options, (event) =>
      listener.proposing(event),
    );
    runs.push(run);
    if (!mayContinue(run, latest)) break;
    latest = (await look()).done;
  }
  const result: CheckResult = {
    ...done.result,
    account: { ...done.result.account, ...basis.at },
    proposals: runs.map((run) => ({ ...toRunOutput(run, app.profileOptions) })),
    notes: [...done.result.notes],
  };
  if ((await app.profile()).server !== undefined) result.notes.push(FINDINGS_NOT_SAVED);

  const failure = options.report === undefined ? undefined : await writeReport(options.report, result, done);
  if (failure !== undefined) result.notes.push(failure.message);
  await listener.found(result);
  await notifyPeople(app, basis, result, done, memory, runs);
  return {
    outcome: { result, runs, failure },
    remember: () => memory.remember(done.firing.states, done.figures.drawdowns.mark),
  };
}

async function createEvaluator(app: App, options: CheckOptions, { file, store, owner }: CheckResources) {
  const gateway = await app.gateway();
  const { symbolSector } = await import('../../trading/listed-symbols.ts');
  const suggesting = options.suggest === true;
  return async (): Promise<{ done: CompletedCheck; memory: AccountCheckState<Notice> }> => {
    const { snapshot, memory } = await readAccountWithHistory(store, owner, {
      gateway,
      file,
      localNow: app.clock.now(),
      suggest: suggesting,
    });
    const approvals = suggesting ? await (await app.agent({ model: 'builtin' })).approvals() : [];
    const done = checkPortfolio({
      file,
      rulesFile: options.rules,
      snapshot,
      memory: await memory.remembered(),
      sectorOf: symbolSector,
      ...(suggesting
        ? {
            suggest: {
              awaited: pendingSymbols(approvals),
              wasAsked: (thread: string, symbol: string) =>
                approvals.some((approval) => approval.thread === thread && proposedSymbols(approval).includes(symbol)),
              ...(options.buyOnly ? { buyOnly: true } : {}),
            },
          }
        : {}),
    });
    return { done, memory };
  };
}

export function proposesOrders({ suggest, approval }: Pick<CheckOptions, 'suggest' | 'approval'>): boolean {
  return suggest === true && approval !== 'deny';
}

/** Returns the symbols of unsettled orders. No further orders are suggested for them. */
function pendingSymbols(approvals: readonly ApprovalView[]): Set<string> {
  return new Set(
    approvals.filter(({ status, overdue }) => !isSettledState(status) && overdue !== true).flatMap(proposedSymbols),
  );
}

/** Returns whether to run another round for purchases that waited for cash. Requires that all orders were filled. */
function mayContinue({ status, orders }: RunResult, { result }: CompletedCheck): boolean {
  return (
    status === 'done' &&
    orders.length > 0 &&
    orders.every((order) => order.status === 'filled') &&
    orders.some(({ side }) => side === 'sell') &&
    (result.suggestion?.left ?? []).some(({ reason }) => reason === 'awaits_cash')
  );
}

/** Sends notices and records their outcomes in the result. A failed notice is reported but does not fail the check. */
async function notifyPeople(
  app: App,
  { owner, sendNotices }: CheckResources,
  result: CheckResult,
  done: CompletedCheck,
  memory: AccountCheckState<Notice>,
  runs: readonly RunResult[],
): Promise<void> {
  const profile = await app.profile();
  const { notices: channels } = profile;
  if (channels === undefined) return;
  const warn = (message: string) => app.tell(safeLine(`warning: ${message}`));
  try {
    const module = await import('./check-notices.ts');
    const { buildNotices: noticesOf } = module;
    const send = sendNotices ?? module.sendNotices;
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
        unnotified: await outbox.unnotified(),
        runs,
        now,
      }),
    );
    result.notices = await send(app, channels, outbox, now);
    for (const { channel, title, status, error } of result.notices) {
      if (error === undefined) continue;
      const next = status === 'waiting' ? '; the next check will try again' : '';
      warn(`notice "${title}" was not sent through ${channel}: ${error.message}${next}`);
    }
  } catch (error) {
    const { message } = toErrorObject(error);
    result.notes.push(`notices could not be sent: ${message}`);
    warn(`notices could not be sent: ${message}`);
  }
}

async function writeReport(
  file: string,
  result: CheckResult,
  { figures }: CompletedCheck,
): Promise<TradeAgentError | undefined> {
  const { renderHtmlReport } = await import('../../check/report/html.ts');
  return writeReportFile(file, renderHtmlReport(result, figures));
}

/**
 * Proposes orders like any other run: the agent calls the tools, the person approves, and the gateway places each order
 * once, even if this process has ended. Orders beyond the limit of one run wait for the next check.
 * @param account number of the account that the orders are for
 * @param show receives the run's events
 */
export async function proposeOrders(
  app: App,
  proposals: readonly SuggestedProposal[],
  account: string,
  memory: AccountCheckState<Notice>,
  options: Pick<RunOptions, 'approval' | 'requestedBy' | 'ttl'> & { readonly due?: number | undefined },
  show: (event: AgentEvent) => void | Promise<void>,
): Promise<RunResult> {
  const { clock, signal } = app;
  const asked = proposals.slice(0, MAX_ORDERS_PER_REQUEST);
  const thread = createShortId('th_', 10);
  for (const { rule } of asked)
    if (rule !== undefined) await memory.markProposing(rule.name, rule.definition, thread, clock.now());

  const [agent, mandates] = await Promise.all([app.agent({ model: 'builtin' }), activeMandates(app)]);
  const { due = clock.now(), ...runOptions } = options;
  // While the account has an active mandate, each order is proposed separately, because the mandate may cover it.
  const together = mandates.every(({ state, terms }) => state !== 'active' || terms.account !== account);
  const result = await followRun(
    agent.run(
      { orders: asked.map(({ request }) => request), composedBy: 'check', together, thread },
      { requestedBy: 'check', ...runOptions, mandates: findApplicableMandates(mandates, account, due), signal },
    ),
    signal,
    show,
    thread,
  );
  for (const { rule, request } of asked) {
    if (rule !== undefined && result.approvals.some((one) => proposedSymbols(one).includes(request.symbol)))
      await memory.markAsked(rule.name, rule.definition);
  }
  return result;
}

/** Returns the account's mandates. If they can't be read, returns an empty list, so each order needs an approval. */
async function activeMandates(app: App): Promise<MandateView[]> {
  try {
    return await (await app.gateway()).mandates();
  } catch (error) {
    if (app.signal.aborted || !isTradeAgentError(error)) throw error;
    return [];
  }
}

/**
 * Writes a report atomically, with mode 0600. Creates no folder, so that a misspelled path fails.
 * @returns the error if writing failed, so that the check's result is still reported
 */
function writeReportFile(file: string, content: string): TradeAgentError | undefined {
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    writeFileSync(temporary, content, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, file);
    return undefined;
  } catch (error) {
    rmSync(temporary, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    return new TradeAgentError('usage', `the report ${file} can't be written (${code ?? 'unknown error'})`, {
      hint: 'Choose a file in an existing folder that you can write to.',
    });
  }
}
