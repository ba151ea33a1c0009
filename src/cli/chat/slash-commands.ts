import type { EditorState } from './line-editor.ts';

export const slashCommands = [
  { name: 'help', args: '', what: 'show this' },
  { name: 'portfolio', args: '', what: 'your account and positions, day and total P/L' },
  { name: 'orders', args: '', what: 'your latest orders' },
  { name: 'approvals', args: '[cancel CODE]', what: 'what your phone was asked, and what came of it' },
  { name: 'threads', args: '', what: 'your conversations' },
  {
    name: 'resume',
    args: '[THREAD]',
    what: 'go on with one where an order waits; or choose one',
  },
  { name: 'theme', args: '[NAME]', what: 'colours: dark, light, colour-blind, none' },
  { name: 'model', args: '[NAME]', what: 'who answers, or choose another for this session' },
  { name: 'mcp', args: '', what: "other people's servers, and what of them is on" },
  { name: 'profile', args: '[NAME]', what: 'whose account, or change to another' },
  { name: 'chart', args: 'SYMBOL [3m] [candles]', what: 'draw a price: 5d, 2w, 3m, 1y; candles, volume' },
  { name: 'clear', args: '', what: 'start a new conversation on a clear screen' },
  { name: 'halt', args: '[lift]', what: 'stop all trading, and take back what waits' },
  { name: 'login', args: '', what: 'sign in' },
  { name: 'quit', args: '', what: 'leave (Ctrl-C twice does too)' },
] as const;

export type SlashName = (typeof slashCommands)[number]['name'];

export interface SlashCommand {
  /** In lower case; may not exist. */
  readonly name: string;
  readonly args: readonly string[];
}

const aliases: Record<string, SlashName> = { exit: 'quit', q: 'quit', '?': 'help', '': 'help', new: 'clear' };

/** `/chart AAPL 3m` → name and arguments; undefined for a prompt. `exit` and `quit` also work without a slash. */
export function parseSlashCommand(line: string): SlashCommand | undefined {
  if (/^(exit|quit)$/i.test(line)) return { name: 'quit', args: [] };
  const [, word, rest = ''] = /^\/(\S*)\s*([\s\S]*)$/.exec(line) ?? [];
  if (word === undefined) return undefined;
  const typed = word.toLowerCase();
  const name = Object.hasOwn(aliases, typed) ? (aliases[typed] as string) : typed;
  return { name, args: rest.split(/\s+/).filter((arg) => arg !== '') };
}

/** The commands that `/po` may become; none once a blank or another line follows, or the word is complete. */
export function completions(text: string): (typeof slashCommands)[number][] {
  const typed = /^\/([a-z]*)$/i.exec(text)?.[1]?.toLowerCase();
  if (typed === undefined) return [];
  const found = slashCommands.filter(({ name }) => name.startsWith(typed));
  return found.length === 1 && found[0]?.name === typed ? [] : found;
}

/** As {@link completions}, but none for a history entry: there the arrows move through the history. */
export function offered(editor: EditorState): (typeof slashCommands)[number][] {
  return editor.text === editor.history[editor.shown] ? [] : completions(editor.text);
}

/** What Tab completes: as far as all candidates agree, or the chosen one and a blank. */
export function completed(text: string, chosen: number): string {
  const found = completions(text);
  const [first] = found;
  if (first === undefined) return text;
  const shared = found.reduce((prefix, { name }) => common(prefix, name), first.name as string);
  if (found.length > 1 && chosen === 0 && shared.length > text.length - 1) return `/${shared}`;
  const { name, args } = found[chosen] ?? first;
  return `/${name}${args === '' ? '' : ' '}`;
}

/**
 * What Enter makes of a half-typed command: the marked one; `send` is false where it needs an argument. Undefined where
 * nothing is offered.
 */
export function taken(editor: EditorState, chosen: number): { text: string; send: boolean } | undefined {
  const one = offered(editor)[chosen];
  // "/q" and the like are complete, unless another was chosen.
  const whole = chosen === 0 && Object.hasOwn(aliases, editor.text.slice(1).toLowerCase());
  if (one === undefined || whole) return undefined;
  const wants = one.args !== '' && !one.args.startsWith('[');
  return { text: `/${one.name}${wants ? ' ' : ''}`, send: !wants };
}

function common(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}

export const slashHelp = [
  'Say what you want: "what do I own", "quote AAPL", "buy 5 AAPL limit 180".',
  'While an order waits for your phone, go on talking: what you say next becomes',
  'a conversation of its own.',
  '',
  ...slashCommands.map(({ name, args, what }) => `  ${`/${name} ${args}`.padEnd(25)} ${what}`),
  '',
  '  Enter                     sends; Alt-Enter, Ctrl-J or a \\ at the end: new line',
  '  Tab                       completes a command',
  '  Up, Down                  what you typed before',
  '  Ctrl-R                    the latest of it with what is typed; again: an older',
  '  Ctrl-A E K U W Y, Alt-B F move and cut as in a shell',
  '  Esc                       stops the model; what is on your phone goes on',
  '  Ctrl-C twice              quits, and says what still waits',
].join('\n');
