import { Box, Text } from 'ink';
import type { ApprovalView } from '../../agent/events.ts';
import { safeLine } from '../../text/sanitize.ts';
import { environmentName } from '../../trading/environment.ts';
import { formatCountdown } from '../options/duration.ts';
import {
  codeInstruction,
  msUntilExpiry,
  whereToApprove,
  approvalStatusText as wordsForStatus,
} from '../text/approval-lines.ts';
import {
  approvalWarnings,
  shortSubjectDetails,
  subjectFields,
  subjectHeadline,
  subjectKindText,
} from '../text/approval-subject.ts';
import { conversationName } from './chat-state.ts';
import { QrCode } from './qr-code.tsx';
import { borderColorProps, colorProps, useScreen, useScreenText, useTheme } from './screen.ts';
import { countWrappedRows } from './wrapped-rows.ts';

/** A pending approval and, if there are several conversations, the number of its conversation. */
export interface DisplayedApproval {
  readonly approval: ApprovalView;
  readonly talk: number | undefined;
}

interface PanelProps extends DisplayedApproval {
  readonly phone: string | undefined;
  readonly now: number;
}

/** Minimum number of columns for the fields. If there are fewer, the QR code is not shown next to the fields. */
const MIN_FIELDS_WIDTH = 62;
/** Maximum panel width. In a wider panel, the QR code would be too far from the fields. */
const MAX_PANEL_WIDTH = 110;

export function panelHeight(approval: ApprovalView, phone: string | undefined, columns: number): number {
  const inner = Math.min(columns, MAX_PANEL_WIDTH) - 4;
  const fields = panelRows(approval, phone).reduce(
    (sum, [label, value]) => sum + countWrappedRows(`${label.padEnd(9)}${value}`, inner),
    0,
  );
  return fields + 4;
}

export function ApprovalPanel({ approval, talk, phone, now, qr }: PanelProps & { qr: readonly string[] }) {
  const { columns, unicode, spoken } = useScreen();
  const shown = useScreenText();
  const theme = useTheme();
  const width = Math.min(columns, MAX_PANEL_WIDTH);
  const withQr = qr.length > 0 && width >= MIN_FIELDS_WIDTH + (qr[0]?.length ?? 0) + 6;
  return (
    <Box
      {...(spoken ? {} : { borderStyle: unicode ? 'round' : 'classic', ...borderColorProps(theme.warn) })}
      paddingX={1}
      width={width}
      justifyContent="space-between"
    >
      <Box flexDirection="column" {...(withQr ? { width: width - (qr[0]?.length ?? 0) - 6 } : {})}>
        <Text>
          {talk === undefined ? '' : `${conversationName(talk)} `}
          <Text bold {...colorProps(theme.warn)}>
            {subjectKindText(approval)}
          </Text>
          : {statusText(approval, now)}
        </Text>
        <Text>
          {'code'.padEnd(8)}
          <Code code={approval.code} /> {codeInstruction(approval)}
        </Text>
        {panelRows(approval, phone).map(([label, value, key]) => (
          <Text key={key}>
            <Text dimColor>{label.padEnd(9)}</Text>
            {shown(value)}
          </Text>
        ))}
      </Box>
      {withQr ? <QrCode rows={qr} /> : null}
    </Box>
  );
}

export function CompactApproval(props: PanelProps & { maxRows: number }) {
  const { approval, maxRows } = props;
  const shown = useScreenText();
  const { title, status, where, details } = compactLines(props, props.phone, props.now);
  return (
    <Box flexDirection="column" maxHeight={Math.max(1, maxRows)} overflow="hidden">
      {/* Rows that do not fit are cut off at the bottom, because the order is at the top. */}
      <Box flexShrink={0}>
        <Text bold>{shown(title)}</Text>
      </Box>
      <Box flexShrink={0}>
        <Text>
          <Code code={approval.code} /> {status}
        </Text>
      </Box>
      <Box flexShrink={0}>
        <Text>{where}</Text>
      </Box>
      <Box flexShrink={0}>
        <Text dimColor>{shown(details)}</Text>
      </Box>
    </Box>
  );
}

function compactLines({ approval, talk }: DisplayedApproval, phone: string | undefined, now: number) {
  const name = talk === undefined ? '' : `${conversationName(talk)} `;
  return {
    title: `${name}${subjectTitle(approval)}`,
    status: statusText(approval, now),
    where: phone ?? 'approve or deny on your phone',
    details: subjectDetails(approval),
  };
}

function subjectTitle(approval: ApprovalView): string {
  const { environment } = approval;
  const headline = subjectHeadline(approval);
  return environment === undefined ? headline : `${environmentName(environment)} ${headline}`;
}

function subjectDetails(approval: ApprovalView): string {
  const { worst_case } = approval;
  const judged = [...(worst_case === null ? [] : [worst_case.text]), ...approvalWarnings(approval)];
  return [...shortSubjectDetails(approval), ...judged].join(' · ');
}

export function countCompactApprovalRows(
  shown: DisplayedApproval,
  phone: string | undefined,
  now: number,
  columns: number,
): number {
  const { title, status, where, details } = compactLines(shown, phone, now);
  // Blanks as wide as the printed code, which has a space between its letters and around it.
  const code = ' '.repeat(shown.approval.code.length * 2 + 2);
  return [title, code + status, where, details].reduce((sum, line) => sum + countWrappedRows(line, columns), 0);
}

export function ApprovalRow({ approval, talk, now }: Omit<PanelProps, 'phone'>) {
  const shown = useScreenText();
  return (
    <Text wrap="truncate-end">
      {talk === undefined ? '' : `${conversationName(talk)} `}
      <Code code={approval.code} /> {shown(subjectHeadline(approval))}: {statusText(approval, now)}
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

function panelRows(approval: ApprovalView, phone: string | undefined): [label: string, value: string, key: string][] {
  return [
    ...subjectFields(approval).map(([label, value], row): [string, string, string] => [
      label,
      safeLine(value),
      `${row} ${label}`,
    ]),
    ['approve', whereToApprove(phone), 'approve'],
  ];
}

function statusText(approval: ApprovalView, now: number): string {
  const state = wordsForStatus(approval);
  return approval.status === 'requested' ? `${state}, ${formatCountdown(msUntilExpiry(approval, now))} left` : state;
}
