import { type Phrase, phrase } from '../../text/phrase.ts';

/*
 * Topics that the planner answers with fixed sentences: what the program can't do, what it has no data on, how orders
 * work, and small talk. In a hint, AAPL is replaced with the symbol that the person named.
 */

export interface FixedAnswer {
  /** An example question, offered when the planner can't decide between two topics. */
  readonly say: string;
  /** Weights of combinations of cues: `5 order+open, 3 order`. `!cue` means that the cue must be absent. */
  readonly when: string;
  /** Text of the refusal if there is no data or no such function, with a hint about what is available instead. */
  readonly missing?: readonly [message: Phrase, hint: Phrase];
  /** A fixed answer. */
  readonly text?: Phrase;
  /** Whether the question asks for an opinion. The planner gives no opinions. */
  readonly advice?: true;
}

export const NOTHING_DONE = phrase`Okay. Nothing has been done.`;
const QUOTE_HINT = phrase`I can show its price, chart and news: "quote AAPL", "chart AAPL", "news on AAPL".`;

/** Topics that decide the answer to a sentence, whatever its other words are. The planner only answers. */
export const wholeTopics: readonly FixedAnswer[] = [
  {
    say: 'short sales',
    when: '9 short_sale, 9 starts_short',
    missing: [
      phrase`I can't sell short: I only sell shares that you hold.`,
      phrase`I can sell a position ("sell all my AAPL"), or buy a put, which gains when the price falls.`,
    ],
  },
  {
    say: 'margin',
    when: '9 margin+!no_margin+trade',
    missing: [
      phrase`I can't borrow for a purchase: I only spend the cash in the account.`,
      phrase`To see what you can spend, ask "how much cash do I have".`,
    ],
  },
  {
    say: 'transfers',
    when: '9 send_money+bank+!symbol, 9 transfer+amount+!sells, 9 transfer+bank',
    missing: [
      phrase`I can't move money into or out of the account.`,
      phrase`Use your broker’s app for that. I can show past transfers ("my deposits") and the cash that is there ("my cash").`,
    ],
  },
  {
    say: 'other accounts',
    when: '9 other_account',
    missing: [
      phrase`I can't see or trade an account outside this broker.`,
      phrase`I can use the accounts that are connected here: "what do I own", "buy $50 of AAPL".`,
    ],
  },
  {
    say: 'foreign markets',
    when: '9 foreign+trade',
    missing: [
      phrase`I can't trade on exchanges outside the US, or in currencies other than US dollars.`,
      phrase`I can trade US-listed securities, including depositary receipts of foreign companies: "buy 5 TM", "buy $500 of VXUS".`,
    ],
  },
  {
    say: 'mutual funds',
    when: '9 mutual_fund, 9 fund_ticker',
    missing: [
      phrase`I can't trade mutual funds.`,
      phrase`An exchange-traded fund often holds the same stocks or bonds: "buy $200 of VTI".`,
    ],
  },
  {
    say: 'companies that are not listed',
    when: '8.8 unlisted+!symbol',
    missing: [
      phrase`I can't trade that company: its shares aren’t listed on a US exchange.`,
      phrase`I can trade listed companies and funds: "quote AAPL", "buy $200 of VTI".`,
    ],
  },
  {
    say: 'option spreads',
    when: '9 spread',
    missing: [
      phrase`I can't trade options with several legs.`,
      phrase`I can trade single calls and puts: "buy 1 AAPL 190 call expiring Dec 18 at 2.50".`,
    ],
  },
  {
    say: 'futures',
    when: '9 futures',
    missing: [
      phrase`I can't trade or quote futures, currencies or contracts for difference.`,
      phrase`I can trade funds that follow them, such as GLD for gold and USO for oil: "quote GLD".`,
    ],
  },
  {
    say: 'staking',
    when: '9 staking',
    missing: [phrase`I can't stake or lend coins.`, phrase`I can buy and sell them: "buy $50 of BTC".`],
  },
  {
    say: 'guarantees',
    when: '9 guarantee',
    missing: [
      phrase`I can't guarantee a result: a stop sells at the next price, which may be lower, for example when the market opens.`,
      phrase`I can place such a stop for you: "sell 10 AAPL stop 170".`,
    ],
  },
  {
    say: 'tax lots to sell',
    when: '9 lot_choice+sells',
    missing: [
      phrase`I can't choose which lots are sold: your broker does, usually the oldest first.`,
      phrase`To sell anyway, leave that out: "sell 5 AAPL". "my AAPL lots" shows the lots.`,
    ],
  },
  {
    say: 'reinvested dividends',
    when: '9 reinvest',
    missing: [
      phrase`I can't reinvest dividends automatically.`,
      phrase`Your broker may. I can buy on a schedule instead: "buy $25 of AAPL every month".`,
    ],
  },
  {
    say: 'account settings',
    when: '9 settings',
    missing: [
      phrase`I can't change the account itself, such as its password, its address or its owner.`,
      phrase`Use your broker’s site. "who am I" shows how you are signed in here.`,
    ],
  },
  {
    say: 'past purchases',
    when: '9.6 had_bought+symbol, 9.6 had_bought+ago, 9.6 hypothetical_buy+ago',
    missing: [
      phrase`I can't tell what a purchase that you did not make would be worth.`,
      phrase`I can show how the price changed over up to a year: "chart AAPL 1y".`,
    ],
  },
  { say: 'advice', when: '9 delegate', advice: true },
  {
    say: 'inside information',
    when: '9.9 insider+trade',
    missing: [
      phrase`I don't trade on information that isn't public.`,
      phrase`Trading on inside information is illegal, whoever places the order.`,
    ],
  },
  {
    say: 'mandates',
    when: '9.6 autonomy+!may_do+!asking+!courtesy',
    missing: [
      phrase`I can't set up, change or revoke mandates here.`,
      phrase`Use "trade-agent mandates add" and "trade-agent mandates revoke".`,
    ],
  },
  {
    say: 'pausing',
    when: '9.55 pausing+repeated',
    missing: [
      phrase`I can't pause or end recurring orders and checks here.`,
      phrase`Use "trade-agent mandates" for orders and "trade-agent schedule" for checks.`,
    ],
  },
  {
    say: 'regular reports',
    when: '9.5 each_time+report+!trade+!alerts+!dollars+!places+!condition, 9.49 each_time+summary+!buys+!sells+!dollars, 9.48 each_time+habit+!number',
    missing: [
      phrase`I can't set up regular reports here.`,
      phrase`"trade-agent schedule add" checks your account at fixed times.`,
    ],
  },
  {
    say: 'person or program',
    when: '9.8 human',
    text: phrase`I am a program that reads your sentences by fixed rules, not a person.`,
  },
  {
    say: 'what I may do alone',
    when: '9.7 may_do, 9.65 autonomy+asking',
    text: phrase`Every order, change, cancellation and message goes to your phone first, unless a mandate that you signed allows it. "trade-agent mandates" lists your mandates and their limits.`,
  },
  {
    say: 'how to change an order',
    when: '9.46 how_to+lower_price+!symbol, 9.46 how_to+changing+order+!symbol',
    text: phrase`To change an open order, name it and its new price or quantity, as in "change my AAPL order to limit 185". The change goes to your phone, and nothing happens until you approve it there.`,
  },
  {
    say: 'how to trade',
    when: '9.45 how_to+!explain, 9.45 how_to+order+explain',
    text: phrase`Type a request, as in "buy 5 AAPL", "sell half my MSFT" or "cancel my AAPL order". The request goes to your phone, and nothing happens until you approve it there.`,
  },
  {
    say: 'who reads this',
    when: '9.44 privacy',
    text: phrase`This program reads your sentences by fixed rules, without a language model. With a request, its sentence goes to your gateway and your phone. If you choose a language model, its provider reads what you type.`,
  },
  {
    say: 'what can be traded',
    when: '9.42 capability+asset_kind+!symbol+!number',
    text: phrase`I can buy and sell US stocks and funds, single calls and puts, and the coins that your broker offers, also for an amount in dollars. I can't sell short or borrow.`,
  },
  {
    say: 'languages',
    when: '9.4 languages+!symbol',
    text: phrase`I understand English, German, Spanish, French, Portuguese, Chinese, Japanese and Korean.`,
  },
  {
    say: 'partially filled',
    when: '9.3 partial+explain, 9.3 partial+asked+!symbol',
    text: phrase`A partially filled order has traded only some of its shares. The rest stays open until it fills or the order ends.`,
  },
  {
    say: 'how orders work',
    when: '9 explain+order_type+!symbol, 9 lapse+order_type+asked+!symbol+!mine, 9 gap+order_type+!symbol+asked, 9 gap+order_type+explain, 9.02 explain+unfilled',
    text: phrase`A **market** order fills immediately at the best available price. A **limit** order fills at its price or better, or not at all. A **stop** order waits for its price and then becomes a market order, so it fills, but maybe at a worse price. A **stop-limit** order becomes a limit order then: its price is safe, but it may not fill. A **trailing stop** follows the price at a distance. A **day** order ends at the close; **GTC** stays open until it fills or you cancel it.`,
  },
  {
    say: 'when cash settles',
    when: '9 settle+how_long, 9 settle+why',
    text: phrase`A sale of stocks, funds or options settles one business day after the trade (T+1). Until then, your broker may let you trade with the money but not withdraw it.`,
  },
  {
    say: 'the wash sale rule',
    when: '9.1 wash_sale+explain+!symbol, 9.45 buy_again+loss',
    text: phrase`If you sell at a loss and buy the same security within 30 days before or after that sale, the loss is a wash sale: you can’t claim it now, and it is added to the cost of the new shares. So 31 days after the sale, you can buy again. This is the general US rule, not tax advice. For one of your positions, ask "would selling AAPL be a wash sale?".`,
  },
  {
    say: 'orders while the market is closed',
    when: '9 procedure+order, 8.8 market_closed+order+asked, 8.8 extended_trading+asked',
    text: phrase`An order that you place while the market is closed waits for the next opening; "is the market open?" says when that is. For trading before or after hours, give a limit and add "extended hours": "buy 5 AAPL limit 180 extended hours".`,
  },
];

/** Answers that say what orders can't do, for requests that can't be read otherwise. The planner does nothing else. */
export const orderLimits: readonly FixedAnswer[] = [
  {
    say: 'orders that wait for another order',
    when: '9 after_fill+trade',
    missing: [
      phrase`I can't let an order wait until another one fills.`,
      phrase`A purchase can have its exits: "buy 5 AAPL limit 180 stop loss 170". Otherwise, ask again when it has filled; "open orders" shows whether it has.`,
    ],
  },
  {
    say: 'undoing a trade',
    when: '8.9 undo_trade+trade, 8.9 undo_trade+transaction',
    missing: [
      phrase`I can't undo a trade that has filled.`,
      phrase`I can cancel an open order ("cancel my last order"), or place the opposite one ("sell 5 AAPL").`,
    ],
  },
  {
    say: 'turning an order into a market order',
    when: '8.8 to_market+order',
    missing: [
      phrase`I can't turn an open order into a market order.`,
      phrase`Cancel it and place a new one: "cancel my AAPL order", then "sell 5 AAPL".`,
    ],
  },
  {
    say: 'orders for later',
    when: '8.6 later_day+trade+!option',
    missing: [
      phrase`I can't place a single order on a later day or at a set time: it goes out when you approve it.`,
      phrase`Ask again then. An order that you place while the market is closed waits for the next opening.`,
    ],
  },
  {
    say: 'orders until a date',
    when: '8.5 until_date+trade+!option',
    missing: [
      phrase`I can't let an order end on a date: it is good for the day, or until you cancel it.`,
      phrase`Leave that out for an order that ends today, or say "gtc" and cancel it later.`,
    ],
  },
  {
    say: 'orders on indicators and news',
    when: '8.4 indicator+trade',
    missing: [
      phrase`I can't let an order wait for news or indicators, only for a price of its own symbol.`,
      phrase`Say the price: "sell 5 AAPL if it falls below 100".`,
    ],
  },
];

/** Topics of questions for which there is no data. */
export const topicsWithoutData: readonly FixedAnswer[] = [
  {
    say: 'earnings',
    when: '9 earnings, 9 reports+when+symbol',
    missing: [phrase`I don't have earnings dates and reports.`, QUOTE_HINT],
  },
  { say: 'ratings', when: '9 ratings', missing: [phrase`I don't have analyst ratings and price targets.`, QUOTE_HINT] },
  {
    say: 'company',
    when: '9 company',
    missing: [phrase`I don't have facts about companies and their people.`, QUOTE_HINT],
  },
  {
    say: 'fundamentals',
    when: '9 fundamentals',
    missing: [phrase`I don't have company figures such as market value, revenue, yields and ratios.`, QUOTE_HINT],
  },
  {
    say: 'option prices',
    when: '5.4 option+number+symbol+asked, 5.4 option+number+symbol+quote',
    missing: [
      phrase`I can't look up an option price by strike and expiry date.`,
      phrase`Use the symbol of the contract: "quote AAPL261218C00190000".`,
    ],
  },
  {
    say: 'sectors',
    when: '9 sector+share_of+!symbol, 9 sectors+mine, 9 sectors+holdings, 9 sectors+account',
    missing: [
      phrase`I don't have the sectors of companies.`,
      phrase`I can show the weight of every position: "what do I own"; or of some: "how much of my account is AAPL and MSFT".`,
    ],
  },
  {
    say: 'range',
    when: '9 range',
    missing: [
      phrase`I don't have all-time highs and lows.`,
      phrase`I can draw the last year, with its high and low: "chart AAPL 1y".`,
    ],
  },
  {
    say: 'next dividend',
    when: '9 dividend+upcoming+!symbol, 9 dividend+tomorrow+!symbol',
    missing: [
      phrase`I don't have dates of future dividends for the whole account.`,
      phrase`Ask about one stock: "next dividend of AAPL".`,
    ],
  },
  {
    say: 'tax forms',
    when: '9.2 tax_form',
    missing: [
      phrase`I don't have tax forms and statements.`,
      phrase`Your broker issues them. I can list "my realized gains last year".`,
    ],
  },
  {
    say: 'recurring orders',
    when: '9 recurring',
    missing: [phrase`I don't have the list of recurring orders here.`, phrase`Run "trade-agent mandates" to see them.`],
  },
  {
    say: 'limits',
    when: '7.9 limits',
    missing: [
      phrase`I don't have the text of your limits here.`,
      phrase`Ask about one order, as in "would buying 5 AAPL pass my rules?".`,
    ],
  },
  {
    say: 'world',
    when: '9 world',
    missing: [
      phrase`I don't have facts beyond your account and the market.`,
      phrase`I can show prices, charts, news and your account.`,
    ],
  },
  {
    say: 'best stocks',
    when: '9 screen+!own_best',
    missing: [
      phrase`I don't have rankings or searches of the whole market.`,
      phrase`I can show your own: "my best position", "my watchlist".`,
    ],
  },
  {
    say: 'one position',
    when: '9 ratio+symbol, 9 dividend+by_month+symbol, 9 dividend+by_symbol, 9 ratio+year_number',
    missing: [phrase`I don't have that figure for one security.`, phrase`I can compute it for the whole account.`],
  },
];

/** Replies to sentences that ask for nothing. */
export const smallTalk: readonly FixedAnswer[] = [
  { say: 'thanks', when: '9 thanks+idle, 9 thanks+addressed', text: phrase`You’re welcome.` },
  { say: 'an apology', when: '8.95 apology+idle, 8.94 apology+addressed', text: phrase`No problem.` },
  { say: 'goodbye', when: '8.9 bye+idle, 8.9 bye+addressed', text: phrase`Goodbye.` },
  { say: 'nothing', when: '8.85 retracts+idle, 8.86 nothing_asked+!trade', text: NOTHING_DONE },
  { say: 'praise', when: '8.8 praise+idle', text: phrase`Thank you. Tell me what to look up or to order next.` },
  {
    say: 'hello',
    when: '8.7 greeting+idle',
    text: phrase`Hello. Ask me about prices, your account or your orders, or tell me what to buy or sell. "help" shows examples.`,
  },
];
