import { closestMatch } from '../text/closest-match.ts';

/** What people type for a command of another name; each stands for a whole command line. */
const meant: Readonly<Record<string, string>> = {
  price: 'quote SYMBOL',
  prices: 'quote SYMBOL',
  quotes: 'quote SYMBOL',
  buy: 'order buy SYMBOL --qty N',
  sell: 'order sell SYMBOL --qty N',
  cancel: 'order cancel ID',
  replace: 'order replace ID --limit PRICE',
  positions: 'portfolio',
  holdings: 'portfolio',
  balance: 'portfolio',
  account: 'portfolio',
  signin: 'login',
  signout: 'logout',
  history: 'threads',
  sessions: 'threads',
  pending: 'approvals',
  approve: 'phone',
  ask: "run 'what do I own'",
  version: '--version',
};

/** What people type for an option of another name. */
const meantOptions: Readonly<Record<string, string>> = {
  '--json': '--output json',
  '--csv': '--output csv',
  '--format': '--output',
  '-o': '--output',
  '-v': '--version (or --verbose)',
  '-q': '--output json',
  '-p': '--profile',
  '--shares': '--qty',
  '--quantity': '--qty',
  '--notional': '--amount',
  '--dollars': '--amount',
  '--price': '--limit',
  '--time-in-force': '--tif',
};

/** What to type instead of a command that there is none of; undefined where nothing is near. */
export function commandHint(word: string, commands: readonly string[]): string | undefined {
  const line = Object.hasOwn(meant, word.toLowerCase()) ? meant[word.toLowerCase()] : undefined;
  if (line !== undefined) return `Did you mean "trade-agent ${line}"?`;
  const nearest = closestMatch(word, commands);
  return nearest === undefined ? undefined : `Did you mean ${nearest}?`;
}

/** What to type instead of an option that a command hasn't. */
export function optionHint(flag: string): string | undefined {
  const [name = ''] = flag.split('=');
  return Object.hasOwn(meantOptions, name) ? `Did you mean ${meantOptions[name]}?` : undefined;
}

/**
 * What to type where a command has a word too many that is the value of one of its options: `orders list open`.
 * @param options of the command, with the values each may have
 */
export function valueHint(
  word: string,
  options: readonly {
    readonly long?: string | undefined;
    readonly argChoices?: readonly string[] | undefined;
  }[],
): string | undefined {
  const option = options.find(({ argChoices }) => argChoices?.includes(word));
  return option === undefined ? undefined : `Did you mean ${option.long} ${word}?`;
}
