import { NO_TOKEN, proposerWithoutToken } from '../approval/access.ts';
import type { ApprovalKernel } from '../approval/kernel/kernel.ts';
import type { AccountEntry } from '../trading/account-entry.ts';
import type { Activity } from '../trading/activity.ts';
import { readAllActivities } from '../trading/activity-pages.ts';
import type { MandateView } from '../trading/mandate/mandate.ts';
import type { Article } from '../trading/market-news.ts';
import { historyTimeframe } from '../trading/period.ts';
import { type Proposal, proposalSchema } from '../trading/proposal.ts';
import type { RecordLine, RecordVerdict } from '../trading/record-line.ts';
import type { Account, Bar, Order, Position, Quote } from '../trading/views.ts';
import type { AccountDirectory, OpenAccount } from './broker/accounts.ts';
import type { MandateService } from './mandates/mandate-service.ts';
import { type ApprovedTypeReader, withApprovedTypes } from './orders/approved-types.ts';
import type { AuditLogReader } from './record/audit-log-reader.ts';
import { readAvailableQuotes } from './routes/market.ts';
import { type ProposalRouteOptions, toHaltResponse, toProposalResponse } from './routes/proposals.ts';

interface OwnAccount {
  account(): Promise<Account>;
  positions(): Promise<readonly Position[]>;
  orders(query: { readonly status: 'all'; readonly limit: number }): Promise<readonly Order[]>;
  /** Returns equity in dollars, oldest first, over a period such as `1M`: daily, or intraday for `1D` and `1W`. */
  valueHistory(period: string): Promise<readonly { readonly at: string; readonly equity: string }[]>;
  /** Returns activities since a time (milliseconds since the epoch), oldest first. */
  activities(query: { readonly after: number }): Promise<readonly Activity[]>;
  quotes(symbols: readonly string[]): Promise<readonly Quote[]>;
  /** Returns at most the last 1,000 bars, oldest first. Times are in milliseconds since the epoch. */
  bars(query: {
    readonly symbol: string;
    readonly timeframe: '1Day' | '1Hour' | '1Min';
    readonly start: number;
    readonly end: number;
    readonly adjustment: 'split' | 'all';
  }): Promise<readonly Bar[]>;
  news(query: { readonly symbols: readonly string[]; readonly limit: number }): Promise<readonly Article[]>;
}

/**
 * Data and actions of an owner who was authenticated without a token. Reads accounts with stored credentials, or with
 * the most recently exchanged token.
 */
export interface OwnerService extends OwnAccount {
  /** Returns all accounts. The inherited methods read the default account. */
  accounts(): Promise<readonly AccountEntry[]>;
  inAccount(account: string): OwnAccount;
  proposals(query: { readonly limit: number }): Promise<readonly Proposal[]>;
  mandates(): Promise<readonly MandateView[]>;
  halted(): Promise<ReturnType<typeof toHaltResponse>>;
  record(limit: number): Promise<readonly RecordLine[]>;
  verifyRecord(): Promise<RecordVerdict>;
  /** Withdraws a proposal. @throws {HttpProblem} for the same reasons as `ApprovalKernel.withdraw` */
  withdraw(id: string): Promise<unknown>;
  halt(): Promise<unknown>;
  /** Reads recent open orders from the broker and follows them again. Orders that can't be read stay as recorded. */
  refreshOrders(): Promise<void>;
  /** Calls `changed` for each change of a proposal or its order, until the signal aborts. */
  follow(signal: AbortSignal, changed: () => void): Promise<void>;
}

const MAX_OPEN_PROPOSALS = 200;

const MAX_BARS = 1000;

export function createOwnerService(
  sub: string,
  parts: {
    readonly kernel: ApprovalKernel;
    readonly mandates: MandateService;
    readonly accounts: Pick<AccountDirectory, 'of' | 'open'>;
    readonly record: AuditLogReader;
    readonly approval: ProposalRouteOptions['approval'];
    readonly journal: ApprovedTypeReader;
  },
): OwnerService {
  const { kernel, mandates, record } = parts;
  const who = { sub, accessToken: NO_TOKEN };
  const inAccount = (account?: string) =>
    ownAccount(
      () => parts.accounts.open(who, account),
      (orders) => withApprovedTypes(parts.journal, sub, orders),
    );
  return {
    ...inAccount(),
    accounts: () => parts.accounts.of(who),
    inAccount,
    proposals: async ({ limit }) =>
      (await kernel.list(sub, { state: 'all', limit })).map((one) =>
        proposalSchema.parse(toProposalResponse(one, parts.approval)),
      ),
    mandates: () => mandates.list(sub),
    halted: async () => toHaltResponse(await kernel.trading(sub)),
    record: (limit) => record.lines(sub, limit),
    verifyRecord: () => record.verify(),
    withdraw: (id) => kernel.withdraw(sub, id),
    halt: () => kernel.halt({ sub, clientId: 'phone' }),
    async refreshOrders() {
      const proposer = proposerWithoutToken(sub);
      await kernel.watched(proposer);
      for (const one of await kernel.list(sub, { state: 'all', limit: MAX_OPEN_PROPOSALS }))
        if (one.state === 'executed' && one.sub === sub) await kernel.settle(one, proposer);
    },
    async follow(signal, changed) {
      // An update without proposals is a keep-alive.
      for await (const { proposals } of kernel.follow(sub, undefined, signal)) if (proposals.length > 0) changed();
    },
  };
}

function ownAccount(
  broker: () => Promise<OpenAccount>,
  asApproved: (orders: readonly Order[]) => Promise<Order[]>,
): OwnAccount {
  return {
    account: async () => (await broker()).account(),
    positions: async () => (await broker()).positions(),
    orders: async (query) => asApproved(await (await broker()).orders({ ...query, symbols: [] })),
    valueHistory: async (period) =>
      (await (await broker()).portfolioHistory({ period, timeframe: historyTimeframe(period) })).points,
    async activities({ after }) {
      const reading = await broker();
      return readAllActivities((page) => reading.activities({ after: new Date(after), page }));
    },
    quotes: async (symbols) => (await readAvailableQuotes(await broker(), symbols)).quotes,
    bars: async ({ start, end, ...query }) =>
      (await broker()).bars({ ...query, start: new Date(start), end: new Date(end), limit: MAX_BARS }),
    news: async (query) => (await broker()).news(query),
  };
}
