import type { EditorState } from './line-editor.ts';

export const slashCommands = [
  { name: 'help', args: '', what: 'show this help' },
  { name: 'portfolio', args: '', what: 'your account and positions, day and total P/L' },
  { name: 'orders', args: '', what: 'your latest orders' },
  { name: 'approvals', args: '[cancel CODE]', what: 'your approval requests and their outcomes' },
  { name: 'threads', args: '', what: 'your conversations' },
  {
    name: 'resume',
    args: '[THREAD]',
    what: 'resume an unfinished conversation',
  },
  { name: 'theme', args: '[NAME]', what: 'color theme: dark, light, color-blind, none' },
  { name: 'model', args: '[NAME]', what: 'show the model, or choose another for this session' },
  { name: 'mcp', args: '', what: 'third-party MCP servers and their enabled tools' },
  { name: 'profile', args: '[NAME]', what: 'list profiles, or switch to another' },
  {
    name: 'chart',
    args: 'SYMBOL [RANGE]',
    what: 'price chart: 5d, 2w, 3m, 1y; candles, volume',
  },
  { name: 'clear', args: '', what: 'start a new conversation on a clear screen' },
  { name: 'halt', args: '[lift]', what: 'halt all trading and withdraw pending approvals' },
  { name: 'login', args: '', what: 'sign in' },
  { name: 'quit', args: '', what: 'quit (or press Ctrl-C twice)' },
] as const;

export type SlashName = (typeof slashCommands)[number]['name'];

export interface SlashCommand {
  /** Name in lower case. There may be no such command. */
  readonly name: string;
  readonly args: readonly string[];
}

const aliases: Record<string, SlashName> = { exit: 'quit', q: 'quit', '?': 'help', '': 'help', new: 'clear' };

/** Parses a command such as `/chart AAPL 3m`; undefined for a prompt. `exit` and `quit` also work without a slash. */
export function parseSlashCommand(line: string): SlashCommand | undefined {
  if (/^(exit|quit)$/i.test(line)) return { name: 'quit', args: [] };
  const [, word, rest = ''] = /^\/(\S*)\s*([\s\S]*)$/.exec(line) ?? [];
  if (word === undefined) return undefined;
  const typed = word.toLowerCase();
  const name = Object.hasOwn(aliases, typed) ? (aliases[typed] as string) : typed;
  return { name, args: rest.split(/\s+/).filter((arg) => arg !== '') };
}

/**
 * Returns the commands that start with the typed word, such as `/po`. Returns none after a space or newline, or if the
 * word is a complete command.
 */
export function matchingCommands(text: string): (typeof slashCommands)[number][] {
  const typed = /^\/([a-z]*)$/i.exec(text)?.[1]?.toLowerCase();
  if (typed === undefined) return [];
  const found = slashCommands.filter(({ name }) => name.startsWith(typed));
  return found.length === 1 && found[0]?.name === typed ? [] : found;
}

/**
 * Like {@link matchingCommands}, but returns none while a history entry is displayed, because the arrow keys then move
 * through the history.
 */
export function offeredCompletions(editor: EditorState): (typeof slashCommands)[number][] {
  return editor.text === editor.history[editor.shown] ? [] : matchingCommands(editor.text);
}

/**
 * Returns the text after Tab: completed to the common prefix of all candidates, or to the chosen command and a space.
 */
export function completeCommand(text: string, chosen: number): string {
  const found = matchingCommands(text);
  const [first] = found;
  if (first === undefined) return text;
  const shared = found.reduce((prefix, { name }) => commonPrefix(prefix, name), first.name as string);
  if (found.length > 1 && chosen === 0 && shared.length > text.length - 1) return `/${shared}`;
  const { name, args } = found[chosen] ?? first;
  return `/${name}${args === '' ? '' : ' '}`;
}

/**
 * Returns the highlighted command, which Enter completes; undefined if there are no completions. `send` is false if the
 * command needs an argument.
 */
export function highlightedCommand(editor: EditorState, chosen: number): { text: string; send: boolean } | undefined {
  const one = offeredCompletions(editor)[chosen];
  // Aliases such as "/q" are complete, unless another command was chosen.
  const whole = chosen === 0 && Object.hasOwn(aliases, editor.text.slice(1).toLowerCase());
  if (one === undefined || whole) return undefined;
  const wants = one.args !== '' && !one.args.startsWith('[');
  return { text: `/${one.name}${wants ? ' ' : ''}`, send: !wants };
}

function commonPrefix(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}

export const slashHelpLines = [
  'Type a request: "what do I own", "quote AAPL", "buy 5 AAPL limit 180".',
  'While an order waits for your approval, you can keep going: your next request',
  'starts a new conversation.',
  '',
  ...slashCommands.map(({ name, args, what }) => `  ${`/${name} ${args}`.padEnd(26)} ${what}`),
  '',
  '  Enter                      send; Alt-Enter, Ctrl-J or a trailing \\: new line',
  '  Tab                        complete a command',
  '  Up, Down                   browse your input history',
  '  Ctrl-R                     find the text in your history; again: older matches',
  '  Ctrl-A E K U W Y, Alt-B F  move and cut as in a shell',
  '  Esc                        stop the model; pending approvals are kept',
  '  Ctrl-C twice               quit, and list what is still pending',
].join('\n');
