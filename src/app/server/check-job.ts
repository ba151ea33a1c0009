import type { Session } from '../../auth/session/session.ts';
import { defaultRulesFile, parseRules } from '../../check/load-rules.ts';
import type { NoticeChannelsConfig } from '../../config/notice-channels.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import type { JobHandler } from '../../jobs/job-queue.ts';
import { startClockTimeLimit } from '../../net/time-limit.ts';
import type { Notice } from '../../notify/notice.ts';
import { READ_SCOPES } from '../../oauth/scopes.ts';
import { timingRunTimes } from '../../schedule/cron-expression.ts';
import { decideRun } from '../../schedule/decide-run.ts';
import type { RunRecord } from '../../schedule/run-record.ts';
import type { TradingDayReader } from '../../server/jobs/market-days.ts';
import { createPersonAgent, limitSessionToScopes } from '../../server/person-agent.ts';
import type { ServerDeps } from '../../server/server-deps.ts';
import {
  type NoticeDeps,
  personChecks,
  personNoticeChannels,
  personSchedules,
  type ServerSchedule,
} from '../../server/server-deps.ts';
import type { ScheduleRow, ScheduleRows } from '../../store/schedule-rows.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { deriveNoticeId, NOTICE_TTL_MS } from '../check/check-notices.ts';
import { proposesOrders, runChecksWith } from '../check/run-check.ts';
import { assembleApp } from '../create-app.ts';
import {
  createDiedRecord,
  createStartedRecord,
  type DueDecision,
  type EndedRun,
  marketClosedRun,
  runScheduledCheck,
  ScheduledCheckFailure,
  toEndedRun,
  toFailedRun,
} from '../schedule/run-schedule.ts';
import { openMarketHoursGateway } from '../schedule/schedule-context.ts';

/** Delay in milliseconds before retrying a check that had a transient failure, the same as on a user's machine. */
const RETRY_DELAY_MS = 15 * 60_000;
/** Maximum time limit of a schedule's run, in milliseconds. It is shorter than the time limit of the run's job. */
const MAX_RUN_MS = 4 * 60_000;

export interface CheckJobDeps extends ServerDeps, NoticeDeps {
  readonly days: Pick<TradingDayReader, 'known'>;
}

/**
 * Runs a schedule's check if it is due or was requested. Each due time runs once, even if the job is executed again:
 * 1. The schedule's row records the due times that were handled, so `decide-run.ts` can tell whether a run is due.
 * 2. A run begins with a compare-and-set on the row's epoch. After that, an earlier run can't write its outcome.
 * 3. A run that was killed can be repeated safely: the gateway treats an order proposed twice as one order
 *    (`app/check/run-check.ts`), and a notice sent twice has the same ID (`app/check/check-notices.ts`).
 */
export function createCheckJob(parts: CheckJobDeps): JobHandler {
  return async ({ ids: { person, schedule: id } }, signal) => {
    if (person === undefined || id === undefined) return;
    const rows = personSchedules(parts, person);
    const row = await rows.find(id);
    if (row === undefined) return;
    const now = parts.clock.now();
    const { timing } = row.schedule;
    const days = 'at' in timing ? await parts.days.known() : [];
    const decision = decideRun(timingRunTimes(timing, days), row, now);
    if (!decision.run && row.askedAt === null) return await recordPassed(rows, row, decision.handled);
    const turn = { person, row, due: decision.run ? decision : undefined, signal };
    const ended = await runTurn(parts, rows, turn, decision.handled);
    // A requested run has no due time that would start it again, so the job itself is retried.
    if (ended?.again === true && turn.due === undefined) throw recordError(ended.record);
  };
}

/** Records as handled the due times that passed without a run. */
async function recordPassed(
  rows: ScheduleRows<ServerSchedule, RunRecord>,
  { schedule, epoch, handled: before }: CheckTurn['row'],
  handled: number,
): Promise<void> {
  if (handled !== before) await rows.recordProgress(schedule.id, epoch, { handled, pending: null });
}

interface CheckTurn {
  readonly person: string;
  readonly row: ScheduleRow<ServerSchedule, RunRecord>;
  /** Undefined if a person or a price requested the run. */
  readonly due: DueDecision | undefined;
  readonly signal: AbortSignal;
}

/** Runs the check and records it. Writes nothing and returns undefined if another run has begun in the meantime. */
async function runTurn(
  parts: CheckJobDeps,
  rows: ScheduleRows<ServerSchedule, RunRecord>,
  turn: CheckTurn,
  handled: number,
): Promise<EndedRun | undefined> {
  const { clock } = parts;
  const { row, due } = turn;
  const { id } = row.schedule;
  const begun = createStartedRecord(id, due, clock.now());
  const pending = due === undefined ? row.pending : { due: due.due, attempts: due.attempt };
  const died = (run: RunRecord) => createDiedRecord(run, clock.now());
  const epoch = await rows.begin(id, row.epoch, { handled, pending, run: begun }, died);
  if (epoch === undefined) return undefined;
  const { standing, ...ended } = await runCheckTurn(parts, turn, begun);
  // If the job was aborted, its next attempt continues from the row, which records that this run began.
  turn.signal.throwIfAborted();
  const { record, again } = ended;
  const isDone = due !== undefined && !again;
  const written = await rows.end(id, epoch, {
    run: record,
    handled: isDone ? due.due : handled,
    pending: isDone ? null : pending,
    ...(row.askedAt === null || again ? {} : { answers: row.askedAt }),
    ...(due !== undefined && again ? { wakeBy: clock.now() + RETRY_DELAY_MS } : {}),
    ...defined({ standing }),
    unknown: record.approvals.flatMap(({ id: approval, status }) => (status === 'unknown' ? [approval] : [])),
  });
  return written ? ended : undefined;
}

type OpenFindings = readonly { readonly rule: string; readonly subject: string }[];

/** Runs the check itself. If the check fails, returns the error as the run's outcome. */
async function runCheckTurn(
  parts: CheckJobDeps,
  { person, row, due, signal }: CheckTurn,
  begun: RunRecord,
): Promise<EndedRun & { readonly standing?: OpenFindings }> {
  const { clock } = parts;
  const { schedule } = row;
  const ms = Math.min(schedule.timeout_ms, MAX_RUN_MS);
  const overdue = () => new TradeAgentError('timeout', `the run exceeded its time limit of ${ms / 1000} s`);
  const limit = startClockTimeLimit(clock, ms, signal, overdue);
  const desk = signInNotifier(parts, person);
  try {
    const session = limitSessionToScopes(await parts.sessions.forPerson(person), schedule.scopes);
    if (row.last?.error?.code === 'login_required') await desk.signedIn();
    const app = personApp(parts, person, session, schedule.account, limit.signal);
    try {
      if (schedule.when_open && !(await (await openMarketHoursGateway(app)).clock()).is_open)
        return marketClosedRun(begun, clock.now());
      const store = personChecks(parts, person);
      const check = await runScheduledCheck(
        app,
        checkOptions(schedule),
        { finding: () => undefined, proposing: () => undefined },
        due?.due,
        async (own, options, listener, told) => {
          if (!proposesOrders(options)) own.limitToReading();
          const { rules } = schedule.check;
          const file = rules === undefined ? defaultRulesFile() : await parseRules(rules, 'rules');
          const basis = { file, store, owner: person, sendNotices: async () => [] };
          return await runChecksWith(own, options, listener, told, basis);
        },
      );
      const found = check.checks.flatMap(({ result }) => [...result.findings, ...result.ongoing]);
      const standing = found.map(({ rule, subject }) => ({ rule, subject }));
      return { ...toEndedRun(begun, check, limit.signal, clock.now()), standing };
    } finally {
      await app.close();
    }
  } catch (thrown) {
    const { error, found } = thrown instanceof ScheduledCheckFailure ? thrown : new ScheduledCheckFailure(thrown);
    if (isTradeAgentError(error) && error.code === 'login_required')
      await desk.tell(await personNoticeChannels(parts, person).all(), error);
    return toFailedRun(begun, error, found, clock.now());
  } finally {
    limit.end();
  }
}

/** Returns the check's options. Replaces `wait` with `detach`, because nobody waits for an approval on a server. */
function checkOptions({ id, name, check }: ServerSchedule) {
  const { suggest, buy_only: buyOnly, approval } = check;
  return {
    id,
    name,
    check: { suggest, buyOnly, approval: approval === 'wait' ? 'detach' : approval } as const,
  };
}

function recordError({ status, error }: RunRecord): TradeAgentError {
  const { code = 'internal', message = `the run ended ${status}` } = error ?? {};
  return new TradeAgentError(code as TradeAgentError['code'], message);
}

/** Account number of notices about signing in. It keeps these notices separate from the findings of real accounts. */
const NO_ACCOUNT = '';
const FIRING = { rule: 'sign-in', subject: '', definition: 'login_required' } as const;

/** Creates a notifier that tells a person, once per sign-out, that no checks run until the person signs in again. */
function signInNotifier(parts: Pick<ServerDeps, 'database' | 'jobs' | 'clock'>, person: string) {
  const memory = personChecks(parts, person).account({ profile: person, account: NO_ACCOUNT });
  return {
    // After a sign-in, the person can be notified of the next sign-out.
    signedIn: () => memory.remember([], undefined),
    async tell(channels: NoticeChannelsConfig, error: TradeAgentError): Promise<void> {
      const now = parts.clock.now();
      const state = { ...FIRING, since: now };
      const untold = await memory.notices.unnotified();
      await memory.notices.put(
        Object.entries(channels)
          .filter(([name, { enabled }]) => enabled && untold(name, [state]).length > 0)
          .map(([channel]) => ({
            channel,
            notice: signInNotice(person, channel, error, now),
            firings: [state],
            until: now + NOTICE_TTL_MS,
          })),
      );
    },
  };
}

function signInNotice(person: string, channel: string, error: TradeAgentError, now: number): Notice {
  const { code, message, hint } = error;
  return {
    id: deriveNoticeId([person, channel, code, now]),
    type: 'finding',
    severity: 'critical',
    title: 'Sign in again: your schedules are paused',
    body: [`The server could not act for you: ${message}.`, ...(hint === undefined ? [] : [hint])].join('\n'),
    at: new Date(now).toISOString(),
    data: { code },
  };
}

/**
 * Creates the app for use cases that run on a server, with a person's session and their data in the server's database.
 * The app has no files, terminal or sandbox, and throws an error if a use case needs any of them.
 * @param account account number, or `all`; undefined for the default account
 */
function personApp(
  parts: NoticeDeps & ServerDeps,
  person: string,
  session: Session,
  account: string | undefined,
  signal: AbortSignal,
): App {
  const elsewhere = async () => {
    throw new TradeAgentError('usage', 'this feature works only on your own machine, not on a server');
  };
  const profile = async () => ({
    ...session.profile,
    notices: await personNoticeChannels(parts, person).all(),
  });
  return assembleApp(
    {
      // Empty, because the operator's environment must not be visible to the person's agent.
      env: {},
      clock: parts.clock,
      fetch: parts.fetch,
      signal,
      accountOption: account,
      tell: () => undefined,
    },
    {
      home: elsewhere,
      config: elsewhere,
      sandbox: elsewhere,
      writtenProfile: profile,
      openStore: elsewhere,
      profile,
      store: async () => parts.credentials(person),
      foreignTools: async () => undefined,
      openSession: async (readOnly) => (readOnly ? limitSessionToScopes(session, READ_SCOPES) : session),
      startAgent: async (app, { readOnly = false, model }) => {
        const [inName, number] = await Promise.all([app.requireSession(), app.account()]);
        return createPersonAgent(parts, inName, { read_only: readOnly, ...defined({ model, account: number }) });
      },
    },
  );
}
