import { Box, Text, useAnimation } from 'ink';
import { ApprovalPanel, ApprovalRow } from './approval-panel.tsx';
import type { ChatState } from './chat-state.ts';
import { useScreen } from './screen.ts';
import { lastRows } from './wrapped-rows.ts';

const MOST_TOOLS = 3;
const MOST_FURTHER_APPROVALS = 3;
/** The full panel at 80 columns; below this it shrinks to its deciding lines. */
const PANEL_ROWS = 12;

/** What is still going on: never taller than `maxRows`, whatever arrives. */
export function LivePart(props: {
  state: ChatState;
  phone: string | undefined;
  now: number;
  maxRows: number;
}) {
  const { state, phone, now, maxRows } = props;
  const { columns } = useScreen();
  const [first, ...further] = state.approvals;
  const tools = state.tools.slice(-MOST_TOOLS);
  const furtherRows = Math.min(further.length, MOST_FURTHER_APPROVALS + 1);
  const leftForPanel = Math.max(3, maxRows - tools.length - furtherRows);
  const answerRows = maxRows - tools.length - furtherRows - (first === undefined ? 0 : PANEL_ROWS);
  const answer = answerRows > 0 ? lastRows(state.answer.trimEnd(), columns, answerRows) : '';
  return (
    <Box flexDirection="column" maxHeight={Math.max(1, maxRows)} overflow="hidden">
      {answer === '' ? null : <Text>{answer}</Text>}
      {tools.map((tool) => (
        <Text key={tool.id} wrap="truncate-end">
          <Spinner /> {tool.text}
        </Text>
      ))}
      {first === undefined ? null : (
        <ApprovalPanel approval={first} phone={phone} now={now} maxRows={leftForPanel} />
      )}
      {further.slice(0, MOST_FURTHER_APPROVALS).map((approval) => (
        <ApprovalRow key={approval.id} approval={approval} now={now} />
      ))}
      {further.length > MOST_FURTHER_APPROVALS ? (
        <Text dimColor>and {further.length - MOST_FURTHER_APPROVALS} more: /approvals after this</Text>
      ) : null}
      {state.busy && tools.length === 0 && first === undefined && answer === '' ? (
        <Text dimColor>
          <Spinner /> thinking
        </Text>
      ) : null}
    </Box>
  );
}

function Spinner() {
  const { unicode } = useScreen();
  const frames = unicode ? ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] : ['-', '\\', '|', '/'];
  const { frame } = useAnimation({ interval: 120 });
  return <Text>{frames[frame % frames.length]}</Text>;
}
