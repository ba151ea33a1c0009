import { html } from 'hono/html';
import { markedText, safeLine } from '../../../text/shown-text.ts';
import { dollars } from '../../../trading/amounts.ts';
import type { MandateView } from '../../../trading/mandate/mandate.ts';
import { mandateAmounts, mandateFor, mandateWhen } from '../../../trading/mandate/mandate-words.ts';
import type { RecordLine, RecordVerdict } from '../../../trading/record-line.ts';
import { timed } from '../decision/local-time.ts';
import { sign } from '../decision/signs.ts';
import type { Markup } from '../page/page.ts';
import type { FindingLine, RunLine, ScheduleLine, Standing, ThreadLine } from './dashboard-data.ts';
import { seconds } from './orders-part.ts';
import { eventWords, type FormParts } from './proposals-part.ts';

const MOST_LINES = 12;
const SHOWN = 200;

export function standingPart({ state, since }: Standing, { path, formToken }: FormParts): Markup {
  const when = since === undefined ? '' : html` since ${timed(seconds(since))}`;
  if (state === 'halted')
    return html`<p class="standing" data-testid="trading" data-state="halted">${sign('no')}<strong>Trading is halted</strong>${when}. Nothing more is carried out. To let it go on: <span class="mono">trade-agent halt --lift</span></p>`;
  return html`<div class="standing" data-testid="trading" data-state="${state}"><span>${state === 'active' ? html`${sign('done')}<strong>Trading is on</strong>` : html`${sign('late')}<strong>Only smaller positions</strong>${when}`}</span>
<details data-keep="halt"><summary>Halt …</summary>
<p class="small">What waits is withdrawn, and nothing more is carried out, until you approve on your phone that it goes on. Orders at the broker stay there.</p>
<form method="post" action="${path}/halt"><input type="hidden" name="form_token" value="${formToken}"><button class="stop" data-testid="halt" data-keep="halt-button">Halt all trading</button></form>
</details></div>`;
}

export function mandatesPart(mandates: readonly MandateView[]): Markup {
  if (mandates.length === 0)
    return html`<p class="soft none" data-testid="no-mandates">There is none: each order is asked for, one by one.</p>`;
  return html`<ul class="lines" data-testid="mandates">${mandates
    .slice(0, MOST_LINES)
    .map(
      ({ id, state, terms, used, standing }) =>
        html`<li data-id="${id}" data-state="${state}"><span><strong>${markedText(mandateFor(terms))}</strong><br><span class="soft small">${mandateAmounts(terms)} · ${mandateWhen(terms)}<br>used ${dollars(used.total_notional)} of ${dollars(terms.max_total_notional)}, ${used.orders} of ${terms.max_orders} orders${
          standing?.next_at === undefined ? '' : html` · next ${timed(seconds(standing.next_at))}`
        }</span></span><span class="outcome">${state}</span></li>`,
    )}</ul>`;
}

export function schedulesPart(schedules: readonly ScheduleLine[], runs: readonly RunLine[]): Markup {
  if (schedules.length === 0 && runs.length === 0)
    return html`<p class="soft none" data-testid="no-schedules">Nothing runs by itself: <span class="mono">trade-agent schedule add</span></p>`;
  return html`<ul class="lines" data-testid="schedules">${schedules.map(
    ({ id, name, when, next, overdue }) =>
      html`<li><span><strong>${shown(name ?? id)}</strong><br><span class="soft small">${shown(when)}${next === undefined ? '' : html` · next ${timed(seconds(next))}`}</span></span><span class="outcome">${overdue === undefined ? '' : html`${sign('late')}overdue since ${timed(seconds(overdue))}`}</span></li>`,
  )}</ul>
${runs.length === 0 ? '' : html`<h3>Runs</h3><ul class="lines" data-testid="runs">${runs.slice(0, MOST_LINES).map(runLine)}</ul>`}`;
}

function runLine({ schedule, started_at, status, found, findings, error }: RunLine): Markup {
  return html`<li><span>${timed(seconds(started_at))} <span class="soft small">${shown(schedule)}</span>${
    findings.length === 0
      ? ''
      : html`<ul class="small">${findings.slice(0, 5).map(({ severity, message }) => html`<li><strong>${shown(severity)}</strong> ${timed(shown(message))}</li>`)}</ul>`
  }${error === undefined ? '' : html`<br><span class="small loss">${shown(error.message)}</span>`}</span><span class="outcome">${shown(status).replaceAll('_', ' ')}${found > 0 ? html` <span class="mark">${found}</span>` : ''}</span></li>`;
}

export function findingsPart(findings: readonly FindingLine[]): Markup {
  if (findings.length === 0)
    return html`<p class="soft none" data-testid="no-findings">No rule has found anything that still stands.</p>`;
  return html`<ul class="lines" data-testid="findings">${findings
    .slice(0, MOST_LINES)
    .map(
      ({ account, rule, subject, since }) =>
        html`<li><span><strong>${shown(rule)}</strong> ${shown(subject)}${account === undefined ? '' : html`<br><span class="soft small">${shown(account)}</span>`}</span><span class="soft small">since ${timed(seconds(since))}</span></li>`,
    )}</ul>`;
}

export function threadsPart(threads: readonly ThreadLine[]): Markup {
  if (threads.length === 0) return html`<p class="soft none">There is no conversation yet.</p>`;
  return html`<ul class="lines" data-testid="threads">${threads
    .slice(0, MOST_LINES)
    .map(
      ({ prompt, status, updated_at }) =>
        html`<li><span class="words">${shown(prompt)}<br><span class="soft small">${timed(seconds(updated_at))}</span></span><span class="outcome">${shown(status)}</span></li>`,
    )}</ul>`;
}

const wrong: Readonly<Record<Extract<RecordVerdict, { ok: false }>['what'], string>> = {
  changed: 'was changed',
  removed: 'is missing, or lines before it are',
  added: 'was added, or put elsewhere',
  unreadable: 'can’t be read',
  checkpoint: 'does not sign what stands before it',
  signer: 'is signed by another key',
  anchor: 'vouches for nothing',
};

export function recordPart(
  lines: readonly RecordLine[],
  verdict: RecordVerdict,
  { hidesCodes }: Pick<FormParts, 'hidesCodes'>,
): Markup {
  return html`<p class="verdict ${verdict.ok ? '' : 'problem'}" data-testid="verdict" data-ok="${String(verdict.ok)}">${
    verdict.ok
      ? html`${sign('done')}<span><strong>Whole</strong>: the gateway finds none of its ${verdict.lines} lines changed, removed or added.</span>`
      : html`${sign('no')}<span><strong>Not whole</strong>: line ${verdict.line} ${wrong[verdict.what]}. Ask whoever runs the gateway: <span class="mono">trade-agent gateway audit verify</span></span>`
  }</p>
${
  lines.length === 0
    ? html`<p class="soft none">Nothing of yours is on it yet.</p>`
    : html`<ol class="lines" data-testid="record">${lines
        .slice(0, MOST_LINES)
        .map(
          ({ seq, at, event, code, kind }) =>
            html`<li><span>${shown(eventWords(event))}${typeof code === 'string' && !hidesCodes ? html` <span class="mono small">${shown(code)}</span>` : ''}${typeof kind === 'string' ? html` <span class="soft small">${shown(kind).replaceAll('_', ' ')}</span>` : ''}</span><span class="soft small">${timed(seconds(at))} · ${seq}</span></li>`,
        )}</ol>`
}`;
}

/** Text of a model's, a file's or a server's: whatever draws or hides is out, and no more than fits. */
function shown(text: string): string {
  return safeLine(text, SHOWN);
}
