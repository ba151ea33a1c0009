import { Box, Text } from 'ink';
import type { ApprovalView } from '../../agent/events.ts';
import { countdown } from '../duration.ts';
import { approvalStatusText, timeLeft, whereToApprove } from '../text/approval-lines.ts';
import { environmentWord, orderFields, orderHeadline } from '../text/order-fields.ts';
import { safeLine } from '../text/safe-text.ts';
import { useScreen } from './screen.ts';
import { wrappedRows } from './wrapped-rows.ts';

interface PanelProps {
  readonly approval: ApprovalView;
  readonly phone: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Rows there are for it. */
  readonly maxRows: number;
}

/** The order that waits for the phone: every field where there is room, the deciding ones where there is little. */
export function ApprovalPanel({ approval, phone, now, maxRows }: PanelProps) {
  const { columns } = useScreen();
  const rows = panelRows(approval, phone);
  const inner = columns - 4;
  const needed =
    rows.reduce((sum, [label, value]) => sum + wrappedRows(`${label.padEnd(9)}${value}`, inner), 0) + 4;
  if (needed > maxRows) return <CompactPanel approval={approval} phone={phone} now={now} maxRows={maxRows} />;
  return (
    <Box flexDirection="column" borderStyle="round" borderColor="yellow" paddingX={1} width={columns}>
      <Text>
        <Text bold color="yellow">
          {environmentWord(approval.order.environment)} order
        </Text>
        : {statusText(approval, now)}
      </Text>
      <Text>
        {'code'.padEnd(8)}
        <Code code={approval.code} /> must be the same on your phone
      </Text>
      {rows.map(([label, value]) => (
        <Text key={label}>
          <Text dimColor>{label.padEnd(9)}</Text>
          {value}
        </Text>
      ))}
    </Box>
  );
}

function CompactPanel({ approval, phone, now, maxRows }: PanelProps) {
  return (
    <Box flexDirection="column" maxHeight={Math.max(1, maxRows)} overflow="hidden">
      <Text bold>
        {environmentWord(approval.order.environment)} {orderHeadline(approval.order)}
      </Text>
      <Text>
        <Code code={approval.code} /> {statusText(approval, now)}
      </Text>
      <Text>{phone ?? 'decide on your phone'}</Text>
      <Text dimColor>
        {approval.order.account} · {approval.order.time_in_force}
        {approval.order.extended_hours ? ' · extended hours' : ''}
      </Text>
    </Box>
  );
}

/** A further approval, in one line. */
export function ApprovalRow({ approval, now }: { approval: ApprovalView; now: number }) {
  return (
    <Text wrap="truncate-end">
      <Code code={approval.code} /> {orderHeadline(approval.order)}: {statusText(approval, now)}
    </Text>
  );
}

function Code({ code }: { code: string }) {
  return (
    <Text bold inverse>
      {` ${safeLine(code).split('').join(' ')} `}
    </Text>
  );
}

function panelRows(approval: ApprovalView, phone: string | undefined): [string, string][] {
  return [
    ...orderFields(approval.order).map(([label, value]): [string, string] => [label, safeLine(value)]),
    ['approve', whereToApprove(phone)],
  ];
}

function statusText(approval: ApprovalView, now: number): string {
  const state = approvalStatusText[approval.status];
  return approval.status === 'requested' ? `${state}, ${countdown(timeLeft(approval, now))} left` : state;
}
