import type { ThreadCall, ThreadMessage, ThreadRecord } from '../../../agent/events.ts';
import { failureMessage, toolCallText } from '../../../app/run-words.ts';
import { safeLine, safeText } from '../../../text/sanitize.ts';
import { findTool } from '../../../tools/catalog.ts';
import { approvalOutcome } from '../../text/approval-lines.ts';
import { type OutputAudience, programAudience } from '../../text/audience.ts';

export function threadText(record: ThreadRecord, unicode: boolean, audience: OutputAudience = programAudience): string {
  const short = audience.ids(record.approvals.map(({ id }) => id));
  const results = new Map(
    record.messages.flatMap((message) => (message.role === 'tool' ? [[message.call, message] as const] : [])),
  );
  const lines = [
    `thread   ${safeLine(record.thread)}`,
    `status   ${record.status}`,
    `updated  ${audience.time(record.updated_at)}`,
  ];
  for (const message of record.messages) {
    if (message.role === 'tool') continue;
    if (message.text.trim() !== '') lines.push('', ...messageLines(message.role, message.text));
    if (message.role === 'agent') {
      for (const call of message.calls) lines.push(toolCallLine(call, results.get(call.id), unicode));
    }
  }
  if (record.approvals.length > 0) lines.push('', 'approvals');
  for (const approval of record.approvals) {
    lines.push(`  ${short(approval.id)}  ${approval.code}  ${approvalOutcome(approval)}`);
  }
  return lines.join('\n');
}

const speakerLabels = { user: 'you', agent: 'agent', context: 'input' } as const;

function messageLines(role: keyof typeof speakerLabels, text: string): string[] {
  return safeText(text)
    .trimEnd()
    .split('\n')
    .map((line, index) => `${(index === 0 ? speakerLabels[role] : '').padEnd(7)}${line}`.trimEnd());
}

function toolCallLine(
  call: ThreadCall,
  result: (ThreadMessage & { role: 'tool' }) | undefined,
  unicode: boolean,
): string {
  const text = toolCallText({ ...call, title: findTool(call.name)?.title });
  if (result === undefined) return `  ${unicode ? '…' : '-'} ${text}: not finished`;
  if (result.ok) return `  ${unicode ? '✓' : '+'} ${text}`;
  return `  ${unicode ? '✗' : 'x'} ${text}: ${failureMessage(result.text)}`;
}
