const commands = {
  help: 'show this',
  portfolio: 'your account and positions',
  orders: 'your latest orders',
  approvals: 'what your phone was asked, and what came of it',
  resume: 'go on with what is still pending',
  login: 'sign in',
  quit: 'leave (Ctrl-C twice does too)',
} as const;

/** `/portfolio` → `portfolio`; undefined for a line that is meant for the agent. */
export function parseSlashCommand(line: string): string | undefined {
  const name = /^\/(\S*)/.exec(line)?.[1]?.toLowerCase();
  if (name === 'exit' || name === 'q') return 'quit';
  return name === '' || name === '?' ? 'help' : name;
}

/** What `/help` says. */
export const slashHelp = [
  'Say what you want: "what do I own", "quote AAPL", "buy 5 AAPL limit 180", "sell half my MSFT".',
  '',
  ...Object.entries(commands).map(([name, what]) => `  /${name.padEnd(11)} ${what}`),
  '',
  '  Esc          stops what is going on; a pending approval stays pending',
  '  Up, Down     earlier lines',
].join('\n');
