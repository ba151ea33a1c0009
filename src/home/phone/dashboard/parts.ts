import { createHash } from 'node:crypto';
import { html } from 'hono/html';
import { isTradeAgentError, TradeAgentError } from '../../../errors/errors.ts';
import { isSecureUrl } from '../../../net/secure-url.ts';
import { markInvisibleCharacters, safeLine } from '../../../text/sanitize.ts';
import { type AccountEntry, ALL_ACCOUNTS } from '../../../trading/account-entry.ts';
import { formatDollarAmount, formatTodayChange } from '../../../trading/amounts.ts';
import { environmentName } from '../../../trading/environment.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import type { MandateView } from '../../../trading/mandate/mandate.ts';
import {
  describeCoveredOrders,
  describeMandateAmounts,
  describeMandateTimes,
} from '../../../trading/mandate/mandate-words.ts';
import { totalByCurrency } from '../../../trading/portfolio/totals-across.ts';
import type { Proposal } from '../../../trading/proposal.ts';
import type { RecordLine, RecordVerdict } from '../../../trading/record-line.ts';
import type { Account } from '../../../trading/views.ts';
import { defined } from '../../../values/defined.ts';
import { withLocalTimes } from '../decision/local-time.ts';
import { renderRequestCard } from '../decision/request-card.ts';
import { renderIcon } from '../decision/signs.ts';
import type { Markup } from '../page/page.ts';
import type {
  AccountReads,
  AgentData,
  DashboardData,
  FindingLine,
  Period,
  RunLine,
  ScheduleLine,
  ThreadLine,
  TradingStatus,
} from './dashboard-data.ts';
import { formatToSecond, renderOrdersPart } from './orders-part.ts';
import { activityPart, headlinePart, holdingsPart, positionsPart, summaryPart, valuePart } from './portfolio-parts.ts';
import {
  describeAuditEvent,
  type ProposalFormOptions,
  renderProposalsPart,
  toProposalDetails,
} from './proposals-part.ts';
import { newsPart, openOrdersPart, pricePart, quotePart, symbolPositionPart } from './symbol-parts.ts';

const MAX_CARDS = 5;

/** Renders the pending proposals as on the phone, but read-only, because decisions are made on the phone. */
function waitingPart(proposals: readonly Proposal[]): Markup {
  const waiting = proposals.filter(({ state }) => state === 'requested');
  if (waiting.length === 0)
    return html`<p class="soft none" data-testid="nothing-waits">Nothing needs your approval.</p>`;
  return html`${waiting.slice(0, MAX_CARDS).map(readOnlyCard)}${
    waiting.length > MAX_CARDS ? html`<p class="small soft">And ${waiting.length - MAX_CARDS} more.</p>` : ''
  }`;
}

function readOnlyCard(proposal: Proposal): Markup {
  const { id, code, client } = proposal;
  const { phone_url: url } = proposal.approval;
  return renderRequestCard(
    {
      id,
      code,
      clientName: markInvisibleCharacters(client),
      clientNote: undefined,
      bindingMessage: undefined,
      details: toProposalDetails(proposal),
      expiresAt: Date.parse(proposal.expires_at),
    },
    {
      formToken: '',
      codes: undefined,
      confirm: false,
      // Omits links other than to https pages or to this machine.
      cannot: { decideAt: url !== undefined && isSecureUrl(url) ? url : undefined },
    },
  );
}

export interface DashboardView {
  readonly data: DashboardData;
  /** Number of the selected account, or `all`. Undefined for the default account. */
  readonly account?: string | undefined;
  readonly period: Period;
  readonly form: ProposalFormOptions;
  /** Path of the page that contains the parts. */
  readonly page: string;
  readonly now: number;
  /** The symbol if this is a symbol's page. */
  readonly symbol?: string | undefined;
}

/** Number of audit entries read for the proposals' histories, more than the page shows. */
const RECORD_LINES = 500;
const PROPOSALS = 30;
const ORDERS = 100;

const partMakers = {
  accounts: async ({ data, account, period, page }) => {
    const link = (chosen: string) => `${page}?${new URLSearchParams({ period, account: chosen })}`;
    return html`${accountsPart(await data.accounts().catch(noAccounts), account, link)}`;
  },
  summary: (view) => withTotals(view, summaryPart),
  worth: (view) => withTotals(view, headlinePart),
  standing: async ({ data, form }) => tradingPart(await data.halted(), form),
  value: (view) => forAccounts(view, (reads) => valuePart(reads, view.period, view.now)),
  curve: (view) => forAccounts(view, (reads) => valuePart(reads, view.period, view.now, true)),
  waiting: async ({ data }) => waitingPart(await data.proposals({ limit: PROPOSALS })),
  positions: (view) => forAccounts(view, (reads, account) => positionsPart(reads, view.now, symbolLink(view, account))),
  holdings: (view) => forAccounts(view, (reads, account) => holdingsPart(reads, view.now, symbolLink(view, account))),
  activity: (view) => forAccounts(view, (reads) => activityPart(reads, view.now)),
  orders: (view) =>
    forAccounts(view, async (reads) => renderOrdersPart(await reads.orders({ status: 'all', limit: ORDERS }))),
  proposals: async ({ data, form }) => {
    const [proposals, record] = await Promise.all([
      data.proposals({ limit: PROPOSALS }),
      // A gateway of another version may have no audit log, in which case the histories are shorter.
      data.record(RECORD_LINES).catch(() => undefined),
    ]);
    return renderProposalsPart(proposals, record, form);
  },
  mandates: async ({ data }) => mandatesPart(await data.mandates()),
  schedules: ({ data }) =>
    forAgent(data, async (agent) => schedulesPart(await agent.schedules(), await agent.runs(10))),
  findings: ({ data }) => forAgent(data, async (agent) => findingsPart(await agent.findings())),
  threads: ({ data }) => forAgent(data, async (agent) => threadsPart(await agent.threads(10), agent.chat)),
  quote: (view) => ofSymbol(view, quotePart),
  price: (view) => ofSymbol(view, (reads, symbol) => pricePart(reads, symbol, view)),
  held: (view) => ofSymbol(view, (reads, symbol) => symbolPositionPart(reads, symbol, view.now)),
  pending: (view) => ofSymbol(view, openOrdersPart),
  trades: (view) => ofSymbol(view, (reads, symbol) => activityPart(reads, view.now, symbol)),
  news: (view) => ofSymbol(view, newsPart),
  record: async ({ data, form }) => {
    const [lines, verdict] = await Promise.all([data.record(RECORD_LINES), data.verifyRecord()]);
    return recordPart(lines, verdict, form);
  },
} as const satisfies Record<string, (view: DashboardView) => Promise<Markup>>;
export type DashboardPartName = keyof typeof partMakers;

/** Parts of the phone's first page. They show the dashboard's data in a shorter form. */
export const homePartNames = [
  'accounts',
  'worth',
  'curve',
  'holdings',
  'activity',
] as const satisfies DashboardPartName[];
export const symbolPartNames = [
  'quote',
  'price',
  'held',
  'pending',
  'trades',
  'news',
] as const satisfies DashboardPartName[];
const elsewhere = new Set<DashboardPartName>([
  ...homePartNames.filter((name) => name !== 'accounts'),
  ...symbolPartNames,
]);
export const dashboardPartNames = (Object.keys(partMakers) as DashboardPartName[]).filter(
  (name) => !elsewhere.has(name),
);

/** Returns a function that returns the address of a symbol's page in one account. */
function symbolLink({ form }: DashboardView, account: string | undefined): (symbol: string) => string {
  return (symbol) => `${form.path}/symbol?${new URLSearchParams({ symbol, ...defined({ account }) })}`;
}

/** Renders a part of a symbol's page. If all accounts are selected, shows the default account. */
async function ofSymbol(
  { data, account, symbol }: DashboardView,
  make: (reads: AccountReads, symbol: string) => Promise<Markup>,
): Promise<Markup> {
  if (symbol === undefined) throw new TypeError('the page has no symbol');
  return make(account === undefined || account === ALL_ACCOUNTS ? data : data.inAccount(account), symbol);
}

export interface DashboardPart {
  readonly name: DashboardPartName;
  readonly html: string;
  readonly digest: string;
}

/** Renders one part, or the reason why its data can't be read. Never throws. */
export async function renderDashboardPart(name: DashboardPartName, view: DashboardView): Promise<DashboardPart> {
  const markup = await partMakers[name](view).catch(unreadablePart);
  const text = String(await markup);
  return { name, html: text, digest: createHash('sha256').update(text).digest('base64url').slice(0, 16) };
}

/** Renders a part for the selected account, or for each account. Renders a message if an account can't be read. */
async function forAccounts(
  { data, account }: DashboardView,
  make: (reads: AccountReads, account: string | undefined) => Promise<Markup>,
): Promise<Markup> {
  if (account !== ALL_ACCOUNTS) return await make(account === undefined ? data : data.inAccount(account), account);
  const entries = await data.accounts();
  const parts = entries.map(async ({ account: number, problem }) =>
    number === null
      ? unreadablePart(unreachableBroker(problem))
      : await make(data.inAccount(number), number).catch(unreadablePart),
  );
  return eachPart(entries, await Promise.all(parts));
}

/** Renders the figures of each selected account. If all accounts are selected, renders their totals first. */
async function withTotals(view: DashboardView, make: typeof summaryPart): Promise<Markup> {
  const each = await forAccounts(view, async (reads) => {
    const [account, positions] = await Promise.all([reads.account(), reads.positions()]);
    return make(account, positions);
  });
  return view.account === ALL_ACCOUNTS ? html`${await totals(view)}${each}` : each;
}

async function totals({ data }: DashboardView): Promise<Markup> {
  const entries = await data.accounts();
  const read = await Promise.all(
    entries.map(async ({ account }) =>
      account === null ? undefined : await data.inAccount(account).account().catch(ignoreReadError),
    ),
  );
  const without = entries.filter((_, at) => read[at] === undefined).map(accountName);
  return totalsPart(
    read.filter((one) => one !== undefined),
    without,
  );
}

function ignoreReadError(error: unknown): undefined {
  if (!(error instanceof HttpProblem) && !isTradeAgentError(error)) throw error;
}

/** Returns no accounts after a failed read, so that the page shows no account links. */
function noAccounts(error: unknown): AccountEntry[] {
  ignoreReadError(error);
  return [];
}

function unreachableBroker(problem = 'reason unknown'): TradeAgentError {
  return new TradeAgentError('broker_unreachable', `the broker can’t be reached now (${problem})`);
}

async function forAgent({ agent }: DashboardData, make: (agent: AgentData) => Promise<Markup>): Promise<Markup> {
  if (agent !== undefined) return make(agent);
  return html`<p class="soft none" data-testid="with-agent">These are stored where your agent runs. To see them, run <span class="mono">trade-agent web</span> there.</p>`;
}

function unreadablePart(error: unknown): Markup {
  const [what, hint] =
    error instanceof HttpProblem
      ? [error.message, error.options.hint]
      : isTradeAgentError(error)
        ? [error.message, error.hint]
        : ['something went wrong', undefined];
  return html`<div class="unread" data-testid="unread"><p><strong>Can’t be read now</strong>: ${safeLine(what, 300)}.</p>${
    hint === undefined ? '' : html`<p class="small soft">${safeLine(hint, 300)}</p>`
  }</div>`;
}

const MAX_LINES = 12;
const MAX_TEXT_LENGTH = 200;

function tradingPart({ state, since }: TradingStatus, { path, formToken }: ProposalFormOptions): Markup {
  const when = since === undefined ? '' : html` (since ${withLocalTimes(formatToSecond(since))})`;
  if (state === 'halted')
    return html`<p class="standing" data-testid="trading" data-state="halted">${renderIcon('no')}<strong>Trading is halted</strong>${when}. Nothing more is carried out. To resume: <span class="mono">trade-agent halt --lift</span></p>`;
  return html`<div class="standing" data-testid="trading" data-state="${state}"><span>${state === 'active' ? html`${renderIcon('done')}<strong>Trading is on</strong>` : html`${renderIcon('late')}<strong>Positions can only be reduced</strong>${when}`}</span>
<details data-keep="halt"><summary>Halt…</summary>
<p class="small">Pending requests are withdrawn, and nothing more is carried out until you approve resuming on your phone. Orders at the broker stay open.</p>
<form method="post" action="${path}/halt"><input type="hidden" name="form_token" value="${formToken}"><button class="stop" data-testid="halt" data-keep="halt-button">Halt all trading</button></form>
</details></div>`;
}

function mandatesPart(mandates: readonly MandateView[]): Markup {
  if (mandates.length === 0)
    return html`<p class="soft none" data-testid="no-mandates">No mandates. Every order needs your approval. To allow small orders without approval: <span class="mono">trade-agent mandates add</span></p>`;
  return html`<ul class="lines" data-testid="mandates">${mandates
    .slice(0, MAX_LINES)
    .map(
      ({ id, state, terms, used, standing }) =>
        html`<li data-id="${id}" data-state="${state}"><span><strong>${markInvisibleCharacters(describeCoveredOrders(terms))}</strong><br><span class="soft small">${describeMandateAmounts(terms)} · ${describeMandateTimes(terms)}<br>used ${formatDollarAmount(used.total_notional)} of ${formatDollarAmount(terms.max_total_notional)}, ${used.orders} of ${terms.max_orders} orders${
          standing?.next_at === undefined ? '' : html` · next ${withLocalTimes(formatToSecond(standing.next_at))}`
        }</span></span><span class="outcome">${state}</span></li>`,
    )}</ul>`;
}

function schedulesPart(schedules: readonly ScheduleLine[], runs: readonly RunLine[]): Markup {
  if (schedules.length === 0 && runs.length === 0)
    return html`<p class="soft none" data-testid="no-schedules">No schedules yet. Try <span class="mono">trade-agent schedule add</span></p>`;
  return html`<ul class="lines" data-testid="schedules">${schedules.map(
    ({ id, name, when, next, overdue }) =>
      html`<li><span><strong>${sanitize(name ?? id)}</strong><br><span class="soft small">${sanitize(when)}${next === undefined ? '' : html` · next ${withLocalTimes(formatToSecond(next))}`}</span></span><span class="outcome">${overdue === undefined ? '' : html`${renderIcon('late')}overdue since ${withLocalTimes(formatToSecond(overdue))}`}</span></li>`,
  )}</ul>
${runs.length === 0 ? '' : html`<h3>Runs</h3><ul class="lines" data-testid="runs">${runs.slice(0, MAX_LINES).map(runLine)}</ul>`}`;
}

function runLine({ schedule, started_at, status, found, findings, error }: RunLine): Markup {
  return html`<li><span>${withLocalTimes(formatToSecond(started_at))} <span class="soft small">${sanitize(schedule)}</span>${
    findings.length === 0
      ? ''
      : html`<ul class="small">${findings.slice(0, 5).map(({ severity, message }) => html`<li><strong>${sanitize(severity)}</strong> ${withLocalTimes(sanitize(message))}</li>`)}</ul>`
  }${error === undefined ? '' : html`<br><span class="small loss">${sanitize(error.message)}</span>`}</span><span class="outcome">${sanitize(status).replaceAll('_', ' ')}${found > 0 ? html` <span class="mark">${found}</span>` : ''}</span></li>`;
}

function findingsPart(findings: readonly FindingLine[]): Markup {
  if (findings.length === 0)
    return html`<p class="soft none" data-testid="no-findings">No open findings. To look for risks now: <span class="mono">trade-agent check</span></p>`;
  return html`<ul class="lines" data-testid="findings">${findings
    .slice(0, MAX_LINES)
    .map(
      ({ account, rule, subject, since }) =>
        html`<li><span><strong>${sanitize(rule)}</strong> ${sanitize(subject)}<br><span class="soft small">${account === undefined ? '' : `${sanitize(account)} · `}since ${withLocalTimes(formatToSecond(since))}</span></span></li>`,
    )}</ul>`;
}

function threadsPart(threads: readonly ThreadLine[], chat: string): Markup {
  if (threads.length === 0)
    return html`<p class="soft none">No conversations yet. To start one: <span class="mono">trade-agent chat</span></p>`;
  return html`<ul class="lines" data-testid="threads">${threads
    .slice(0, MAX_LINES)
    .map(
      ({ thread, prompt, status, updated_at }) =>
        html`<li><span class="words"><a href="${chat}?${new URLSearchParams({ thread })}">${sanitize(prompt)}</a><br><span class="soft small">${withLocalTimes(formatToSecond(updated_at))}</span></span><span class="outcome">${sanitize(status)}</span></li>`,
    )}</ul>`;
}

const recordProblems: Readonly<Record<Extract<RecordVerdict, { ok: false }>['what'], string>> = {
  changed: 'was changed',
  removed: 'or earlier entries are missing',
  added: 'was added or moved',
  unreadable: 'can’t be read',
  tile: 'has a wrong hash',
  checkpoint: 'and the entries before it don’t match the signed checkpoint',
  signer: 'is signed by another key',
  anchor: 'has no valid timestamp',
};

function recordPart(
  lines: readonly RecordLine[],
  verdict: RecordVerdict,
  { hidesCodes }: Pick<ProposalFormOptions, 'hidesCodes'>,
): Markup {
  return html`<p class="verdict ${verdict.ok ? '' : 'problem'}" data-testid="verdict" data-ok="${String(verdict.ok)}">${
    verdict.ok
      ? html`${renderIcon('done')}<span><strong>Intact</strong>: all ${verdict.lines} entries verified.</span>`
      : html`${renderIcon('no')}<span><strong>Not intact</strong>: entry ${verdict.line} ${recordProblems[verdict.what]}. Ask the gateway’s operator to run <span class="mono">trade-agent gateway audit verify</span></span>`
  }</p>
${
  lines.length === 0
    ? html`<p class="soft none">No entries about you yet.</p>`
    : html`<ol class="lines" data-testid="record">${lines
        .slice(0, MAX_LINES)
        .map(
          ({ leaf, at, event, code, kind }) =>
            html`<li><span>${sanitize(describeAuditEvent(event))}${typeof code === 'string' && !hidesCodes ? html` <span class="mono small">${sanitize(code)}</span>` : ''}${typeof kind === 'string' ? html` <span class="soft small">${sanitize(kind).replaceAll('_', ' ')}</span>` : ''}<br><span class="soft small">${withLocalTimes(formatToSecond(at))}</span></span><span class="soft small">${leaf === null ? '' : `#${leaf + 1}`}</span></li>`,
        )}</ol>`
}`;
}

/** Removes control and invisible characters from the text of a model, file or server, and limits its length. */
function sanitize(text: string): string {
  return safeLine(text, MAX_TEXT_LENGTH);
}

/** Returns a display name such as `PA3ALICE01 at Alpaca`. */
function accountName({ account, label }: Pick<AccountEntry, 'account' | 'label'>): string {
  return safeLine(account === null ? label : `${account} at ${label}`, 80);
}

/**
 * Renders links to each account and to all accounts together.
 * @param chosen a number or `all`; undefined for the default account
 */
function accountsPart(
  entries: readonly AccountEntry[],
  chosen: string | undefined,
  linkTo: (account: string) => string,
): Markup | '' {
  if (entries.length < 2) return '';
  const link = (account: string, text: string, isChosen: boolean) =>
    html`<a href="${linkTo(account)}" ${isChosen ? html`aria-current="page"` : ''}>${text}</a>`;
  return html`<nav class="periods small accounts" aria-label="Account" data-testid="accounts">${entries.map((entry) => {
    const { account, environment } = entry;
    const text = `${accountName(entry)} ${environmentName(environment)}`;
    if (account === null) return html`<span class="soft">${text}: can’t be reached now</span>`;
    return link(account, text, chosen === undefined ? entry.default : chosen === account);
  })}${link(ALL_ACCOUNTS, 'All', chosen === ALL_ACCOUNTS)}</nav>`;
}

function eachPart(entries: readonly AccountEntry[], parts: readonly Markup[]): Markup {
  return html`${entries.map(
    (entry, at) =>
      html`<div class="of-account" data-testid="of-account" data-account="${entry.account ?? ''}"><h3>${accountName(entry)}</h3>${parts[at] ?? ''}</div>`,
  )}`;
}

/** Renders the accounts' totals by currency. @param without names of accounts that could not be read */
function totalsPart(accounts: readonly Account[], without: readonly string[]): Markup {
  const lacking = without.length === 0 ? '' : html` <strong>excluding ${without.join(', ')}</strong>`;
  return html`<dl class="figures" data-testid="totals">${totalByCurrency(accounts).map(
    ({ currency, equity, cash, day_change }) =>
      html`<div><dt>All accounts, ${safeLine(currency, 10)}${lacking}</dt><dd>${formatDollarAmount(equity)} <span class="soft">${formatTodayChange(day_change, null)}, ${formatDollarAmount(cash)} in cash</span></dd></div>`,
  )}</dl>`;
}
