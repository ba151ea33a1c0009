import { createHash } from 'node:crypto';
import { html } from 'hono/html';
import { isTradeAgentError, TradeAgentError } from '../../../errors/errors.ts';
import { isSecureUrl } from '../../../net/secure-url.ts';
import { markedText, safeLine } from '../../../text/shown-text.ts';
import { type AccountEntry, ALL_ACCOUNTS } from '../../../trading/account-entry.ts';
import { dayBegan } from '../../../trading/new-york-time.ts';
import { dayTrades } from '../../../trading/portfolio/day-trades.ts';
import type { Proposal } from '../../../trading/proposal.ts';
import { Refusal } from '../../../trading/refusal.ts';
import { DAY_MS } from '../../../values/durations.ts';
import { requestCard } from '../decision/request-card.ts';
import type { Markup } from '../page/page.ts';
import type { AccountReads, AgentData, DashboardData, Period } from './dashboard-data.ts';
import { ordersPart } from './orders-part.ts';
import {
  findingsPart,
  mandatesPart,
  recordPart,
  schedulesPart,
  standingPart,
  threadsPart,
} from './other-parts.ts';
import {
  accountAt,
  accountsPart,
  eachPart,
  positionsPart,
  summaryPart,
  totalsPart,
  valuePart,
} from './portfolio-parts.ts';
import { detailsOf, type FormParts, proposalsPart } from './proposals-part.ts';

const MOST_CARDS = 5;

/** What waits for the person's phone, as the phone shows it: here it is read, there it is decided. */
function waitingPart(proposals: readonly Proposal[]): Markup {
  const waiting = proposals.filter(({ state }) => state === 'requested');
  if (waiting.length === 0)
    return html`<p class="soft none" data-testid="nothing-waits">Nothing waits for your decision.</p>`;
  return html`${waiting.slice(0, MOST_CARDS).map(readOnlyCard)}${
    waiting.length > MOST_CARDS
      ? html`<p class="small soft">And ${waiting.length - MOST_CARDS} more.</p>`
      : ''
  }`;
}

function readOnlyCard(proposal: Proposal): Markup {
  const { id, code, client } = proposal;
  const { phone_url: url } = proposal.approval;
  return requestCard(
    {
      id,
      code,
      clientName: markedText(client),
      clientNote: undefined,
      bindingMessage: undefined,
      details: detailsOf(proposal),
      expiresAt: Date.parse(proposal.expires_at),
    },
    {
      formToken: '',
      codes: undefined,
      confirm: false,
      // Nothing but a web page may be opened.
      cannot: { decideAt: url !== undefined && isSecureUrl(url) ? url : undefined },
    },
  );
}

export interface DashboardView {
  readonly data: DashboardData;
  /** The number of the account that was chosen, or `all`; the default one where there is none. */
  readonly account?: string | undefined;
  readonly period: Period;
  readonly form: FormParts;
  readonly now: number;
}

/** Lines of the record that stories are told by; more of them than a page shows. */
const RECORD_LINES = 500;
const PROPOSALS = 30;
const ORDERS = 100;
const PERIOD_DAYS: Readonly<Record<Period, number>> = { '1M': 31, '3M': 93, '1A': 366, '5A': 1830 };

const makers = {
  accounts: async ({ data, account, period, form }) => {
    const link = (chosen: string) => `${form.path}?${new URLSearchParams({ period, account: chosen })}`;
    return html`${accountsPart(await data.accounts().catch(noneKnown), account, link)}`;
  },
  summary: async (view) => {
    const each = await ofAccounts(view, async (reads) => {
      const [account, positions] = await Promise.all([reads.account(), reads.positions()]);
      return summaryPart(account, positions);
    });
    return view.account === ALL_ACCOUNTS ? html`${await totals(view)}${each}` : each;
  },
  standing: async ({ data, form }) => standingPart(await data.halted(), form),
  value: (view) =>
    ofAccounts(view, async (reads) => {
      const { period, now } = view;
      const after = now - PERIOD_DAYS[period] * DAY_MS;
      const [values, activities] = await Promise.all([
        reads.valueHistory(period),
        reads.activities({ after }),
      ]);
      return valuePart(values, activities, period);
    }),
  waiting: async ({ data }) => waitingPart(await data.proposals({ limit: PROPOSALS })),
  positions: (view) =>
    ofAccounts(view, async (reads) => {
      const began = dayBegan(view.now);
      const [account, positions, activities] = await Promise.all([
        reads.account(),
        reads.positions(),
        // Not every broker has them: the day is then since the last close, whenever a position was bought.
        reads.activities({ after: began - 1 }).catch(() => []),
      ]);
      return positionsPart(account, positions, dayTrades(activities, began));
    }),
  orders: (view) =>
    ofAccounts(view, async (reads) => ordersPart(await reads.orders({ status: 'all', limit: ORDERS }))),
  proposals: async ({ data, form }) => {
    const [proposals, record] = await Promise.all([
      data.proposals({ limit: PROPOSALS }),
      // A gateway of another version may have none: the stories are shorter then.
      data.record(RECORD_LINES).catch(() => undefined),
    ]);
    return proposalsPart(proposals, record, form);
  },
  mandates: async ({ data }) => mandatesPart(await data.mandates()),
  schedules: ({ data }) =>
    ofAgent(data, async (agent) => schedulesPart(await agent.schedules(), await agent.runs(10))),
  findings: ({ data }) => ofAgent(data, async (agent) => findingsPart(await agent.findings())),
  threads: ({ data }) => ofAgent(data, async (agent) => threadsPart(await agent.threads(10))),
  record: async ({ data, form }) => {
    const [lines, verdict] = await Promise.all([data.record(RECORD_LINES), data.verifyRecord()]);
    return recordPart(lines, verdict, form);
  },
} as const satisfies Record<string, (view: DashboardView) => Promise<Markup>>;
export type PartName = keyof typeof makers;
export const partNames = Object.keys(makers) as PartName[];

export interface Part {
  readonly name: PartName;
  readonly html: string;
  readonly digest: string;
}

/** One part; what can't be read says so in its place, and why. Never throws. */
export async function makePart(name: PartName, view: DashboardView): Promise<Part> {
  const markup = await makers[name](view).catch(unread);
  const text = String(await markup);
  return { name, html: text, digest: createHash('sha256').update(text).digest('base64url').slice(0, 16) };
}

/** A part of the account that is looked at; of each, where all are. One that can't be read says so in its place. */
async function ofAccounts(
  { data, account }: DashboardView,
  make: (reads: AccountReads) => Promise<Markup>,
): Promise<Markup> {
  if (account !== ALL_ACCOUNTS) return await make(account === undefined ? data : data.inAccount(account));
  const entries = await data.accounts();
  const parts = entries.map(async ({ account: number, problem }) =>
    number === null ? unread(unasked(problem)) : await make(data.inAccount(number)).catch(unread),
  );
  return eachPart(entries, await Promise.all(parts));
}

/** What all accounts come to; one that can't be read is in no total, and is named. */
async function totals({ data }: DashboardView): Promise<Markup> {
  const entries = await data.accounts();
  const read = await Promise.all(
    entries.map(async ({ account }) =>
      account === null ? undefined : await data.inAccount(account).account().catch(notRead),
    ),
  );
  const without = entries.filter((_, at) => read[at] === undefined).map(accountAt);
  return totalsPart(
    read.filter((one) => one !== undefined),
    without,
  );
}

function notRead(error: unknown): undefined {
  if (!(error instanceof Refusal) && !isTradeAgentError(error)) throw error;
}

/** Then there is nothing to choose from. */
function noneKnown(error: unknown): AccountEntry[] {
  notRead(error);
  return [];
}

function unasked(problem = 'not known why'): TradeAgentError {
  return new TradeAgentError('broker_unreachable', `the broker cannot be asked now (${problem})`);
}

async function ofAgent(
  { agent }: DashboardData,
  make: (agent: AgentData) => Promise<Markup>,
): Promise<Markup> {
  if (agent !== undefined) return make(agent);
  return html`<p class="soft none" data-testid="with-agent">These are kept where your agent runs: <span class="mono">trade-agent web</span> shows them there.</p>`;
}

function unread(error: unknown): Markup {
  const [what, hint] =
    error instanceof Refusal
      ? [error.message, error.options.hint]
      : isTradeAgentError(error)
        ? [error.message, error.hint]
        : ['something went wrong', undefined];
  return html`<div class="unread" data-testid="unread"><p><strong>Can’t be read now</strong>: ${safeLine(what, 300)}.</p>${
    hint === undefined ? '' : html`<p class="small soft">${safeLine(hint, 300)}</p>`
  }</div>`;
}
