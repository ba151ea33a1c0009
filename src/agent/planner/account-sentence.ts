import { defined } from '../../values/defined.ts';
import { show, whole } from './data-sentence.ts';
import type { Intent } from './intent.ts';
import { readOrder } from './order-sentence.ts';
import { NotUnderstood, onlySymbol, Words } from './words.ts';

/* Questions about risk, tax lots, wash sales, findings of the person's rules, and whether an order would pass them. */

const mine = '(?:portfolio|account)';

const fixed: readonly (readonly [RegExp, Intent])[] = [
  [
    whole(
      `${show}my (?:risk|volatility|drawdown|concentration)|how (?:risky|volatile|concentrated|diversified) (?:am i|is my ${mine})|how much risk (?:do i have|am i taking)`,
    ),
    { kind: 'risk' },
  ],
  [
    whole(
      `${show}(?:my |the |any )?(?:latest )?findings|what (?:do|does) my rules? (?:find|say)(?: now)?|what did (?:the|my) (?:last )?check find`,
    ),
    { kind: 'findings' },
  ],
  [whole(`${show}(?:all )?(?:of )?(?:my )?tax lots|${show}(?:all )?(?:of )?my lots`), { kind: 'lots' }],
];

const lots = [
  whole(`${show}(?:my |the )?(?:tax )?lots (?:of|in|for) (.+)`),
  whole(`${show}my (\\S+) (?:tax )?lots`),
];

const wash = [
  /^(?:would|will|is) (?:it be a wash sale (?:if i (?:sell|sold)|to sell)|it a wash sale to sell) (.+?)(?: now| today)?$/i,
  /^(?:would|will|is|does) selling (.+?)(?: now| today)? (?:be|make|trigger|create|cause)? ?a wash sale(?: now| today)?$/i,
];

const passes = [
  /^(?:would|will|does|do) (.+) (?:pass|obey|keep to|stick to|be within|be allowed by) (?:my |the )?(?:rules|limits)$/i,
  /^(?:check|test|try) (.+) against (?:my |the )?(?:rules|limits)$/i,
];

export function readAccount(clause: string): Intent | undefined {
  const known = fixed.find(([pattern]) => pattern.test(clause))?.[1];
  if (known !== undefined) return known;
  const of = firstOf(lots, clause);
  if (of !== undefined) return { kind: 'lots', symbol: onlySymbol(new Words(of), 'my lots of NVDA') };
  const sold = firstOf(wash, clause);
  if (sold !== undefined) return readWash(sold);
  const order = firstOf(passes, clause);
  return order === undefined ? undefined : readChecked(order);
}

function firstOf(patterns: readonly RegExp[], clause: string): string | undefined {
  return patterns.map((pattern) => pattern.exec(clause)?.[1]).find((found) => found !== undefined);
}

/** `KO`, `my KO`, `all my KO`, `10 shares of KO`. */
function readWash(text: string): Intent {
  const words = new Words(text);
  words.takeAny('all of my', 'all my', 'my');
  const qty = words.quantity();
  if (qty !== undefined) {
    words.takeAny('shares of my', 'shares of', 'shares in', 'of my', 'my');
  }
  const symbol = onlySymbol(words, 'would selling 10 shares of KO be a wash sale?');
  return { kind: 'wash', symbol, ...defined({ qty }) };
}

/** `5 AAPL` is a purchase, as the answer says. */
function readChecked(text: string): Intent {
  const said = text
    .replace(/^["'“”‘’]|["'“”‘’]$/g, '')
    .replace(/^(?:an order )?to (?=buy|sell)/i, '')
    .replace(/^buying /i, 'buy ')
    .replace(/^selling /i, 'sell ');
  const order = readOrder(new Words(/^[$\d]/.test(said) ? `buy ${said}` : said));
  if (order === undefined || order.fraction !== undefined) {
    throw new NotUnderstood(
      'Which order do you mean?',
      'Write it with its shares or dollars, as in "would buying 5 AAPL limit 180 pass my rules?".',
    );
  }
  return { kind: 'rules', request: order.request };
}
