import { closestMatch } from '../text/closest-match.ts';

/** Other names of commands that people type, and the command line each stands for. */
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

/** What to type instead of an unknown command; undefined where nothing is near. */
export function commandHint(word: string, commands: readonly string[]): string | undefined {
  const line = Object.hasOwn(meant, word.toLowerCase()) ? meant[word.toLowerCase()] : undefined;
  if (line !== undefined) return `Did you mean "trade-agent ${line}"?`;
  const nearest = closestMatch(word, commands);
  return nearest === undefined ? undefined : `Did you mean ${nearest}?`;
}

export function optionHint(flag: string): string | undefined {
  const [name = ''] = flag.split('=');
  return Object.hasOwn(meantOptions, name) ? `Did you mean ${meantOptions[name]}?` : undefined;
}

/**
 * For a word too many that is the value of an option: `orders list open`.
 * @param options of the command, with their values
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
