import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { type ApprovalMode, MOST_ORDERS, type RunOptions } from '../../agent/agent.ts';
import type { AgentEvent, ApprovalView, RunResult } from '../../agent/events.ts';
import { shortId } from '../../agent/short-id.ts';
import { type Check, check, type Proposal } from '../../check/check.ts';
import { gather } from '../../check/gather.ts';
import { loadRules, standardRules } from '../../check/load-rules.ts';
import type { CheckResult } from '../../check/result-schema.ts';
import type { RulesFile } from '../../check/rules-schema.ts';
import { errorObject } from '../../errors/error-object.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { ensurePrivateFolder } from '../../machine/directories.ts';
import { withProcessLock } from '../../machine/process-lock.ts';
import type { Notice } from '../../notify/notice.ts';
import { databaseKey } from '../../secrets/database-key.ts';
import type { AccountMemory, CheckStore } from '../../store/check-store.ts';
import { openCheckStore } from '../../store/sqlite/check-store.ts';
import { safeLine } from '../../text/shown-text.ts';
import type { AccountName } from '../../trading/account-entry.ts';
import type { MandateView } from '../../trading/mandate/mandate.ts';
import { isSettledState } from '../../trading/proposal.ts';
import { inOne, type KnownAccount, type MissingAccount } from '../accounts.ts';
import type { App } from '../app.ts';
import { mandatesFor } from '../mandates.ts';
import { askedSymbols, followRun, runObject } from '../run.ts';
import type { sendNotices } from './check-notices.ts';

/** Checks of several accounts, and the accounts that could not be looked at. */
export interface CheckOutcomes {
  readonly checks: readonly CheckOutcome[];
  readonly missing: readonly MissingAccount[];
}

/**
 * As `runCheck`, of each of the person's accounts where they named all; one after the other, and each with a report of its
 * own. One that can't be looked at is named, and the others are checked.
 * @param told is given all results, before any is remembered
 * @throws {TradeAgentError} as `runCheck`; `broker_unreachable` where none could be looked at
 */
export async function runChecks(
  app: App,
  options: CheckOptions,
  listener: Omit<CheckListener, 'told'>,
  told: (results: readonly CheckResult[], missing: CheckOutcomes['missing']) => void | Promise<void>,
): Promise<CheckOutcomes> {
  return await withBasis(app, options, (basis) => checksBy(app, options, listener, told, basis));
}

/** As {@link runChecks}, by what they go by. */
export async function checksBy(
  app: App,
  options: CheckOptions,
  listener: Omit<CheckListener, 'told'>,
  told: (results: readonly CheckResult[], missing: CheckOutcomes['missing']) => void | Promise<void>,
  basis: Basis,
): Promise<CheckOutcomes> {
  if (!app.ofAll) {
    const one = { ...listener, told: (result: CheckResult) => told([result], []) };
    return { checks: [await checkBy(app, options, one, basis)], missing: [] };
  }
  const checked: Checked[] = [];
  const missing: MissingAccount[] = [];
  for (const entry of await app.accounts()) {
    const one = await inOne(app, entry, (own, at) => checkIn(own, at, options, listener, basis));
    if ('at' in one) checked.push(one.value);
    else missing.push(one);
  }
  if (checked.length === 0) throw noneLookedAt(missing);
  const checks = checked.map(({ outcome }) => outcome);
  await told(
    checks.map(({ result }) => result),
    missing,
  );
  for (const { remember } of checked) await remember();
  return { checks, missing };
}

/** Of one of several accounts, with the agent and the report of that one. */
async function checkIn(
  own: App,
  { account, broker, label }: KnownAccount,
  { report, ...options }: CheckOptions,
  listener: Omit<CheckListener, 'told'>,
  basis: Basis,
): Promise<Checked> {
  try {
    const file = report === undefined ? {} : { report: reportOf(report, account) };
    return await checkAndTell(own, { ...options, ...file }, listener, { ...basis, at: { broker, label } });
  } finally {
    await own.close();
  }
}

/** `report.html` as `report.PA3ALICE01.html` */
function reportOf(path: string, account: string): string {
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}.${account.replace(/[^\w-]/g, '_')}${ext}`);
}

function noneLookedAt(missing: readonly MissingAccount[]): TradeAgentError {
  const why = missing.map(({ label, message }) => `${safeLine(label)}: ${safeLine(message)}`).join('; ');
  return new TradeAgentError('broker_unreachable', `no account could be looked at (${why})`, {
    hint: 'Try again in a moment; "trade-agent accounts" lists yours.',
  });
}

export interface CheckOptions {
  readonly rules?: string;
  readonly report?: string;
  readonly suggest?: boolean;
  readonly buyOnly?: boolean;
  readonly approval: ApprovalMode;
  /** As the person is told who proposes; `check` unless said otherwise. */
  readonly requestedBy?: string;
  /** Seconds that a proposal may take. */
  readonly ttl?: number;
  /** When it was due, milliseconds since the epoch; now unless said otherwise. Orders under a mandate are for that time. */
  readonly due?: number | undefined;
}

/** Told of a check while it goes on. */
export interface CheckListener {
  /** Each finding that is new. */
  finding(finding: CheckResult['findings'][number]): void;
  /** What happens while orders are proposed. */
  proposing(event: AgentEvent): void | Promise<void>;
  /** The result, before any notice of it is sent. */
  found(result: CheckResult): void | Promise<void>;
  /** The result with what became of the notices, before it is remembered: a crash in between tells it once more. */
  told(result: CheckResult): void | Promise<void>;
}

/** A check that was told and remembered. */
export interface CheckOutcome {
  readonly result: CheckResult;
  /** One for each round of proposals. */
  readonly runs: readonly RunResult[];
  /** Why the report could not be written. */
  readonly failure: TradeAgentError | undefined;
}

/** Said where nothing is kept on this machine. */
const NOT_REMEMBERED =
  'what was found is not remembered on this machine: it is found anew next time. A schedule at the server remembers';

/** Sales first; what they bring is spent in a second round. */
const MOST_ROUNDS = 2;

/**
 * One check: looks by the rules, proposes where it may, tells who wants to know, and remembers what it told.
 * @returns that of the account that is meant
 * @throws {TradeAgentError} `invalid_config` for wrong rules, `login_required`, `busy`, and what the gateway throws
 */
export async function runCheck(
  app: App,
  options: CheckOptions,
  listener: CheckListener,
): Promise<CheckOutcome> {
  return await withBasis(app, options, (basis) => checkBy(app, options, listener, basis));
}

/** As {@link runCheck}, by what it goes by. */
async function checkBy(
  app: App,
  options: CheckOptions,
  listener: CheckListener,
  basis: Basis,
): Promise<CheckOutcome> {
  const checked = await checkAndTell(app, options, listener, basis);
  await listener.told(checked.outcome.result);
  await checked.remember();
  return checked.outcome;
}

/** Takes the place of whoever else would check, and opens what is remembered. */
async function withBasis<T>(app: App, options: CheckOptions, work: (basis: Basis) => Promise<T>): Promise<T> {
  const rules = options.rules === undefined ? standardRules() : await loadRules(options.rules);
  // A session that is limited to reading carries no order out, whatever the phone says.
  if (!proposes(options)) app.limitToReading();
  const [profile, home, session] = await Promise.all([app.profile(), app.home(), app.requireSession()]);
  const folder = ensurePrivateFolder(home.data);
  const lock = join(folder, `check.${profile.name}.lock`);
  return await oneAtATime(lock, app.signal, async () => {
    // Of a profile at a server nothing is kept here: what its checks remember, schedules at the server do.
    const isHere = profile.server === undefined;
    const key = isHere ? await databaseKey(await app.store()) : randomBytes(32);
    const file = isHere ? join(folder, `checks.${profile.name}.db`) : ':memory:';
    const store = openCheckStore<Notice>(file, key.toString('hex'));
    try {
      return await work({ file: rules, store, owner: `${profile.name}:${session.user.sub}` });
    } finally {
      store.close();
    }
  });
}

/** What one account's checks go by. */
interface Basis {
  readonly file: RulesFile;
  readonly store: CheckStore<Notice>;
  /** Whose account: profile and user. */
  readonly owner: string;
  /** Sends what waits; at once where it is left out. */
  readonly sendNotices?: typeof sendNotices;
  /** Of several accounts, where this one is. */
  readonly at?: Pick<AccountName, 'broker' | 'label'>;
}

/** A check that was made, and is to be remembered once it was told: a crash in between tells it twice rather than never. */
interface Checked {
  readonly outcome: CheckOutcome;
  remember(): Promise<void>;
}

/** Looks, proposes and tells by notices; what it returns is to be told and then remembered. */
async function checkAndTell(
  app: App,
  options: CheckOptions,
  listener: Omit<CheckListener, 'told'>,
  basis: Basis,
): Promise<Checked> {
  const look = await looker(app, options, basis);
  const { done, memory } = await look();
  for (const finding of done.result.findings) listener.finding(finding);
  const runs: RunResult[] = [];
  let latest = done;
  while (proposes(options) && latest.proposals.length > 0 && runs.length < MOST_ROUNDS) {
    const { account } = latest.result.account;
    const run = await propose(app, latest.proposals, account, memory, options, (event) =>
      listener.proposing(event),
    );
    runs.push(run);
    if (!mayGoOn(run, latest)) break;
    latest = (await look()).done;
  }
  const result: CheckResult = {
    ...done.result,
    account: { ...done.result.account, ...basis.at },
    proposals: runs.map((run) => ({ ...runObject(run, app.chosenBy) })),
    notes: [...done.result.notes],
  };
  if ((await app.profile()).server !== undefined) result.notes.push(NOT_REMEMBERED);

  const failure = options.report === undefined ? undefined : await writeReport(options.report, result, done);
  if (failure !== undefined) result.notes.push(failure.message);
  await listener.found(result);
  await tellPeople(app, basis, { result, done, memory, runs });
  return {
    outcome: { result, runs, failure },
    remember: () => memory.remember(done.firing.states, done.figures.drawdowns.mark),
  };
}

/** What looks at the account: once, and again for each round after the first. */
async function looker(app: App, options: CheckOptions, { file, store, owner }: Basis) {
  const gateway = await app.gateway();
  const { sectorOf } = await import('../../trading/listed-symbols.ts');
  const suggesting = options.suggest === true;
  return async (): Promise<{ done: Check; memory: AccountMemory<Notice> }> => {
    const snapshot = await gather({
      gateway,
      file,
      closes: store.closes,
      activities: (account) => store.activities({ profile: owner, account }),
      imported: (account) => store.imports({ profile: owner, account }),
      localNow: app.clock.now(),
      suggest: suggesting,
    });
    const memory = store.account({ profile: owner, account: snapshot.account.account });
    const approvals = suggesting ? await (await app.agent({ model: 'builtin' })).approvals() : [];
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
                  (approval) => approval.thread === thread && askedSymbols(approval).includes(symbol),
                ),
              ...(options.buyOnly ? { buyOnly: true } : {}),
            },
          }
        : {}),
    });
    return { done, memory };
  };
}

/** Whether anybody may be asked for an order. */
export function proposes({ suggest, approval }: Pick<CheckOptions, 'suggest' | 'approval'>): boolean {
  return suggest === true && approval !== 'deny';
}

/** Orders that wait for the person, or of which nobody knows: nothing more is proposed for their symbols. */
function awaitedSymbols(approvals: readonly ApprovalView[]): Set<string> {
  return new Set(
    approvals
      .filter(({ status, overdue }) => !isSettledState(status) && overdue !== true)
      .flatMap(askedSymbols),
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
  readonly result: CheckResult;
  readonly done: Check;
  readonly memory: AccountMemory<Notice>;
  readonly runs: readonly RunResult[];
}

/** Sends notices, and puts what became of them into the result. Whatever goes wrong is told, and nothing else is changed by it. */
async function tellPeople(
  app: App,
  { owner, sendNotices }: Basis,
  { result, done, memory, runs }: Tellable,
): Promise<void> {
  const profile = await app.profile();
  const { notices: channels } = profile;
  if (channels === undefined) return;
  const warn = (message: string) => app.tell(safeLine(`warning: ${message}`));
  try {
    const module = await import('./check-notices.ts');
    const { noticesOf } = module;
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
        untold: await outbox.untold(),
        runs,
        now,
      }),
    );
    result.notices = await send(app, channels, outbox, now);
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

async function writeReport(
  file: string,
  result: CheckResult,
  { figures }: Check,
): Promise<TradeAgentError | undefined> {
  const { htmlReport } = await import('../../check/report/html.ts');
  return writeReportFile(file, htmlReport(result, figures));
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

/**
 * Proposes orders the way of any order: the agent calls the tools, the person approves on their phone, the gateway
 * places each once, whether or not this still runs. As many as a run takes; the rest is for the next check. Ends as
 * the run does, also where it was interrupted.
 * @param account the number of the account that they are for
 * @param show is given what happens meanwhile
 */
export async function propose(
  app: App,
  proposals: readonly Proposal[],
  account: string,
  memory: AccountMemory<Notice>,
  options: Pick<RunOptions, 'approval' | 'requestedBy' | 'ttl'> & { readonly due?: number | undefined },
  show: (event: AgentEvent) => void | Promise<void>,
): Promise<RunResult> {
  const { clock, signal } = app;
  const asked = proposals.slice(0, MOST_ORDERS);
  const thread = shortId('th_', 10);
  for (const { rule } of asked)
    if (rule !== undefined) await memory.proposing(rule.name, rule.definition, thread, clock.now());

  const [agent, mandates] = await Promise.all([app.agent({ model: 'builtin' }), mandatesInForce(app)]);
  const { due = clock.now(), ...runOptions } = options;
  // Under mandates each order is covered, or asked about, by itself.
  const together = mandates.every(({ state, terms }) => state !== 'active' || terms.account !== account);
  const result = await followRun(
    agent.run(
      { orders: asked.map(({ request }) => request), composedBy: 'check', together, thread },
      { requestedBy: 'check', ...runOptions, mandates: mandatesFor(mandates, account, due), signal },
    ),
    signal,
    show,
    thread,
  );
  for (const { rule, request } of asked) {
    if (rule !== undefined && result.approvals.some((one) => askedSymbols(one).includes(request.symbol)))
      await memory.asked(rule.name, rule.definition);
  }
  return result;
}

/** A gateway that has no mandates, or can't tell of them, is asked for orders as ever. */
async function mandatesInForce(app: App): Promise<MandateView[]> {
  try {
    return await (await app.gateway()).mandates();
  } catch (error) {
    if (app.signal.aborted || !isTradeAgentError(error)) throw error;
    return [];
  }
}

/**
 * Writes a report whole or not at all, for its owner's eyes (0600). Unlike the program's own files it makes no folder:
 * a misspelt path should say so.
 * @returns what went wrong, if something did: a report that can't be written must not hide what it says
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
      hint: 'Name a file in a folder that exists and that you may write to.',
    });
  }
}
