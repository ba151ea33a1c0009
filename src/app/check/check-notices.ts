import { createHash } from 'node:crypto';
import type { RunResult } from '../../agent/events.ts';
import type { Finding } from '../../check/firing.ts';
import type { CheckResult, NoticeReport } from '../../check/result-schema.ts';
import type { NoticeChannel, NoticeChannelsConfig } from '../../config/notice-channels.ts';
import { deliverNotices } from '../../notify/deliver.ts';
import type { Notice } from '../../notify/notice.ts';
import { createChannelSender } from '../../notify/open-channel.ts';
import { DEFAULT_NOTICE_BODY, DEFAULT_NOTICE_TITLE, fillTemplate, type NoticeFacts } from '../../notify/template.ts';
import { loadNoticeSecrets } from '../../secrets/notice-secrets.ts';
import type {
  NoticeOutbox,
  OutgoingNotice,
  RuleFiring,
  UnnotifiedFilter,
  WaitingNotice,
} from '../../store/check-store.ts';
import { capitalize } from '../../text/first-letter.ts';
import { safeLine, safeText } from '../../text/sanitize.ts';
import { formatNewYorkTime } from '../../trading/date-words.ts';
import { environmentName } from '../../trading/environment.ts';
import { getKindDefinition, kindPayload } from '../../trading/kinds/kinds.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { startNoticesTimeLimit } from '../notices/notice-place.ts';
import { proposedSymbols } from '../run.ts';

/** Maximum number of notices per channel. If there are more new findings, the channel gets one combined notice. */
const MAX_NOTICES = 10;
/** Maximum number of lines in a combined notice. The remaining findings are only counted. */
const MAX_LINES = 40;
/** Lifetime of a notice in milliseconds, long enough for a server that is down over a long weekend. */
export const NOTICE_TTL_MS = 4 * 86_400_000;

const MAX_TITLE_LENGTH = 200;
const MAX_BODY_LENGTH = 4000;

interface NoticeInput {
  readonly profile: string;
  /** The account's owner, who is part of each notice's ID because two people may have the same rule. */
  readonly owner: string;
  readonly channels: NoticeChannelsConfig;
  readonly result: CheckResult;
  /** New findings, most severe first. `stateOf` maps each finding to its stored firing state. */
  readonly findings: readonly Finding[];
  readonly stateOf: ReadonlyMap<Finding, RuleFiring>;
  /** Removes findings that an earlier check sent to the channel before it crashed. */
  readonly unnotified: UnnotifiedFilter;
  readonly runs: readonly RunResult[];
  readonly now: number;
}

/** Builds each channel's notices for a check: new findings, and orders that wait for approval. Sends nothing. */
export function buildNotices(input: NoticeInput): OutgoingNotice<Notice>[] {
  return Object.entries(input.channels).flatMap(([name, channel]) =>
    channel.enabled
      ? [...findingNotices(input, name, channel), ...(channel.approvals ? approvalNotices(input, name) : [])]
      : [],
  );
}

const severityRank = { info: 0, warning: 1, critical: 2 } as const;

function isWanted({ min_severity, rules }: NoticeChannel, { severity, rule }: Finding): boolean {
  return severityRank[severity] >= severityRank[min_severity] && (rules === undefined || rules.includes(rule));
}

function findingNotices(input: NoticeInput, name: string, channel: NoticeChannel): OutgoingNotice<Notice>[] {
  const { findings, stateOf, unnotified: untold, now } = input;
  const wantedFirings = findings.flatMap((finding) => {
    const state = stateOf.get(finding);
    return state !== undefined && isWanted(channel, finding) ? [[finding, state] as const] : [];
  });
  const statesOf = (firings: typeof wantedFirings) => firings.map(([, state]) => state);
  const open = new Set(untold(name, statesOf(wantedFirings)));
  const fresh = wantedFirings.filter(([, state]) => open.has(state));
  const sent = { channel: name, until: now + NOTICE_TTL_MS };
  if (fresh.length > MAX_NOTICES)
    return [{ ...sent, notice: combinedNotice(input, name, channel, fresh), firings: statesOf(fresh) }];
  return fresh.map(([finding, state]) => ({
    ...sent,
    notice: singleNotice(input, name, channel, finding, state),
    firings: [state],
  }));
}

function singleNotice(
  input: NoticeInput,
  name: string,
  channel: NoticeChannel,
  finding: Finding,
  state: RuleFiring,
): Notice {
  const facts = noticeFacts(input, finding);
  return toNotice(input, {
    id: deriveNoticeId([input.owner, name, state]),
    type: 'finding',
    severity: finding.severity,
    title:
      channel.title === undefined
        ? capitalize(fillTemplate(DEFAULT_NOTICE_TITLE, facts))
        : fillTemplate(channel.title, facts),
    body: fillTemplate(channel.body ?? DEFAULT_NOTICE_BODY, facts),
    data: { findings: [findingData(finding)] },
  });
}

function combinedNotice(
  input: NoticeInput,
  name: string,
  channel: NoticeChannel,
  fresh: readonly (readonly [Finding, RuleFiring])[],
): Notice {
  const { account } = input.result;
  // The findings are sorted, so the first one is the most severe.
  const [worst] = fresh.map(([finding]) => finding.severity);
  const template = channel.body ?? '{message}';
  const lines = fresh
    .slice(0, MAX_LINES)
    .map(
      ([finding]) =>
        `- ${capitalize(finding.severity)}: ${safeLine(fillTemplate(template, noticeFacts(input, finding)), 300)}`,
    );
  if (fresh.length > MAX_LINES) lines.push(`… and ${fresh.length - MAX_LINES} more`);
  return toNotice(input, {
    id: deriveNoticeId([input.owner, name, fresh.map(([, state]) => state)]),
    type: 'finding',
    severity: worst ?? 'warning',
    title: `${fresh.length} new findings (${environmentLabel(account)})`,
    body: `${lines.join('\n')}\n\nAccount ${account.account}, ${environmentLabel(account)}; checked ${formatNewYorkTime(input.result.checked_at)}.`,
    data: {
      findings: fresh.slice(0, MAX_LINES).map(([finding]) => findingData(finding)),
      count: fresh.length,
    },
  });
}

/** Builds notices of pending approvals. Each notice expires with its approval. */
function approvalNotices(input: NoticeInput, name: string): OutgoingNotice<Notice>[] {
  const { result, runs, owner } = input;
  return runs
    .filter(({ status }) => status === 'pending')
    .flatMap(({ approvals }) => approvals)
    .filter((approval) => proposedSymbols(approval).length > 0 && approval.status === 'requested')
    .map((approval) => ({
      ...approval,
      what: getKindDefinition(approval.kind).terminal.headline(kindPayload(approval)),
    }))
    .map(({ id, code, expires_at, what }) => ({
      channel: name,
      notice: toNotice(input, {
        id: deriveNoticeId([owner, name, 'approval', id]),
        type: 'approval',
        severity: 'warning',
        title: `Check your phone: ${what} (${environmentLabel(result.account)}), code ${code}`,
        body: [
          `The check proposes ${what} and waits for your approval until ${formatNewYorkTime(expires_at)}.`,
          `Approve it on your phone only if the phone shows the code ${code} and the order you want.`,
          `Account ${result.account.account}, ${environmentLabel(result.account)}.`,
        ].join('\n'),
        data: { approval: { id, code, expires_at, order: what } },
      }),
      firings: [],
      until: Date.parse(expires_at),
    }));
}

function toNotice({ profile, result }: NoticeInput, { title, body, data, ...rest }: Omit<Notice, 'at'>): Notice {
  return {
    ...rest,
    title: safeLine(title, MAX_TITLE_LENGTH),
    body: safeText(body).slice(0, MAX_BODY_LENGTH),
    at: result.checked_at,
    data: { profile, account: result.account, ...data },
  };
}

function noticeFacts({ profile, result }: NoticeInput, { severity, rule, subject, message }: Finding): NoticeFacts {
  const { account, checked_at } = result;
  const at = formatNewYorkTime(checked_at);
  const environment = environmentLabel(account);
  return { severity, rule, subject, message, profile, account: account.account, environment, at };
}

function findingData({ rule, kind, subject, severity, message, facts, since, problem }: Finding) {
  return { rule, kind, subject, severity, message, facts, since, ...defined({ problem }) };
}

function environmentLabel({ environment, simulated }: CheckResult['account']): string {
  return `${environmentName(environment)}${simulated ? ', simulated' : ''}`;
}

/** Returns the same ID for equal parts, so that a check that is repeated after a crash sends no duplicates. */
export function deriveNoticeId(parts: readonly unknown[]): string {
  return `nt_${createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 24)}`;
}

/**
 * Sends the waiting notices, to all channels in parallel. Later checks retry failed notices until they expire.
 * @param now milliseconds since the epoch, from the same clock as the times of the notices
 */
export async function sendNotices(
  app: App,
  channels: NoticeChannelsConfig,
  outbox: NoticeOutbox<Notice>,
  now: number,
): Promise<NoticeReport[]> {
  const waiting = await outbox.waiting();
  if (waiting.length === 0) return [];
  const secrets = await loadNoticeSecrets(await app.store());
  const limit = startNoticesTimeLimit(app.clock, app.signal);
  try {
    const names = [...new Set(waiting.map(({ channel }) => channel))];
    const reports = await Promise.all(
      names.map(async (name) => {
        const channel = Object.hasOwn(channels, name) ? channels[name] : undefined;
        const mine = waiting.filter((one) => one.channel === name);
        const { sendable, reports } = partitionWaiting(mine, channel, now);
        for (const { id } of reports) await outbox.remove(id);
        if (channel === undefined) return reports;
        const secret = secrets(name, channel);
        const send = createChannelSender(name, channel, secret, {
          fetch: app.redactedFetch,
          env: app.env,
          platform: process.platform,
          now: () => app.clock.now(),
          command: 'trade-agent notices',
        });
        const deliveries = await deliverNotices(
          async (notice, signal) => {
            await send(notice, signal);
            // Removed immediately, so that neither a crash nor a later notice's failure causes it to be sent again.
            await outbox.remove(notice.id);
          },
          sendable,
          { clock: app.clock, signal: limit.signal, attemptMs: channel.timeout * 1000 },
        );
        for (const { notice, attempts, failure } of deliveries) {
          if (failure !== undefined) await outbox.recordAttempt(notice.id, attempts);
          reports.push(toReport(name, notice, attempts, failure === undefined ? 'delivered' : 'waiting', failure));
        }
        return reports;
      }),
    );
    return reports.flat();
  } finally {
    limit.end();
  }
}

/** Separates the notices that may be sent from those that have expired or whose channel no longer exists. */
function partitionWaiting(waiting: readonly WaitingNotice<Notice>[], channel: NoticeChannel | undefined, now: number) {
  const sendable: Notice[] = [];
  const reports: NoticeReport[] = [];
  for (const { channel: name, notice, until } of waiting) {
    if (channel?.enabled !== true) {
      const message = `config.yaml no longer has an enabled channel "${name}"`;
      reports.push(toReport(name, notice, 0, 'given_up', { code: 'no_channel', message }));
    } else if (now >= until) {
      const message = 'the notice expired before it could be sent';
      reports.push(toReport(name, notice, 0, 'given_up', { code: 'too_old', message }));
    } else sendable.push(notice);
  }
  return { sendable, reports };
}

function toReport(
  channel: string,
  { id, title }: Notice,
  attempts: number,
  status: NoticeReport['status'],
  error: NoticeReport['error'],
): NoticeReport {
  const said = error && { code: error.code, message: error.message };
  return { id, channel, title, status, attempts, ...defined({ error: said }) };
}
