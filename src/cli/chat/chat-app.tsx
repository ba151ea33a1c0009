import { Box, Static, Text, useAnimation, useApp, useWindowSize } from 'ink';
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { isProposalTool } from '../../app/run-words.ts';
import type { Clock } from '../../machine/clock.ts';
import { safeLine } from '../../text/sanitize.ts';
import { formatCountdown } from '../options/duration.ts';
import { wrapWords } from '../text/wrap.ts';
import {
  ApprovalPanel,
  ApprovalRow,
  CompactApproval,
  countCompactApprovalRows,
  type DisplayedApproval,
  panelHeight,
} from './approval-panel.tsx';
import type { ChatLogin, ChatStatus } from './chat-driver.ts';
import type { ChatItem } from './chat-item.ts';
import type { ChatSession, ChatSnapshot } from './chat-session.ts';
import { type ChatState, conversationName, findActiveRun, removeRepeatedLines } from './chat-state.ts';
import type { Choice, Picker } from './choices.ts';
import type { InputHistory } from './input-history.ts';
import { ChatItemView, useMarkdown } from './item-view.tsx';
import { type EditorAction, type EditorState, editorReducer, emptyEditor } from './line-editor.ts';
import { QrCode } from './qr-code.tsx';
import { borderColorProps, colorProps, ScreenContext, useScreen, useScreenText, useTheme } from './screen.ts';
import { findOfferedCommands } from './slash-commands.ts';
import { useChatKeys } from './use-chat-keys.ts';
import { type InputRow, lastColumns, lastRows, visibleInputRows } from './wrapped-rows.ts';

const MAX_INPUT_ROWS = 8;
const MAX_COMMAND_ROWS = 9;
/** Milliseconds between changes of a countdown for screen readers, which would otherwise read it out every second. */
const SCREEN_READER_INTERVAL_MS = 60_000;

type StaticItem = ChatItem | { readonly type: 'header'; readonly status: ChatStatus };

export function ChatApp(props: {
  readonly session: ChatSession;
  readonly clock: Clock;
  readonly version: string;
  readonly unicode: boolean;
  readonly color: boolean;
  readonly spoken: boolean;
  readonly history: InputHistory;
  readonly phoneQr: readonly string[];
}) {
  const { session, clock, version, unicode, color, spoken, history } = props;
  const { exit } = useApp();
  const { columns, rows } = useWindowSize();
  const snapshot = useSyncExternalStore(session.subscribe, session.snapshot);
  const { state, status, login, question, picker, theme, busy, queued, ended } = snapshot;
  const { editor, current, edit } = useLineEditor(history.entries);
  const waiting = state.runs.reduce((sum, run) => sum + run.approvals.length, 0);
  const now = useNow(clock, waiting > 0 || login !== undefined, spoken ? SCREEN_READER_INTERVAL_MS : 1000);

  const leave = () => void session.quit().then(() => exit());
  const { quitting, chosen } = useChatKeys({ session, clock, current, edit, leave, sent: history.add });

  const screen = useMemo(
    () => ({ columns, rows, unicode, color, theme, spoken }),
    [columns, rows, unicode, color, theme, spoken],
  );
  const header = useFirstHeader(status);
  const items = useMemo(
    (): readonly StaticItem[] => (header === undefined ? [] : [header, ...state.items]),
    [header, state.items],
  );

  const typed = visibleInputRows(editor, Math.max(4, columns - 3), Math.max(1, Math.min(MAX_INPUT_ROWS, rows - 6)));
  const asked = question === undefined ? [] : wrapWords(question, columns);
  // The 3 rows are the empty row, the status line, and the terminal's last row, which always stays empty.
  const fixed = 3 + typed.length + asked.length + queued.length + (editor.search === undefined ? 0 : 1);
  const commands = question === undefined ? findOfferedCommands(editor) : [];
  const commandRows = Math.max(0, Math.min(commands.length, MAX_COMMAND_ROWS, rows - fixed - 1));
  const liveRows = Math.max(1, rows - fixed - commandRows);
  return (
    <ScreenContext.Provider value={screen}>
      <Static items={items as StaticItem[]}>
        {(item, index) =>
          item.type === 'header' ? (
            <Header key={index} status={item.status} version={version} />
          ) : (
            <ChatItemView key={index} item={item} />
          )
        }
      </Static>
      <Box flexDirection="column" maxHeight={Math.max(1, rows - 1)} overflow="hidden" display={ended ? 'none' : 'flex'}>
        {picker !== undefined ? (
          <PickerList picker={picker} maxRows={liveRows} />
        ) : login === undefined ? (
          <LivePart state={state} phone={status.phone} phoneQr={props.phoneQr} now={now} maxRows={liveRows} />
        ) : (
          <LoginPanel login={login} now={now} maxRows={liveRows} />
        )}
        <Text> </Text>
        {question === undefined ? null : <Question text={asked.join('\n')} />}
        {queued.length === 0 ? null : <Queue entries={queued} />}
        <InputBox rows={typed} busy={busy} hint={editor.search === undefined ? inputHint(snapshot) : ''} />
        {editor.search === undefined ? null : <SearchLine search={editor.search} />}
        {commandRows === 0 ? null : <ChoiceList choices={commands} chosen={chosen} most={commandRows} />}
        <StatusLine
          status={status}
          waiting={waiting}
          keys={keysText(quitting, snapshot)}
          urgent={quitting || busy || question !== undefined}
        />
      </Box>
    </ScreenContext.Provider>
  );
}

/** Returns the first header whose status is known. It is printed once, to the scrollback, so it can't change later. */
function useFirstHeader(status: ChatStatus): StaticItem | undefined {
  const [first, setFirst] = useState<StaticItem>();
  if (first !== undefined || !status.connected) return first;
  const header: StaticItem = { type: 'header', status };
  setFirst(header);
  return header;
}

function Queue({ entries }: { entries: readonly string[] }) {
  const shown = useScreenText();
  return entries.map((entry) => (
    <Text key={entry} wrap="truncate-end" dimColor>
      next: {shown(safeLine(entry))}
    </Text>
  ));
}

function Question({ text }: { text: string }) {
  const shown = useScreenText();
  return <Text bold>{shown(text)}</Text>;
}

function inputHint({ busy, status, question, picker }: ChatSnapshot): string {
  if (busy || picker !== undefined || question !== undefined || !status.connected) return '';
  return status.user === undefined ? 'press Enter to sign in' : 'try "what do I own"';
}

function keysText(quitting: boolean, { busy, question }: ChatSnapshot): string {
  if (quitting) return 'Ctrl-C again to quit';
  if (question !== undefined) return 'y/n';
  return busy ? 'Esc to stop' : '/help';
}

function PickerList({ picker, maxRows }: { picker: Picker; maxRows: number }) {
  const shown = useScreenText();
  const { title, typed, choices, chosen } = picker;
  return (
    <Box flexDirection="column">
      <Text wrap="truncate-end">
        <Text bold>{shown(title)}</Text>{' '}
        {typed === '' ? <Text dimColor>type to narrow the list</Text> : shown(safeLine(typed))}
      </Text>
      <ChoiceList choices={choices} chosen={chosen} most={Math.max(1, maxRows - 2)} />
      <Text wrap="truncate-end" dimColor>
        Up and Down move, Enter selects, Esc cancels.
      </Text>
    </Box>
  );
}

/** Maximum width of the column with labels. */
const MAX_LABEL_WIDTH = 30;

/** Shows choices around the selected one, in `most` rows or fewer. If some do not fit, the last row says how many. */
function ChoiceList(props: { choices: readonly Choice[]; chosen: number; most: number }) {
  const { choices, chosen, most } = props;
  const { unicode, spoken } = useScreen();
  const shown = useScreenText();
  const theme = useTheme();
  if (choices.length === 0) return <Text dimColor> nothing matches</Text>;
  const fits = choices.length <= most || most === 1;
  const rows = fits ? most : most - 1;
  const from = Math.max(0, Math.min(chosen - rows + 1, choices.length - rows));
  const label = ({ label, args = '' }: Choice) => `${label} ${args}`.trimEnd();
  const width = Math.min(MAX_LABEL_WIDTH, Math.max(...choices.map((one) => label(one).length)));
  const below = Math.max(0, choices.length - from - rows);
  const more = [...(from > 0 ? [`${from} more above`] : []), ...(below > 0 ? [`${below} more below`] : [])];
  const mark = spoken ? 'selected: ' : unicode ? '▸ ' : '> ';
  return (
    <Box flexDirection="column">
      {choices.slice(from, from + rows).map((one, index) => {
        const isChosen = from + index === chosen;
        return (
          <Text
            key={[one.label, one.what, ...(one.also ?? [])].join(' ')}
            wrap="truncate-end"
            bold={isChosen}
            dimColor={!isChosen}
            {...(isChosen ? colorProps(theme.accent) : {})}
          >
            {isChosen ? mark : spoken ? '' : '  '}
            {shown(`${label(one).padEnd(width)}  ${one.what}`.trimEnd())}
          </Text>
        );
      })}
      {fits ? null : (
        <Text dimColor>
          {spoken ? '' : '  '}
          {more.join(', ')}
        </Text>
      )}
    </Box>
  );
}

function StatusLine(props: {
  status: ChatStatus;
  waiting: number;
  keys: string;
  /** Whether to show the keys at the start of the line. A narrow terminal cuts off the end of the line. */
  urgent: boolean;
}) {
  const { status, waiting, keys, urgent } = props;
  const shown = useScreenText();
  const parts = [
    ...(urgent ? [keys] : []),
    ...(status.withheld === undefined ? [] : [status.withheld]),
    ...(waiting === 0 ? [] : [`${waiting} on your phone`]),
    status.connected ? (status.user ?? 'not signed in') : 'connecting',
    ...(status.value === undefined ? [] : [status.value]),
    ...(urgent ? [] : [keys]),
  ];
  return (
    <Text wrap="truncate-end" dimColor>
      <EnvironmentLabel status={status} />
      {shown(` · ${parts.join(' · ')}`)}
    </Text>
  );
}

/**
 * Provides the line editor. `current()` returns the latest input even before React renders it, because Enter must also
 * send keys that arrived since the last render.
 */
function useLineEditor(history: readonly string[]): {
  readonly editor: EditorState;
  current(): EditorState;
  edit(action: EditorAction): void;
} {
  const latest = useRef({ ...emptyEditor, history, shown: history.length });
  const [editor, show] = useState(latest.current);
  return {
    editor,
    current: () => latest.current,
    edit: (action) => {
      latest.current = editorReducer(latest.current, action);
      show(latest.current);
    },
  };
}

function useNow(clock: Clock, active: boolean, intervalMs: number): number {
  const [now, setNow] = useState(() => clock.now());
  useEffect(() => {
    if (!active) return;
    setNow(clock.now());
    const timer = setInterval(() => setNow(clock.now()), intervalMs);
    return () => clearInterval(timer);
  }, [clock, active, intervalMs]);
  return now;
}

function Header({ status, version }: { status: ChatStatus; version: string }) {
  const shown = useScreenText();
  const { unicode } = useScreen();
  const facts = [
    ...(status.withheld === undefined ? [] : [status.withheld]),
    status.profile,
    status.user ?? 'not signed in',
    ...(status.value === undefined ? [] : [status.value]),
    status.model,
  ];
  return (
    <Box flexDirection="column">
      <Text>
        <Text bold>trade-agent</Text> {version}
      </Text>
      <Text>
        <EnvironmentLabel status={status} />
        {shown(` · ${facts.join(' · ')}`)}
      </Text>
      <Text dimColor={unicode}>Type /help for commands. No order is placed without your phone.</Text>
    </Box>
  );
}

/** Shows in words whether the money is real. For real money, also uses color. */
function EnvironmentLabel({ status }: { status: ChatStatus }) {
  const theme = useTheme();
  return isLive(status) ? (
    <Text bold inverse {...colorProps(theme.danger)}>
      {` ${environmentLabel(status)} `}
    </Text>
  ) : (
    <Text bold>{environmentLabel(status)}</Text>
  );
}

function isLive(status: ChatStatus): boolean {
  return status.environment === 'LIVE' && !status.simulated;
}

/** Returns `PAPER (simulated)`, `PAPER` or `LIVE: REAL MONEY`. Color alone would not be visible to everyone. */
function environmentLabel(status: ChatStatus): string {
  if (status.simulated) return `${status.environment} (simulated)`;
  return isLive(status) ? 'LIVE: REAL MONEY' : status.environment;
}

function LoginPanel({ login, now, maxRows }: { login: ChatLogin; now: number; maxRows: number }) {
  const { columns, unicode, spoken } = useScreen();
  const shown = useScreenText();
  const theme = useTheme();
  const asks = shown(`trade-agent asks to ${login.asks.join(', ')}, but can never place orders on its own.`);
  return (
    <Box
      flexDirection="column"
      {...(spoken ? {} : { borderStyle: unicode ? 'round' : 'classic', ...borderColorProps(theme.accent) })}
      paddingX={1}
      width={columns}
      maxHeight={Math.max(6, maxRows)}
      overflow="hidden"
    >
      <Text bold>Sign in on your phone or in a browser</Text>
      <Text>open {login.address}</Text>
      <Text>
        code{' '}
        <Text bold inverse>
          {` ${login.userCode} `}
        </Text>{' '}
        {formatCountdown(login.expiresAt - now)} left
      </Text>
      <Text>by trade-agent on {shown(login.machine)}</Text>
      <Text>{wrapWords(shown(login.warning), columns - 4).join('\n')}</Text>
      {login.sandboxCommand === undefined ? null : (
        <Text>or here: {login.sandboxCommand} (in a browser: phone link)</Text>
      )}
      <Text dimColor>{wrapWords(asks, columns - 4).join('\n')}</Text>
      <Text dimColor>Esc to cancel.</Text>
      {login.qr.length === 0 || spoken ? null : <QrCode rows={login.qr} />}
    </Box>
  );
}

function InputBox({ rows, busy, hint }: { rows: readonly InputRow[]; busy: boolean; hint: string }) {
  const { unicode, columns, color } = useScreen();
  // Without color, the suggestion looks like the input, so a space separates them.
  const suggestion = `${color ? '' : ' '}${hint}`;
  const sign = unicode ? '❯ ' : '> ';
  const empty = rows.length === 1 && rows[0]?.parts.length === 0;
  return (
    <Box flexDirection="column">
      {rows.map((row) => (
        <Text key={row.row} wrap="truncate-end">
          <Text dimColor={busy}>{row.row === 0 ? sign : '  '}</Text>
          <RowText row={row} />
          {empty ? <Text dimColor>{lastColumns(suggestion, Math.max(1, columns - 4))}</Text> : null}
        </Text>
      ))}
    </Box>
  );
}

/** Shows what Ctrl-R searches for, below the entry that it found. */
function SearchLine({ search: { wanted, failed } }: { search: NonNullable<EditorState['search']> }) {
  const shown = useScreenText();
  const keys = 'Ctrl-R older, Enter runs, Esc edits, Ctrl-G cancels';
  return (
    <Text wrap="truncate-end">
      {failed ? 'no more matches: ' : 'search history: '}
      <Text bold>{shown(wanted)}</Text>
      <Text dimColor>
        {wanted === '' ? 'type to narrow' : ''} ({keys})
      </Text>
    </Text>
  );
}

function RowText({ row }: { row: InputRow }) {
  const { color, spoken } = useScreen();
  const { parts, cursor } = row;
  if (cursor === undefined || spoken) return <>{parts.join('')}</>;
  const before = parts.slice(0, cursor).join('');
  const at = parts[cursor] ?? ' ';
  const after = parts.slice(cursor + 1).join('');
  return (
    <>
      {before}
      {color ? <Text inverse>{at}</Text> : <Text underline>{at === ' ' ? '_' : at}</Text>}
      {after}
    </>
  );
}

const MAX_TOOLS = 3;
const MAX_APPROVAL_ROWS = 4;

/** Shows running work and pending approvals in at most `maxRows` rows. */
function LivePart(props: {
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
  const run = findActiveRun(state);
  const approvals = state.runs.flatMap((one) =>
    one.approvals.map((approval): DisplayedApproval => ({ approval, talk: one.numbered ? one.talk : undefined })),
  );
  // Leaves out calls that propose an order while an approval panel is shown, because the panel already shows the order.
  const tools = (run?.tools ?? [])
    .filter(({ name }) => !isProposalTool(name) || (run?.approvals.length ?? 0) === 0)
    .slice(-MAX_TOOLS);

  const heights = approvals.map(({ approval }) => panelHeight(approval, phone, columns));
  const [first] = approvals;
  const compactHeight = first === undefined ? 0 : countCompactApprovalRows(first, phone, now, columns);
  const plan = layoutApprovals(heights, compactHeight, maxRows - tools.length - 1);
  const answerRows = maxRows - tools.length - plan.taken;
  const answer =
    run === undefined || answerRows <= 0
      ? ''
      : lastRows(markdown(removeRepeatedLines(run, run.answer)).trimEnd(), columns, answerRows);
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
          {run?.numbered ? `${conversationName(run.talk)} ` : ''}
          {shown(tool.text)}
        </Text>
      ))}
      {thinking ? (
        <Text dimColor>
          <Spinner />
          {run?.numbered ? `${conversationName(run.talk)} ` : ''}thinking
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
 * Returns how many approvals to show as full panels: as many as fit if each remaining approval takes one row. If not
 * even the first panel fits, shows its compact form.
 */
function layoutApprovals(
  heights: readonly number[],
  compactHeight: number,
  room: number,
): { full: number; compact: number; rows: number; taken: number; spare: number } {
  let full = 0;
  let taken = 0;
  for (const height of heights) {
    const others = Math.min(heights.length - full - 1, MAX_APPROVAL_ROWS + 1);
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
  const rows = Math.max(0, Math.min(left, MAX_APPROVAL_ROWS, room - taken - (left > MAX_APPROVAL_ROWS ? 1 : 0)));
  taken += rows + (left > rows ? 1 : 0);
  return { full, compact, rows, taken, spare: Math.max(0, room - taken) };
}

function Spinner() {
  const { unicode, spoken } = useScreen();
  const frames = unicode ? ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] : ['-', '\\', '|', '/'];
  const { frame } = useAnimation({ interval: 120, isActive: !spoken });
  return <Text>{spoken ? '' : `${frames[frame % frames.length]} `}</Text>;
}
