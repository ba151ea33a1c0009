import type { AgentEvent } from '../../agent/events.ts';
import type { AgentOptions } from '../../app/app.ts';
import type { ResolvedProfile } from '../../config/profile.ts';
import { safeLine } from '../../net/shown-text.ts';
import { environmentWord } from '../../trading/environment.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import type { Context } from '../context.ts';
import { startLogin } from '../login-flow.ts';
import { dollars } from '../text/money.ts';
import type { ChatDriver, ChatStatus } from './chat-driver.ts';

/** Rows of `/chart`: enough to read, and with its title and dates it fits a terminal of 24. */
const CHART_ROWS = 12;
/** Little lines are one request each; the largest positions get them. */
const MOST_LINES = 20;
const MONTH_MS = 30 * 86_400_000;

/** The chat's driver on the real parts. @param spoken reports are read aloud: nothing is drawn in them */
export function contextDriver(context: Context, given: AgentOptions, spoken: boolean): ChatDriver {
  // The status line opens a session before the agent does.
  if (given.readOnly) context.limitToReading();
  let options: AgentOptions = given;
  const { io, clock } = context;
  const screen = () => ({ columns: io.width(), rows: io.stdout.rows ?? 24, unicode: io.unicode, spoken });
  const agent = () => context.agent(options);
  return {
    run: (prompt, thread, signal) =>
      later(async () =>
        (await agent()).run(
          { prompt, ...(thread === undefined ? {} : { thread }) },
          { approval: 'wait', signal, requestedBy: 'chat' },
        ),
      ),
    resume: (thread, signal) =>
      later(async () => (await agent()).resume(thread, { approval: 'wait', signal, requestedBy: 'chat' })),
    status: () => chatStatus(context, options),
    login: async () => {
      const { completeAddress, ...login } = await startLogin(context);
      const { qrRows } = await import('../text/qr-code.ts');
      const { columns, rows, unicode } = screen();
      return {
        ...login,
        // Beside and below it there must be room for the panel and the line being typed.
        qr: await qrRows(completeAddress, { columns: columns - 4, rows: rows - 16, unicode }),
        complete: async (until) => {
          const user = await login.complete(until);
          return safeLine(user.name ?? user.email ?? user.sub);
        },
      };
    },
    portfolio: () => portfolioReport(context, screen()),
    ordersReport: async () => {
      const { ordersText } = await import('../text/reports.ts');
      const orders = await (await context.gateway()).orders({ status: 'all', limit: 15 });
      return orders.length === 0 ? 'No orders.' : ordersText(orders, screen().columns);
    },
    chart: async (symbol, range) => {
      const [{ chartText }, { chartRange, DEFAULT_CHART_RANGE }, { symbolSchema }] = await Promise.all([
        import('../text/chart.ts'),
        import('../../trading/chart-range.ts'),
        import('../../trading/order.ts'),
      ]);
      const parsed = symbolSchema.safeParse(symbol);
      if (!parsed.success) {
        throw new TradeAgentError('unknown_symbol', `"${safeLine(symbol)}" is not a ticker symbol`, {
          hint: 'Symbols look like AAPL or BRK.B.',
        });
      }
      const { text, timeframe, start } = chartRange(range ?? DEFAULT_CHART_RANGE, clock.now());
      const bars = await (await context.gateway()).bars({ symbol: parsed.data, timeframe, start });
      const { columns, rows, unicode } = screen();
      return chartText({
        spoken,
        symbol: parsed.data,
        range: text,
        bars,
        columns: Math.min(columns, 120),
        rows: Math.max(4, Math.min(CHART_ROWS, rows - 10)),
        unicode,
        simulated: (await context.profile()).sandbox,
      });
    },
    orders: async () => (await context.gateway()).orders({ status: 'all', limit: 50 }),
    approvals: async () => (await agent()).approvals(),
    cancelApproval: async (id) => (await agent()).cancelApproval(id),
    threads: async () => (await agent()).threads(),
    profiles: async () => {
      const { chosenProfileName, findProfile, profileNames } = await import(
        '../../config/resolve-profile.ts'
      );
      const config = await context.config();
      const current = chosenProfileName(config, context.profileName);
      return profileNames(config).map((name) => ({
        name,
        environment: environmentWord(findProfile(config, name).environment),
        current: name === current,
      }));
    },
    checkProfile: async (name) => {
      const { findProfile, resolveProfile } = await import('../../config/resolve-profile.ts');
      const config = await context.config();
      // A sandbox gets its addresses once it runs.
      if (!findProfile(config, name).sandbox) resolveProfile(config, name);
    },
    chooseModel: async (name) => {
      const [{ withModel }, { modelKey }, { modelServer, modelUrl }] = await Promise.all([
        import('../../app/chosen-model.ts'),
        import('../../secrets/model-key.ts'),
        import('../../agent/model/model-server.ts'),
      ]);
      const { baseUrl, ...others } = options;
      const next =
        name === 'builtin' || baseUrl === undefined
          ? { ...others, model: name }
          : { ...others, model: name, baseUrl };
      const chosen = withModel(await context.profile(), next);
      // Said now, not at the next question: a name that is misspelt mostly leads to a server there is no key for.
      if (chosen.model.provider !== 'builtin') {
        const kept = await modelKey(await context.store(), modelUrl(chosen.model));
        modelServer(chosen.model, context.env, kept);
      }
      options = next;
      await context.reset();
    },
    halt: async () => {
      await (await context.gateway()).halt();
    },
    liftHalt: async (asked, signal) => {
      const [{ approvalView }, { followProposal }, { refusalOf }, { shortId }, gateway] = await Promise.all([
        import('../../agent/graph/proposal-view.ts'),
        import('../../tools/gateway/follow-proposal.ts'),
        import('../../agent/graph/proposal-refusal.ts'),
        import('../../agent/short-id.ts'),
        context.gateway(),
      ]);
      const request = { kind: 'lift', lift: {}, requested_by: 'chat' } as const;
      const proposal = await gateway.propose(request, shortId('lift-', 20));
      asked(approvalView(proposal, ''));
      const ignore = () => undefined;
      const settled = await followProposal(gateway, proposal, {
        clock,
        signal,
        changed: ignore,
        notice: ignore,
      });
      if (settled.state !== 'executed') throw refusalOf(settled);
    },
  };
}

async function* later(start: () => Promise<AsyncIterable<AgentEvent>>): AsyncIterable<AgentEvent> {
  yield* await start();
}

async function portfolioReport(
  context: Context,
  screen: { columns: number; unicode: boolean; spoken: boolean },
): Promise<string> {
  const [{ portfolioTable }, { Dec }, gateway] = await Promise.all([
    import('../text/portfolio-table.ts'),
    import('../../trading/decimal.ts'),
    context.gateway(),
  ]);
  const [account, positions, equity] = await Promise.all([
    gateway.account(),
    gateway.positions(),
    // The little lines are an ornament: without them the figures still stand.
    screen.spoken ? [] : gateway.equityHistory().catch(() => []),
  ]);
  const largest = [...positions]
    .sort((a, b) => new Dec(b.market_value).comparedTo(a.market_value))
    .slice(0, screen.spoken ? 0 : MOST_LINES);
  const start = context.clock.now() - MONTH_MS;
  const prices = await Promise.all(
    largest.map(async ({ symbol }): Promise<[string, string[]]> => {
      const bars = await gateway.bars({ symbol, timeframe: '1Day', start }).catch(() => []);
      return [symbol, bars.map(({ close }) => close)];
    }),
  );
  return portfolioTable({ account, positions, equity, prices: new Map(prices) }, screen);
}

/** What is known before anybody was asked. @throws {TradeAgentError} `invalid_config` and what starting a sandbox throws */
export async function firstStatus(context: Context, options: AgentOptions): Promise<ChatStatus> {
  const { withModel } = await import('../../app/chosen-model.ts');
  return baseStatus(withModel(await context.profile(), options), options);
}

function baseStatus(profile: ResolvedProfile, options: AgentOptions): ChatStatus {
  return {
    connected: false,
    profile: profile.name,
    environment: environmentWord(profile.environment),
    simulated: profile.sandbox,
    withheld: options.readOnly ? 'read-only' : undefined,
    model:
      profile.model.provider === 'builtin' ? 'built-in planner' : safeLine(profile.model.name ?? 'openai'),
    phone: profile.phone,
    user: undefined,
    value: undefined,
  };
}

async function chatStatus(context: Context, options: AgentOptions): Promise<ChatStatus> {
  const base = { ...(await firstStatus(context, options)), connected: true };
  const session = await context.session();
  if (session === undefined) return base;
  const { user } = session;
  const gateway = await context.gateway();
  const [account, halt] = await Promise.all([
    gateway.account().catch(() => undefined),
    gateway.halted().catch(() => undefined),
  ]);
  return {
    ...base,
    ...(halt?.halted === true ? { withheld: 'HALTED' as const } : {}),
    user: safeLine(user.name ?? user.email ?? user.sub),
    value: account === undefined ? undefined : dollars(account.equity),
  };
}
