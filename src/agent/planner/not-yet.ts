import { NotUnderstood, Words } from './words.ts';

const alert =
  /^(?:tell|alert|notify|warn|ping|text|let|remind) me (?:know )?(?:when|if|once) (.+?) (?:falls|drops|goes|gets|is|dips|rises|climbs|hits|reaches|crosses|trades|sinks|jumps)(?: down| up| back)? ?(?:to |at )?(below|under|above|over)? ?\$?(\d+(?:\.\d+)?)$/i;

/** `buy $200 of VTI`, `sell 5 NVDA`, and when. */
const standing =
  /^(buy|sell) (?:\$(?<amount>\d[\d,]*(?:\.\d+)?) (?:worth )?of |(?<qty>\d+(?:\.\d+)?) (?:shares? of )?)?(?<name>[A-Za-z][A-Za-z.]{0,9}) (?:every|if|when|once) (?<when>.+)$/i;
const recurring =
  /^(?:trading )?(day|month|monday|tuesday|wednesday|thursday|friday)s?(?: at (\d{1,2}:\d\d))?$/i;
const crossing =
  /^(?:it|the price|[A-Za-z.]{1,10}) (?:falls|drops|goes|gets|is|dips|rises|climbs|trades|sinks) (below|under|above|over) \$?(\d+(?:\.\d+)?)(?: (?:before|until|by) .+)?$/i;

/**
 * What is wanted often, and is done elsewhere: it says what to type instead.
 * @throws {NotUnderstood} with that
 */
export function sayWhereItIs(clause: string): void {
  const parts = alert.exec(clause);
  if (parts !== null) {
    const [, what = '', direction = '', price = ''] = parts;
    const up = direction === '' ? /\b(?:rises|climbs|jumps)\b/i.test(clause) : /above|over/i.test(direction);
    const side = up ? 'above' : 'below';
    throw new NotUnderstood(
      'I can’t watch a price from here.',
      `"trade-agent check" can: put "- {name: price-alert, kind: price, symbol: ${tickerIn(what)}, ${side}: ${price}}" under "rules" in its file, and let "trade-agent schedule" run it (docs/CHECKS.md).`,
    );
  }
  const command = standingCommand(clause);
  if (command !== undefined) {
    throw new NotUnderstood(
      'I place an order once, when you ask for it.',
      `The gateway can do it by itself, approved once on your phone: trade-agent mandates add ${command} (docs/MANDATES.md).`,
    );
  }
  if (/^re-?balance\b/i.test(clause)) {
    throw new NotUnderstood(
      'Which symbol is which part?',
      'Write each with its part of the account, 100% together: "rebalance to 60% VTI 40% BND", "rebalance to 60% VTI 30% BND 10% cash". Targets kept in a rules file are what "trade-agent check --suggest" goes back to (docs/CHECKS.md).',
    );
  }
}

/** What `mandates add` is told, for an order that is to be placed again and again, or at a price. */
function standingCommand(clause: string): string | undefined {
  const found = standing.exec(clause);
  const { amount, qty, name = '', when = '' } = found?.groups ?? {};
  const [, every, at] = recurring.exec(when) ?? [];
  const [, direction, price] = crossing.exec(when) ?? [];
  if (every === undefined && direction === undefined) return undefined;
  const size = amount === undefined ? qty && ` --qty ${qty}` : ` --amount ${amount.replaceAll(',', '')}`;
  const way = direction !== undefined && /above|over/i.test(direction) ? 'above' : 'below';
  const due =
    every === undefined
      ? ` --${way} ${price}${/ (?:before|until|by) /i.test(when) ? ' --until YYYY-MM-DD' : ''}`
      : ` --every ${every.toLowerCase()}${at === undefined ? '' : ` --at ${at}`}`;
  return `--${found?.[1]?.toLowerCase()} ${tickerIn(name)}${size ?? ''}${due}`;
}

function tickerIn(text: string): string {
  try {
    const words = new Words(text);
    const symbol = words.symbol();
    return words.done && symbol === symbol.toUpperCase() ? symbol : 'SYMBOL';
  } catch (error) {
    if (error instanceof NotUnderstood) return 'SYMBOL';
    throw error;
  }
}
