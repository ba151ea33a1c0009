import { NotUnderstood, Words } from './words.ts';

const alert =
  /^(?:tell|alert|notify|warn|ping|text|let|remind) me (?:know )?(?:when|if|once) (.+?) (?:falls|drops|goes|gets|is|dips|rises|climbs|hits|reaches|crosses|trades|sinks|jumps)(?: down| up| back)? ?(?:to |at )?(below|under|above|over)? ?\$?(\d+(?:\.\d+)?)$/i;

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
  if (/^re-?balance\b/i.test(clause)) {
    throw new NotUnderstood(
      'Which symbol is which part?',
      'Write each with its part of the account, 100% together: "rebalance to 60% VTI 40% BND", "rebalance to 60% VTI 30% BND 10% cash". Targets kept in a rules file are what "trade-agent check --suggest" goes back to (docs/CHECKS.md).',
    );
  }
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
