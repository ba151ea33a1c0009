import type { ApprovalView } from '../../../agent/events.ts';
import { safeLine } from '../../../text/shown-text.ts';
import type { Context } from '../../context.ts';
import { readerOf } from '../../text/reader.ts';

/** Prints one approval, with every field of what it is about. */
export async function printApproval(context: Context, approval: ApprovalView): Promise<void> {
  await context.output.result('approval', { approval }, async () => {
    const [{ subjectFields }, { approvalOutcome, askedBy }] = await Promise.all([
      import('../../text/approval-subject.ts'),
      import('../../text/approval-lines.ts'),
    ]);
    const reader = readerOf(context.io);
    const rows: [string, string][] = [
      ['approval', reader.ids([approval.id])(approval.id)],
      ['code', approval.code],
      ...subjectFields(approval),
      ['expires', reader.time(approval.expires_at)],
      ['asked by', askedBy(approval)],
      ...(approval.thread === '' ? [] : [['thread', approval.thread] as [string, string]]),
    ];
    return [
      approvalOutcome(approval),
      ...rows.map(([label, value]) => `  ${label.padEnd(9)} ${safeLine(value)}`),
    ].join('\n');
  });
}
