import type { Intent } from './intent.ts';

/*
 * Patterns that match a whole clause in lower case, with single spaces, from which courtesies such as "please" were
 * removed.
 */

const show = '(?:(?:show|list|see|view|get|display|give|check|tell)(?: me)? )?';
const mine = '(?:my |the )?';
const held = 'portfolio|positions|holdings|investments|stocks|shares|account|balance|account balance';
const money = 'cash|cash balance|buying power|equity|net worth';
const whole = (...patterns: string[]) => new RegExp(`^(?:${patterns.join('|')})$`);

export const fixedPhrases: readonly (readonly [RegExp, Intent])[] = [
  [
    whole(
      'help|what can you do|what can i (?:say|ask|do)|what do you understand|how does this work|commands|hi|hello|hey|\\?',
    ),
    { kind: 'help' },
  ],
  [
    whole(
      "who ?am ?i|whoami|who is (?:logged|signed) in|am i (?:logged|signed) in|what(?:'s| is) my name|my name",
      '(?:what|which) account (?:is this|am i (?:on|using|in))|am i on (?:paper|live)(?: or (?:paper|live))?',
      'is this (?:my )?(?:paper|live)(?: or (?:paper|live))?(?: account)?|is this real money',
    ),
    { kind: 'whoami' },
  ],
  [
    whole(
      "what (?:stocks |shares |positions |investments )?do i (?:own|have|hold)|what (?:am i|i'm) (?:holding|invested in)|how am i doing|how (?:rich|much money) (?:am i|do i have)",
      `how(?:'s| is| are) (?:my (?:${held})|everything)(?: doing)?`,
      '(?:how much )?(?:cash|money|buying power)(?: do i have)?(?: left| available)?|how much can i (?:spend|invest)',
      "what(?:'s| is) my (?:p\\/?l|profit|portfolio worth|account worth)",
      `what(?:'s| is| are)(?: in)? my (?:${held}|${money})(?: worth)?`,
      `how much (?:is|are) my (?:${held}) worth|what(?:'s| is) my (?:${held}) value`,
      `${show}(?:all )?(?:of )?${mine}(?:${held}|${money})`,
    ),
    { kind: 'portfolio' },
  ],
  [
    whole(
      `${show}${mine}(?:biggest|largest|top) (?:position|holding|stock|investment)`,
      "what(?:'s| is) my (?:biggest|largest|top) (?:position|holding|stock|investment)|what do i (?:own|have|hold) (?:the )?most of",
      'which (?:position|stock|holding) is (?:the |my )?(?:biggest|largest)',
    ),
    { kind: 'portfolio', view: 'biggest' },
  ],
  [
    whole(
      `${show}${mine}(?:best|top|best performing) (?:performer|performers|winner|stock|position|gainer)`,
      "what(?:'s| is) my (?:best|best performing|biggest winning) (?:performer|stock|position|holding)|what(?:'s| is) my (?:biggest|top|best) (?:winner|gainer)|biggest (?:winner|gainer)|which (?:stock|position|of my stocks) (?:did|does|is doing|performed) best",
    ),
    { kind: 'portfolio', view: 'best' },
  ],
  [
    whole(
      `${show}${mine}(?:worst|worst performing) (?:performer|performers|loser|stock|position)`,
      "what(?:'s| is) my (?:worst|worst performing) (?:performer|stock|position|holding)|what(?:'s| is) my (?:biggest|worst) loser|biggest loser|which (?:stock|position|of my stocks) (?:did|does|is doing|performed) worst",
    ),
    { kind: 'portfolio', view: 'worst' },
  ],
  [
    whole(
      'how much (?:did|have) i (?:make|made|lose|lost|gain|gained|earn|earned) today|did i (?:make|lose) (?:any )?money today',
      '(?:how much )?am i (?:up|down)(?: or (?:up|down))?(?: today)|how (?:much )?(?:up|down) am i today|how did i do today|how am i doing today',
      "(?:(?:show|what(?:'s| is| are))(?: me)? )?(?:my )?(?:today's|day's|daily) (?:p\\/?l|profit|gains?|loss(?:es)?|change|performance|return)|(?:what(?:'s| is| are) )?my (?:p\\/?l|profit|gains?|loss(?:es)?|change|return) today",
      `how(?:'s| is| are) my (?:${held}) (?:doing )?today|how did my (?:${held}) do today`,
    ),
    { kind: 'portfolio', view: 'day' },
  ],
  [
    whole(
      "(?:(?:show|what(?:'s| is| are))(?: me)? )?(?:my )?(?:total|overall|unrealized|unrealised) (?:p\\/?l|profit|gains?|loss(?:es)?|return|performance)|(?:how much )?am i (?:up|down)(?: or (?:up|down))?(?: overall| in total| in all)?|how much (?:did|have) i (?:make|made|gain|gained) (?:overall|in total|in all|so far)",
    ),
    { kind: 'portfolio', view: 'total' },
  ],
  [
    whole(
      '(?:is|are) (?:the )?(?:stock )?(?:markets?|exchange) (?:open|closed|trading)(?: now| right now| today| yet)?',
      '(?:when|what time) (?:does|do|will) (?:the )?(?:stock )?markets? (?:open|close)(?: today| next)?',
      '(?:what are (?:the )?)?(?:market|trading) hours|market (?:status|clock)|can i trade (?:now|right now)',
    ),
    { kind: 'clock' },
  ],
  [
    whole(
      `${show}(?:all )?(?:of )?${mine}(?:open|pending|working|outstanding|active) orders`,
      "(?:what|which) orders (?:are (?:open|pending)|do i have(?: open)?)|what(?:'s| is) pending|do i have (?:any )?(?:open |pending )?orders|any (?:open |pending )?orders|what are my (?:open |pending )?orders",
      '(?:(?:list|show|see|view|get|check)(?: me)? )?(?:my |the )?orders',
    ),
    { kind: 'orders', status: 'open' },
  ],
  [
    whole(
      `${show}${mine}(?:closed|filled|past|done|executed|completed|finished) orders|which orders (?:were|are|got) filled`,
    ),
    { kind: 'orders', status: 'closed' },
  ],
  [
    whole(`${show}(?:my )?(?:all (?:of )?(?:my |the )?orders|order history|orders history)`),
    { kind: 'orders', status: 'all' },
  ],
  [
    whole(
      `${show}(?:all )?(?:of )?${mine}(?:price )?alerts`,
      "(?:what|which) (?:price )?alerts (?:do i have|are (?:there|set|on))(?: set)?|what(?:'s| is| are) my (?:price )?alerts|do i have (?:any )?(?:price )?alerts|any alerts",
    ),
    { kind: 'alerts' },
  ],
  [
    whole(
      'cancel (?:all|every|everything|all (?:of )?(?:my |the )?(?:open |pending )?orders?|every(?: open| pending)? order|my (?:open|pending) orders)',
    ),
    { kind: 'cancel', which: { all: true } },
  ],
];

/** The most common requests. Their words are the vocabulary for spelling corrections. */
export const commonPhrases: readonly string[] = [
  'help',
  'who am i',
  'what do i own',
  'show my portfolio',
  'portfolio',
  'positions',
  'holdings',
  'cash',
  'balance',
  'account',
  'buying power',
  'what is my biggest position',
  'how much did i make today',
  'how am i doing',
  'is the market open',
  'market hours',
  'open orders',
  'closed orders',
  'order history',
  'cancel all orders',
  'cancel my last order',
  'cancel my order',
  'cancel everything',
  'change my order to',
  'quote',
  'price of',
  'chart',
  'buy',
  'sell half my',
  'sell all my shares of',
  'purchase',
  'close my',
  'limit',
  'market',
  'stop',
  'trailing stop',
  'good till cancelled',
  'dollars',
  'worth',
  'extended hours',
  'orders',
];
