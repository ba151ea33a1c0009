import type { ApprovalView, ThreadView } from '../../agent/events.ts';
import { safeLine } from '../../text/sanitize.ts';
import type { ListedAccess } from '../../tools/gateway/safeguard-requests.ts';
import { approvalStatusLine } from './approval-lines.ts';
import { subjectHeadline } from './approval-subject.ts';
import type { OutputAudience } from './audience.ts';
import { fitTable, truncateWords } from './table.ts';

const PROMPT_WIDTH = 60;

export function approvalsText(approvals: readonly ApprovalView[], audience: OutputAudience): Promise<string> {
  const short = audience.ids(approvals.map(({ id }) => id));
  return fitTable<ApprovalView>(
    [
      { head: 'ID', cell: ({ id }) => short(id) },
      { head: 'CODE', cell: ({ code }) => code },
      { head: 'ORDER', cell: subjectHeadline, shortens: true },
      // For a program, the status includes its meaning.
      { head: 'STATUS', cell: (one) => (audience.person ? one.status : approvalStatusLine(one)) },
      { rank: 1, head: 'EXPIRES', cell: ({ expires_at }) => audience.time(expires_at) },
      {
        rank: 2,
        head: 'THREAD',
        cell: ({ thread, client }) => (thread === '' ? safeLine(client) : thread),
      },
    ],
    approvals,
    audience.columns,
  );
}

export function threadsText(threads: readonly ThreadView[], audience: OutputAudience): Promise<string> {
  return fitTable<ThreadView>(
    [
      { head: 'THREAD', cell: ({ thread }) => thread },
      { head: 'UPDATED', cell: ({ updated_at }) => audience.time(updated_at) },
      { head: 'STATUS', cell: ({ status }) => status },
      { head: 'PROMPT', cell: ({ prompt }) => truncateWords(safeLine(prompt), PROMPT_WIDTH), shortens: true },
    ],
    threads,
    audience.columns,
  );
}

export function accessText(given: readonly ListedAccess[], audience: OutputAudience): Promise<string> {
  const short = audience.ids(given.map(({ id }) => id));
  const role = ({ role, of }: ListedAccess) => safeLine(of === undefined ? role : `${role} of ${of}`);
  return fitTable<ListedAccess>(
    [
      { head: 'ID', cell: ({ id }) => safeLine(short(id)) },
      { rank: 2, head: 'OWNER', cell: ({ account }) => safeLine(account) },
      { head: 'WHO', cell: ({ who }) => safeLine(who), shortens: true },
      { head: 'AS', cell: role },
      {
        rank: 1,
        head: 'UNTIL',
        cell: ({ until }) => (until === undefined ? 'no end' : safeLine(audience.time(until))),
      },
      { head: 'NOW', cell: ({ in_force }) => (in_force ? 'active' : 'inactive') },
    ],
    given,
    audience.columns,
  );
}
