import { createHash } from 'node:crypto';
import { html } from 'hono/html';
import { safeLine } from '../../../net/shown-text.ts';
import { isTradeAgentError } from '../../../trading/errors.ts';
import { dayBegan } from '../../../trading/new-york-time.ts';
import { dayTrades } from '../../../trading/portfolio/day-trades.ts';
import { Refusal } from '../../../trading/refusal.ts';
import type { Markup } from '../page.ts';
import type { AgentData, DashboardData, Period } from './dashboard-data.ts';
import { ordersPart } from './orders-part.ts';
import {
  findingsPart,
  mandatesPart,
  recordPart,
  schedulesPart,
  standingPart,
  threadsPart,
} from './other-parts.ts';
import { positionsPart, summaryPart } from './portfolio-parts.ts';
import { type FormParts, proposalsPart } from './proposals-part.ts';
import { valuePart } from './value-part.ts';
import { waitingPart } from './waiting-part.ts';

/** What is looked at, and how. */
export interface DashboardView {
  readonly data: DashboardData;
  readonly period: Period;
  readonly form: FormParts;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Lines of the record that stories are told by; more of them than a page shows. */
const RECORD_LINES = 500;
const PROPOSALS = 30;
const ORDERS = 100;
const PERIOD_DAYS: Readonly<Record<Period, number>> = { '1M': 31, '3M': 93, '1A': 366, '5A': 1830 };
const DAY_MS = 86_400_000;

/** The page's parts, in the order they are read. */
const makers = {
  summary: async ({ data }) => {
    const [account, positions] = await Promise.all([data.account(), data.positions()]);
    return summaryPart(account, positions);
  },
  standing: async ({ data, form }) => standingPart(await data.halted(), form),
  value: async ({ data, period, now }) => {
    const after = now - PERIOD_DAYS[period] * DAY_MS;
    const [values, activities] = await Promise.all([data.valueHistory(period), data.activities({ after })]);
    return valuePart(values, activities, period);
  },
  waiting: async ({ data }) => waitingPart(await data.proposals({ limit: PROPOSALS })),
  positions: async ({ data, now }) => {
    const began = dayBegan(now);
    const [account, positions, activities] = await Promise.all([
      data.account(),
      data.positions(),
      // Not every broker has them: the day is then since the last close, whenever a position was bought.
      data.activities({ after: began - 1 }).catch(() => []),
    ]);
    return positionsPart(account, positions, dayTrades(activities, began));
  },
  orders: async ({ data }) => ordersPart(await data.orders({ status: 'all', limit: ORDERS })),
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

/** A part as it is now; `digest` is another one where it is. */
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
