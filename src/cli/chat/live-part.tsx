import { Box, Text, useAnimation } from 'ink';
import {
  ApprovalPanel,
  ApprovalRow,
  CompactApproval,
  compactRows,
  panelHeight,
  type ShownApproval,
} from './approval-panel.tsx';
import { type ChatState, isProposal, runAtWork, talkName } from './chat-state.ts';
import { useMarkdown } from './item-view.tsx';
import { useScreen, useScreenText } from './screen.ts';
import { lastRows } from './wrapped-rows.ts';

const MOST_TOOLS = 3;
const MOST_ROWS = 4;

/** What is still going on: never taller than `maxRows`. */
export function LivePart(props: {
  readonly state: ChatState;
  readonly phone: string | undefined;
  readonly phoneQr: readonly string[];
  readonly now: number;
  readonly maxRows: number;
}) {
  const { state, phone, phoneQr, now, maxRows } = props;
  const { columns } = useScreen();
  const shown = useScreenText();
  const markdown = useMarkdown();
  const several = state.talks > 1;
  const run = runAtWork(state);
  const approvals = state.runs.flatMap((one) =>
    one.approvals.map((approval): ShownApproval => ({ approval, talk: several ? one.talk : undefined })),
  );
  // An order's own tool says no more than its panel.
  const tools = (run?.tools ?? [])
    .filter(({ name }) => !isProposal(name) || (run?.approvals.length ?? 0) === 0)
    .slice(-MOST_TOOLS);

  const heights = approvals.map(({ approval }) => panelHeight(approval, phone, columns));
  const [first] = approvals;
  const compactHeight = first === undefined ? 0 : compactRows(first, phone, now, columns);
  const plan = arrange(heights, compactHeight, maxRows - tools.length - 1);
  const answerRows = maxRows - tools.length - plan.taken;
  const answer =
    run === undefined || answerRows <= 0 ? '' : lastRows(markdown(run.answer).trimEnd(), columns, answerRows);
  const thinking = run !== undefined && tools.length === 0 && run.approvals.length === 0 && answer === '';
  const { full, compact } = plan;
  const rows = approvals.slice(full + (compact > 0 ? 1 : 0));
  const rowsShown = rows.slice(0, plan.rows);
  return (
    <Box flexDirection="column" maxHeight={Math.max(1, maxRows)} overflow="hidden">
      {answer === '' ? null : <Text>{answer}</Text>}
      {tools.map((tool) => (
        <Text key={tool.id} wrap="truncate-end">
          <Spinner />
          {several && run !== undefined ? `${talkName(run.talk)} ` : ''}
          {shown(tool.text)}
        </Text>
      ))}
      {thinking ? (
        <Text dimColor>
          <Spinner />
          {several ? `${talkName(run.talk)} ` : ''}thinking
        </Text>
      ) : null}
      {approvals.slice(0, full).map(({ approval, talk }, index) => (
        <ApprovalPanel
          key={`${talk} ${approval.id}`}
          approval={approval}
          talk={talk}
          phone={phone}
          now={now}
          qr={index === 0 && plan.spare + (heights[0] ?? 0) >= phoneQr.length + 2 ? phoneQr : []}
        />
      ))}
      {compact > 0 && approvals[full] !== undefined ? (
        <CompactApproval {...approvals[full]} phone={phone} now={now} maxRows={compact} />
      ) : null}
      {rowsShown.map(({ approval, talk }) => (
        <ApprovalRow key={`${talk} ${approval.id}`} approval={approval} talk={talk} now={now} />
      ))}
      {rows.length > rowsShown.length ? (
        <Text dimColor>and {rows.length - rowsShown.length} more: /approvals</Text>
      ) : null}
    </Box>
  );
}

/**
 * Panels as long as they fit and leave one row for each other approval; if not even the first fits, its deciding lines.
 */
function arrange(
  heights: readonly number[],
  compactHeight: number,
  room: number,
): { full: number; compact: number; rows: number; taken: number; spare: number } {
  let full = 0;
  let taken = 0;
  for (const height of heights) {
    const others = Math.min(heights.length - full - 1, MOST_ROWS + 1);
    if (taken + height + others > room) break;
    taken += height;
    full++;
  }
  let left = heights.length - full;
  let compact = 0;
  if (full === 0 && left > 0) {
    left--;
    compact = Math.max(1, Math.min(compactHeight, room - Math.min(left, 1)));
    taken += compact;
  }
  const rows = Math.max(0, Math.min(left, MOST_ROWS, room - taken - (left > MOST_ROWS ? 1 : 0)));
  taken += rows + (left > rows ? 1 : 0);
  return { full, compact, rows, taken, spare: Math.max(0, room - taken) };
}

function Spinner() {
  const { unicode, spoken } = useScreen();
  const frames = unicode ? ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] : ['-', '\\', '|', '/'];
  const { frame } = useAnimation({ interval: 120, isActive: !spoken });
  return <Text>{spoken ? '' : `${frames[frame % frames.length]} `}</Text>;
}
