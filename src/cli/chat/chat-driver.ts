import type { ApprovalView } from '../../agent/events.ts';
import { PLANNER_NAME } from '../../agent/model/planner-name.ts';
import type { AgentOptions } from '../../app/app.ts';
import { loadAccountSummary, resumeChat, sendMessage } from '../../app/chat.ts';
import { haltTrading } from '../../app/halt.ts';
import { startLogin } from '../../app/login.ts';
import type { ResolvedProfile } from '../../config/profile.ts';
import type { ThemeName } from '../../config/theme-name.ts';
import { safeLine } from '../../text/sanitize.ts';
import { formatDollarAmount, formatShares } from '../../trading/amounts.ts';
import { environmentName } from '../../trading/environment.ts';
import type { Context } from '../context/context.ts';
import { terminalAudience } from '../text/audience.ts';

/** Maximum number of rows of `/chart`. */
const MAX_CHART_ROWS = 30;
/** Rows that the chart's title, dates and legend and the chat's input need. */
const CHART_MARGIN_ROWS = 11;
/** Maximum number of sparklines. Only the largest positions get one, because each sparkline costs a request. */
const MAX_SPARKLINES = 20;
/** Maximum length of a name in a list. */
const MAX_NAME_LENGTH = 80;

export interface ChatStatus {
  /** False until the first requests to the identity provider and the gateway succeed or fail. */
  readonly connected: boolean;
  readonly profile: string;
  readonly environment: string;
  readonly simulated: boolean;
  /** The reason why proposals are restricted (`REDUCING`: no purchases). Undefined if they are unrestricted. */
  readonly withheld: 'HALTED' | 'REDUCING' | 'read-only' | undefined;
  readonly model: string;
  readonly user: string | undefined;
  /** The account's value, such as `$100,123.45`; undefined if unknown. */
  readonly value: string | undefined;
  readonly phone: string | undefined;
}

/** Everything that the chat can do, so that the screen does not depend on sessions, gateways or agents. */
export type ChatDriver = ReturnType<typeof createChatDriver>;

export type ChatLogin = Awaited<ReturnType<typeof startChatLogin>>;

/** Creates the driver. @param spoken whether a screen reader is used; reports then contain no drawings */
export function createChatDriver(context: Context, given: AgentOptions, spoken: boolean) {
  // Limits the session to reading before the status line opens it.
  if (given.readOnly) context.limitToReading();
  let options: AgentOptions = given;
  const { io } = context;
  const screen = () => ({ columns: io.width(), rows: io.stdout.rows ?? 24, unicode: io.unicode, spoken });
  const agent = () => context.agent(options);
  return {
    run: (prompt: string, thread: string | undefined, signal: AbortSignal) =>
      sendMessage(context, options, { prompt, thread }, signal),
    resume: (thread: string, signal: AbortSignal) => resumeChat(context, options, thread, signal),
    status: () => chatStatus(context, options),
    login: () => startChatLogin(context, screen()),
    portfolio: () => portfolioReport(context, screen()),
    ordersReport: async () => {
      const { ordersText } = await import('../text/reports.ts');
      const orders = await (await context.gateway()).orders({ status: 'all', limit: 15 });
      return orders.length === 0 ? 'No orders.' : ordersText(orders.toReversed(), terminalAudience(screen().columns));
    },
    /** Draws a price chart. @throws {TradeAgentError} `usage`, `unknown_symbol` */
    chart: async (
      symbol: string,
      range: string | undefined,
      look: { readonly candles?: boolean; readonly volume?: boolean } = {},
    ) => {
      const { chartText } = await import('../text/chart.ts');
      const { loadPriceHistory } = await import('../../app/market.ts');
      const history = await loadPriceHistory(context, symbol, range);
      const { columns, rows, unicode } = screen();
      return chartText({
        ...history,
        ...look,
        spoken,
        columns,
        rows: Math.max(4, Math.min(MAX_CHART_ROWS, rows - CHART_MARGIN_ROWS)),
        unicode,
        paint: await context.paint(),
      });
    },
    mcpServers: async () => {
      const { mcpServersText } = await import('../text/mcp-lines.ts');
      const { getMcpServersState } = await import('../../app/mcp/servers.ts');
      return mcpServersText(await getMcpServersState(context, options));
    },
    orders: async () => (await context.gateway()).orders({ status: 'all', limit: 50 }),
    approvals: async () => (await agent()).approvals(),
    /** Withdraws an approval request. @throws {TradeAgentError} `not_found`, `usage`, `outcome_unknown` */
    cancelApproval: async (id: string) => (await agent()).cancelApproval(id),
    threads: async () => (await agent()).threads(),
    profiles: async () => {
      const { listProfiles } = await import('../../app/profile/profiles.ts');
      const profiles = await listProfiles(context);
      return profiles.map((one) => ({ ...one, environment: environmentName(one.environment) }));
    },
    symbols: () => listOwnSymbols(context),
    searchSymbols: async (typed: string) => {
      const found = await (await context.gateway()).searchAssets(typed);
      return found.map(({ symbol, name }) => ({ label: symbol, what: safeLine(name, MAX_NAME_LENGTH) }));
    },
    models: async () => {
      if ((await context.profile()).server !== undefined) {
        const { SERVER_MODEL } = await import('../../app/chat.ts');
        return [
          { label: SERVER_MODEL, what: 'the agent server’s model; you can’t choose another one here' },
          { label: 'builtin', what: 'the built-in planner, on the server' },
        ];
      }
      const { listModels } = await import('../../app/model-list.ts');
      return (await listModels(context, options)).map(({ name, server }) => ({
        label: safeLine(name, MAX_NAME_LENGTH),
        what: server ?? 'the built-in planner: works offline',
      }));
    },
    /** Checks that a profile can be opened. @throws {TradeAgentError} `invalid_config` if the profile is incomplete */
    checkProfile: async (name: string) => (await import('../../app/chat.ts')).requireCompleteProfile(context, name),
    /** Switches the session's model. Must not be called during a run. */
    chooseModel: async (name: string) => {
      const { switchModel } = await import('../../app/chat.ts');
      options = await switchModel(context, options, name);
      await context.reset();
    },
    chooseTheme: (name: ThemeName) => context.chooseTheme(name),
    /** Calls `changed` after each change of a proposal, including fills, until `signal` is aborted. */
    events: async (signal: AbortSignal, changed: () => void) =>
      (await import('../../tools/gateway/follow-events.ts')).followEvents(await context.gateway(), {
        clock: context.clock,
        signal,
        changed,
      }),
    halt: async () => {
      await haltTrading(context);
    },
    /** Lifts a halt after the person approves. @throws {TradeAgentError} if the person did not approve */
    liftHalt: async (asked: (approval: ApprovalView) => void, signal: AbortSignal) => {
      const { proposeAndWait } = await import('../../app/approvals/propose-and-wait.ts');
      let told = false;
      await proposeAndWait(
        context,
        { kind: 'lift', lift: {}, requested_by: 'chat' },
        {
          signal,
          changed: (approval) => {
            if (!told) asked(approval);
            told = true;
          },
          notice: () => undefined,
        },
      );
      return (await (await context.gateway()).halted()).state;
    },
  };
}

/** Lists the person's symbols: first their positions, then their watchlist. */
async function listOwnSymbols(context: Context) {
  const gateway = await context.gateway();
  const [held, watched] = await Promise.all([gateway.positions(), gateway.watchlist().catch(() => ({ symbols: [] }))]);
  const mine = held.map(({ symbol, qty, market_value }) => ({
    label: symbol,
    what: `${formatShares(qty)}, worth ${formatDollarAmount(market_value)}`,
  }));
  const known = new Set(held.map(({ symbol }) => symbol));
  const others = watched.symbols.filter((symbol) => !known.has(symbol));
  return [...mine, ...others.map((symbol) => ({ label: symbol, what: 'on your watchlist' }))];
}

async function startChatLogin(
  context: Context,
  { columns, rows, unicode }: { columns: number; rows: number; unicode: boolean },
) {
  const { completeAddress, ...login } = await startLogin(context);
  const { qrRows } = await import('../text/qr-code.ts');
  return {
    ...login,
    // Leaves rows and columns for the panel and the input line.
    qr: await qrRows(completeAddress, { columns: columns - 4, rows: rows - 16, unicode }),
    complete: async (until: AbortSignal) => {
      const user = await login.complete(until);
      return safeLine(user.name ?? user.email ?? user.sub);
    },
  };
}

async function portfolioReport(
  context: Context,
  screen: { columns: number; unicode: boolean; spoken: boolean },
): Promise<string> {
  const { portfolioTable } = await import('../text/portfolio-table.ts');
  const { pricesAsOfLine } = await import('../text/as-of.ts');
  const { loadPortfolioSummary } = await import('../../app/portfolio/portfolio.ts');
  const { buildPortfolioView } = await import('../../trading/portfolio/portfolio-view.ts');
  const figures = await loadPortfolioSummary(context, { lines: screen.spoken ? 0 : MAX_SPARKLINES });
  const view = buildPortfolioView(figures.account, figures.positions, figures.history);
  const paint = await context.paint();
  // A printed report stays on the screen, so it shows the time of its prices.
  const taken = pricesAsOfLine(context.clock.now(), { paint, simulated: view.simulated });
  return `${await portfolioTable(view, { ...screen, paint })}\n\n${taken}`;
}

/**
 * Returns the status that is known before any request. @throws `invalid_config`, or an error from starting a sandbox
 */
export async function initialChatStatus(context: Context, options: AgentOptions): Promise<ChatStatus> {
  const profile = await context.profile();
  if (profile.server !== undefined) {
    const { model = 'the server’s model' } = options;
    return { ...baseStatus(profile, options), model: model === 'builtin' ? PLANNER_NAME : safeLine(model) };
  }
  const { withModelOptions } = await import('../../app/chosen-model.ts');
  return baseStatus(withModelOptions(profile, options), options);
}

function baseStatus(profile: ResolvedProfile, options: AgentOptions): ChatStatus {
  return {
    connected: false,
    profile: profile.name,
    environment: environmentName(profile.environment),
    simulated: profile.sandbox,
    withheld: options.readOnly ? 'read-only' : undefined,
    model: profile.model.provider === 'builtin' ? PLANNER_NAME : safeLine(profile.model.name ?? 'openai'),
    phone: profile.phone,
    user: undefined,
    value: undefined,
  };
}

async function chatStatus(context: Context, options: AgentOptions): Promise<ChatStatus> {
  const base = { ...(await initialChatStatus(context, options)), connected: true };
  const glance = await loadAccountSummary(context);
  if (glance === undefined) return base;
  const { user, equity, trading } = glance;
  return {
    ...base,
    ...(trading === 'halted' ? { withheld: 'HALTED' as const } : {}),
    ...(trading === 'reducing' ? { withheld: 'REDUCING' as const } : {}),
    user: safeLine(user.name ?? user.email ?? user.sub),
    value: equity === undefined ? undefined : formatDollarAmount(equity),
  };
}
