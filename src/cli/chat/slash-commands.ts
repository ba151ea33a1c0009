import { findClosestMatch } from '../../text/closest-match.ts';
import { type Choice, rankChoices } from './choices.ts';
import type { EditorState } from './line-editor.ts';

/** The chat's commands. `also` contains other common names by which the list finds a command. */
export const slashCommands = [
  { name: 'help', args: '', what: 'show this help', also: ['keys', 'commands'] },
  {
    name: 'portfolio',
    args: '',
    what: 'your account and positions, day and total P/L',
    also: ['positions', 'holdings', 'account', 'balance'],
  },
  { name: 'orders', args: '', what: 'your latest orders', also: ['trades', 'fills'] },
  {
    name: 'approvals',
    args: '[cancel CODE]',
    what: 'your approval requests and their outcomes',
    also: ['pending', 'cancel'],
  },
  { name: 'threads', args: '', what: 'your conversations', also: ['history', 'conversations'] },
  { name: 'resume', args: '[THREAD]', what: 'pick a conversation and continue it', also: ['sessions', 'continue'] },
  { name: 'theme', args: '[NAME]', what: 'color theme: dark, light, color-blind, none', also: ['colors'] },
  { name: 'model', args: '[NAME]', what: 'pick the model for this session', also: ['provider'] },
  { name: 'mcp', args: '', what: 'third-party MCP servers and their enabled tools', also: ['tools', 'servers'] },
  { name: 'profile', args: '[NAME]', what: 'pick another profile', also: ['switch'] },
  {
    name: 'chart',
    args: '[SYMBOL] [RANGE]',
    what: 'price chart: 5d, 2w, 3m, 1y; candles, volume',
    also: ['quote', 'price', 'symbol'],
  },
  { name: 'clear', args: '', what: 'start a new conversation on a clear screen', also: ['new', 'reset'] },
  { name: 'halt', args: '[lift]', what: 'halt all trading and withdraw pending approvals', also: ['stop', 'lift'] },
  { name: 'login', args: '', what: 'sign in', also: ['signin'] },
  { name: 'quit', args: '', what: 'quit (or press Ctrl-C twice)', also: ['exit'] },
] as const;

export type SlashName = (typeof slashCommands)[number]['name'];

export interface SlashCommand {
  /** Name in lower case. There may be no command with this name. */
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

type CommandChoice = Choice & { readonly name: SlashName };

const commandChoices: readonly CommandChoice[] = slashCommands.map(({ name, args, what, also }) => ({
  name,
  label: `/${name}`,
  args,
  what,
  also,
}));

/**
 * Returns the commands that match the typed word, such as `/po`, best match first. Returns none after a space or
 * newline, if the word is a complete command, while a history entry is displayed (the arrow keys then move through the
 * history), and during a search of the history.
 */
export function findOfferedCommands({ text, history, shown, search }: EditorState): readonly CommandChoice[] {
  const typed = /^\/([a-z]*)$/i.exec(text)?.[1]?.toLowerCase();
  if (typed === undefined || search !== undefined || text === history[shown]) return [];
  return slashCommands.some(({ name }) => name === typed) ? [] : rankChoices(typed, commandChoices);
}

/** Returns the text after Tab is pressed: the selected command, and a space if it takes arguments. */
export function completeCommand(editor: EditorState, chosen: number): string {
  const one = findOfferedCommands(editor)[chosen];
  return one === undefined ? editor.text : `${one.label}${one.args === '' ? '' : ' '}`;
}

/**
 * Returns the highlighted command, which Enter runs. Returns undefined if no commands are offered. Also returns
 * undefined if the text is an alias such as `/q` and no other command was selected: Enter then runs the alias.
 */
export function highlightedCommand(editor: EditorState, chosen: number): string | undefined {
  const isAlias = Object.hasOwn(aliases, editor.text.slice(1).toLowerCase());
  return chosen === 0 && isAlias ? undefined : findOfferedCommands(editor)[chosen]?.label;
}

/** Returns the command that was probably meant, found by its own name or another common name. */
export function nearestCommand(typed: string): string | undefined {
  const names = new Map(
    slashCommands.flatMap(({ name, also }) => [name, ...also].map((each) => [each, name] as const)),
  );
  const nearest = findClosestMatch(typed, [...names.keys()]) ?? '';
  return names.get(nearest as SlashName) ?? rankChoices(typed, commandChoices)[0]?.name;
}

export const slashHelpLines = [
  'Type a request: "what do I own", "quote AAPL", "buy 5 AAPL limit 180".',
  'While an order waits for your approval, you can keep going: your next request',
  'starts a new conversation.',
  '',
  ...slashCommands.map(({ name, args, what }) => `  ${`/${name} ${args}`.padEnd(26)} ${what}`),
  '',
  '  Enter                      send; Alt-Enter, Ctrl-J or a trailing \\: new line',
  '  Tab, Up, Down              complete or choose a command; browse the history',
  '  Ctrl-R                     search the history as you type; again: older',
  '  Ctrl-A E K U W Y, Alt-B F  move and cut as in a shell',
  '  Esc                        stop the model; pending approvals are kept',
  '  Ctrl-C twice               quit, and list what is still pending',
].join('\n');
