import type { LexiconData } from '../lexicon.ts';

const endings = 'cancelled|canceled|cancel|i cancel|i cancel it'.split('|');
const gtc = ['good till', 'good til', "good 'til", 'good until', 'valid until', 'till', 'until']
  .flatMap((start) => endings.map((end) => `${start} ${end}`))
  .join('|');

/** Words whose meaning no slot takes. They are known, so that they are not taken for the name of a company. */
const other =
  'but|only|else|just not|only if|without me|able|about|across|again|ago|almost|already|although|amazing|anyone|anything|approximately|around|ask|away|average|bad|because|become|before|begin|believe|beside|between|big|block|book|both|bull|bear|bring|broke|business|busy|came|care|carefully|case|chance|cheap|cheaper|cheapest|cheaply|come|company|consider|course|crash|crazy|date|dear|decent|deal|decide|difference|different|dip|double|doubt|down|earlier|early|easy|end|especially|ever|exactly|excited|extra|fact|fair|far|fast|feel|feeling|few|find|fine|first|follow|found|friend|full|fun|fund|funds|future|game|gamble|glad|god|gone|good|got|great|guess|guy|happen|happy|hard|hate|having|he|hear|heard|help me|her|here|high|him|his|hit|home|hope|hot|hour|hours|huge|idea|immediately|important|index|info|information|instead|interest|interested|its|job|kind|knew|know|large|least|less|life|like|little|live|log|long|longer|look|looking|looks|lot|lots|love|low|luck|lunch|mad|man|many|maybe|mean|means|mind|minus|minute|miss|mom|moment|money|month|months|more|morning|most|mostly|much|must|name|near|nearly|need|needed|neither|nervous|never|new|next|nice|night|none|nor|nothing|number|off|often|old|once|oops|opinion|opposite|otherwise|out|over|own|paper|part|past|people|perhaps|perfect|person|phone|pick|place|plan|play|pls|plus|point|possible|prefer|pretty|probably|problem|question|quick|quickly|quite|random|rate|rather|ready|real|really|reason|recent|recently|remember|rest|result|rich|right|risky|run|safe|same|save|saw|saying|scared|second|see|seem|seen|send|several|shall|short|side|since|slow|slowly|small|smart|someday|somehow|someone|something|sometimes|somewhat|soon|sorry|sort|spread|start|stay|still|stocks like|strong|stuff|such|super|sure|tax|test|than|their|there|these|they|thing|things|third|this|those|though|thought|time|times|tip|tomorrow|tonight|too|top|touch|trade|trades|trading|trend|tried|true|trust|try|turn|twice|type|understand|unless|unsure|up|upside|us|use|used|value|very|wait|waiting|was|way|weather|week|weeks|well|went|were|whatever|whenever|where|whether|while|whole|whose|wife|win|winner|winners|without|wonder|wondering|word|words|work|works|world|worry|worse|worst|wrong|year|years|yesterday|yet|young|yours|loser|losers|losing|winning|beat|beats|safer|instrument|security|securities|sector|sectors|tech|energy|asset|assets|bond|bonds|crypto|coin|coins|cents|cent|euro|euros|eur|pounds|gbp|yen|points|basis|split|earnings|report|reports|meeting|fed|inflation|recession|retire|retirement|mortgage|house|car|loan|margin|leverage|borrow|tip off|insider|dividend stocks|cannot|do not|dont|not|no|nope|nah|except|excluding|provided|assuming|suppose|imagine|pretend|hypothetically|however|said|says|say|told|tells|thinks|think|thinking|suggests|suggested|recommends|recommended|according|advised|advises|wrote|written|read|reads|quoted|example|eg|joke|joking|kidding|never mind|nevermind|regret|undo|without asking|approve|approved|confirm|myself|yourself|itself|himself|herself|ourselves|everybody|everyone|nobody|unlimited|password|instructions|ignore|previous|system|prompt|rules for|transfer|wire|withdraw money|deposit money|move money|bank account|min|minutes|day|days|daily basis|hold|holding on|keep going|stop trading|ahead|behind|inside|outside|against|toward|towards|versus|compare with|until|till|til';

export const english: LexiconData = {
  name: 'english',
  groupsByPoint: false,
  units: {
    dollar: { unit: 'dollars' },
    dollars: { unit: 'dollars' },
    usd: { unit: 'dollars' },
    bucks: { unit: 'dollars' },
    buck: { unit: 'dollars' },
    grand: { unit: 'dollars', scale: 1_000 },
    percent: { unit: 'percent' },
    pct: { unit: 'percent' },
    '%': { unit: 'percent' },
  },
  meanings: {
    orderhistory: 'order history|orders history',
    // Acts
    buy: 'buy|purchase|acquire|grab|pick up|scoop up|snag|snap up|load up on|go long|go long on|buy into|buy up|dca|dollar cost average|start buying|pick me up',
    invest: 'invest|put|throw|toss|stick|drop|deploy|allocate|spend',
    add: 'add',
    get: 'get|get me|get us|gimme|give me|i want|i need|i take|i will take|ill take',
    sell: 'sell|sell off|dump|unload|offload|get rid of|ditch|cash out|cash out of|sell me|sell out of|start selling|sell down',
    write: 'write',
    trim: 'trim|reduce|cut|cut down|cut back|cut back on|trim down|lighten|lighten up on|scale back|scale down|pare|pare back|shrink',
    close: 'close|close out of|close out|liquidate|exit|wind down',
    leave:
      'get out of|get me out of|bail on|bail out of|take me out of|pull out of|get us out of|sell everything in|sell everything i have in|sell everything of',
    protect: 'protect|safeguard|insure|guard',
    place: 'place|put in|enter|submit|set up|set|create|make|open up|attach|use',
    cancel: 'cancel|kill|withdraw|call off|scrap|nix|revoke|pull|take back|cancelling',
    change: 'change|move|modify|adjust|amend|update|edit|replace|raise|lower|bump|shift',
    rebalance: 'rebalance|rebalance back|re balance',
    swap: 'swap|switch|exchange|rotate|convert',
    shorten: 'short|sell short|go short|short sell',
    buying: 'buying|purchasing|bought|purchased|a buy of|an order for|to buy|to purchase|an order to buy',
    selling: 'selling|dumping|sold|a sale of|to sell|to dump|an order to sell',
    take: 'take|pull',
    outof: 'out of|off|off of|from',
    send: 'send|post|share|forward',
    slack: 'slack',
    mail: 'email|mail|gmail|e mail|by email|by e mail|by gmail|by mail',
    // Courtesies, which change nothing
    harmless:
      'i placed|i just placed|i made|please|kindly|thanks|thank you|thx|ty|pls|plz|hey|hi|hello|ok|okay|k|so|now|right now|just|also|too|as well|asap|right away|immediately|straight away|at once|go ahead|go ahead and|for me|for us|let us|lets|can you|could you|will you|can you please|could you please|would you please|would you kindly|will you please|would you mind|would you be so kind as to|i want to|i wanna|id like to|i would like to|id like to|i want you to|id like you to|i need to|i need you to|i like to|i would love to|id love to|i am looking to|im looking to|looking to|im looking to|want to|wanna|let me|lemme|help me|ill|i will|im going to|im going to|i am going to|i plan to|time to|its time to|its time to|yo|bro|buddy|mate|sir|dude|hm|hmm|um|uh|well|great|good morning|good afternoon|good evening|today|currently|actually|then please|if you could|if you can|when you can|ya|there we go|cool|alright|all right|if possible|id like|i would like|id like|in there|dear agent|agent|trade agent',
    filler: 'please|order|with|as|each|or better|and',
    // Function words
    of: 'of|in|into|on|to|from|towards|out of',
    my: 'my|our|me|mine|your|the|those|these|that|this|some of my',
    a: 'a|an|one',
    at: 'at|@|around price',
    for: 'for',
    by: 'by',
    to: 'to|to be|at|into|up to|down to',
    on: 'on',
    with: 'with|using|w',
    and: 'and|plus|as well as|along with|also|together with',
    or: 'or',
    then: 'then|and then|after that|afterwards',
    it: 'it|them|that one|this one|those|these|that|that position|that stock',
    is: "is|are|am|was|'s|be|being|im|i'm",
    i: 'i|we|me|us|you|my|our',
    do: 'do|does|did|have|has|had|having',
    each: 'each|apiece|each of|of each|of each of|in each|in each of|each one',
    per: 'a share|per share|each|apiece|a piece|per unit|a pop|per coin|a coin',
    // Sizes
    oneshare: 'a share|a share of|one share|one share of|a share in|a single share|a single share of|1 share of',
    halfshare: 'half a share|half a share of|half a share in',
    share: 'share|shares|stock|stocks|unit|units|shs|coins|coin|tokens',
    more: 'more|another|additional|extra|further|other',
    worth: 'worth|worth of|in value|value|value of',
    position: 'position|positions|holding|holdings|stake|stakes|investment|shares|stock|bag|bags|chunk',
    half: 'half|half of|one half|1/2|a half',
    third: 'third|a third|one third|1/3',
    twothirds: 'two thirds|2/3',
    quarter: 'quarter|a quarter|one quarter|1/4|a fourth|one fourth',
    threequarters: 'three quarters|3/4|three fourths',
    tenth: 'a tenth|one tenth|1/10',
    fifth: 'a fifth|one fifth|1/5',
    all: 'all|all of|entire|whole|every share|every last share|every single share|every last bit|everything i have|everything i own|all i have|all i own|my entire|my whole|the entire|the whole|100 percent|the rest|the rest of|the remainder|remaining|all the',
    everything:
      'everything|all my stuff|all positions|all my positions|all of my positions|all holdings|all my holdings|all my stocks|all stocks',
    allbut:
      'all but|all except|everything but|everything except|all minus|all but the last|all except for|everything except for|all of it but|all of it except',
    keep: 'keep|but keep|and keep|keeping|leaving|leave|but leave|and leave|but not',
    enough: 'enough|enough of|enough shares of|as much as needed|as many shares as needed|as many',
    raise: 'to get|to raise|to make|to free up|to free|to yield|to generate|to have|to cover|to net|to bring in',
    cash: 'cash|available cash|buying power|cash balance|free cash|cash on hand|uninvested cash|money|available money|settled cash',
    vague:
      'some|a few|a little|a bit|a bit of|several|a couple|a couple of|a lot|a lot of|a bunch of|a ton of|a handful of|a small amount of|some more|a little more|a bit more|some of|part of|most of',
    total: 'in total|total|altogether|combined|overall|in all|all together|all told',
    // Terms
    limit:
      'limit|lmt|limit price|limit order|a limit|a limit of|limit of|limit price of|limit at|limit order at|with a limit|with limit|with a limit of|with limit of|with a limit price|with a limit price of|at a limit of|at a limit|at limit|at a limit price of|with a limit at|limit @|max price|maximum price|max price of|with a max price of|min price|minimum price|using a limit of|using a limit',
    market:
      'market|mkt|at market|at the market|at market price|at the market price|market price|market order|at the current price|at current price|at whatever price|a market order',
    stop: 'stop|stp|stop price|a stop|with a stop|with stop|stop order',
    stoploss:
      'stop loss|a stop loss|stop loss order|stop loss price|with a stop loss|with stop loss|stoploss|sl|protective stop|a protective stop',
    stoplimit: 'stop limit|stop limit order|a stop limit',
    profit:
      'take profit|take profit price|a take profit|profit target|price target|tp|with take profit|with a take profit|target|target price|a profit target|take profits',
    trailing:
      'trailing stop|trailing stop loss|trail|trailing|trailing stop order|a trailing stop|a trailing stop loss|trailing stop limit|with a trailing stop|with trailing stop|with trail|trail stop',
    bracket: 'bracket|bracket order|a bracket',
    oco: 'oco',
    oto: 'oto',
    order: 'order|orders|trade ticket|order for|order on',
    gtc: `gtc|g.t.c.|g.t.c|gtc order|good till close|${gtc}`,
    day: 'good for the day|good for day|for the day|day only|day order|for today only|today only|good for today|day|just for today',
    ioc: 'ioc|immediate or cancel',
    fok: 'fok|fill or kill|all or none|all or nothing',
    opg: 'opg|at the open|on the open|market on open|at open|at market open|at the market open',
    cls: 'cls|at the close|on the close|market on close|at market close|at the market close',
    extended:
      'extended hours|extended-hours|in extended hours|during extended hours|after hours|premarket|pre market|in the premarket|in after hours|with extended hours',
    eachmost:
      'at no more than|at max|at most|at a maximum of|at a max of|not above|no higher than|not higher than|at up to',
    most: 'for no more than|for at most|no more than|max|for max|not more than|maximum|for a maximum of|for up to',
    eachleast: 'at no less than|at min|at least|at a minimum of|not below|no lower than|not lower than',
    least: 'for no less than|for at least|no less than|min|for min|not less than|minimum|for a minimum of',
    orless: 'or less|or lower|or below|or cheaper|or under|or better',
    ormore: 'or more|or higher|or above|or better|or over',
    below: 'below|under|beneath|less than|lower than|underneath|cheaper than',
    above: 'above|over|past|higher than|more than|beyond|greater than',
    strike: 'strike|strike price|strike price of|strike of|strike at',
    // Conditions and schedules
    if: 'if|when|once|as soon as|in case|whenever|should',
    falls:
      'falls|drops|dips|sinks|slips|fall|drop|dip|goes down|go down|falls back|drops down|tanks|declines|decline|crashes|loses',
    rises: 'rises|climbs|jumps|rise|climb|goes up|go up|rallies|gains|pops|gets up|spikes|increases|increase',
    moves:
      'goes|gets|is|trades|moves|comes|go|get|trade|move|hits|reaches|touches|crosses|hit|reach|is at|is trading|closes|changes|is back|breaks',
    theprice: 'it|price|its price|stock|stock price|they|share price|its share price|shares',
    every: 'every|each|on every|on each|every single|each and every',
    weekday:
      'monday|tuesday|wednesday|thursday|friday|mondays|tuesdays|wednesdays|thursdays|fridays|mon|tue|tues|wed|thu|thurs|fri',
    weekend: 'saturday|sunday|saturdays|sundays|weekend',
    tradingday: 'trading day|day|weekday|business day|market day|weekdays|working day',
    week: 'week|weekly|a week|per week|once a week|every week|each week|biweekly|fortnight',
    month: 'month|monthly|a month|per month|once a month|every month|each month',
    daily:
      'daily|every day|each day|once a day|a day|per day|everyday|every trading day|every weekday|every business day|every single day|each trading day|each weekday|every market day|each market day|each business day',
    until: 'until|till|til|by|through|up until|until and including',
    before: 'before',
    today: 'today|tomorrow',
    next: 'next|this|coming|this coming|this next',
    monthname:
      'january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec',
    noon: 'at noon|noon|midday|at midday',
    newyork: 'new york time|new york|ny time|ny|et|est|edt|eastern time|eastern',
    half_day: 'am|pm|a.m.|p.m.|a.m|p.m',
    account: 'account|account number|acct|account no|account no.',
    contract: 'option|options|contract|contracts',
    call: 'call|calls',
    put: 'put|puts',
    covered: 'covered',
    secured: 'cash secured|secured',
    expiring:
      'expiring|expiring on|expiring in|expires|that expires|that expires on|that expires in|expiration|expiry|exp|expiration date|dated|with expiry|expires on|with expiration',
    toopen: 'to open',
    toclose: 'to close',
    back: 'back',
    // Questions
    what: "what|what's|whats|which|how much|how many|how|how's|hows|who|who's|whos|when|where's|where|whose|what are|what is|what do|tell me|show|show me|list|see|view|display|give me|tell|get me|let me see|can i see|i want to see|pull up|bring up|give|get|check|look up|are there|is there|have i|any|read|read me|what were|what was|do you know|let me know|id like to see|could i see|may i see|i want to know|i would like to know|can you show me|look at|how are|how is|how about my|how do|how did|what did|can you tell me|could you tell me|could you show me|would you show me|would you tell me",
    who: 'who am i|whoami|who is logged in|who is signed in|am i logged in|am i signed in|my name|who s logged in|signed in as|logged in as|which user am i',
    paper: 'on paper|paper|live|real money|paper or live|on live|a demo|simulated|play money|fake money|for real',
    own: 'own|holding|hold|have|invested in|got|owned|own right now|be holding|possess|do i have|do i own|do i hold|i have|i own|i hold|pay|paid|cost basis|average price|average cost',
    portfolio:
      'portfolio|positions|position|holdings|holding|investments|investment|stocks|stock|shares|account|balance|account balance|everything|net worth|equity|stuff|account value|portfolio value|assets|p&l|pnl|p/l|profit and loss|total value|allocation|summary|overview|securities|cash|buying power|account equity',
    howrich:
      'how rich|how much money|how am i doing|worth|how much can i spend|how much can i invest|left|available|spend|to spend|to invest|to trade|invest|up|down|sitting|value|total|doing|in it|am i worth',
    largest: 'biggest|largest|top|most of|heaviest|most',
    best: 'best|best performing|top performing|biggest winning|did best|does best|is doing best|performed best|best performer|best performers|winner|winners|gainer|gainers|biggest winner|biggest gainer|top gainer|top performer|biggest winners|biggest gainers',
    worst:
      'worst|worst performing|worst performer|worst performers|loser|losers|biggest loser|biggest losers|worst loser|did worst|does worst|is doing worst|performed worst|lagging|laggard|laggards',
    performer: 'performer|performers|performing|performed|did|doing|does',
    make: 'make|made|making|lose|lost|losing|gain|gained|earn|earned|gains|loss|losses|profit|profits|return|returns|performance|perform|performed|performing|do|done|doing|p&l|pnl|p/l|profit and loss|change|changed|up|down|up or down|gain or loss|fare|fared|go|going|money|gone|rate of return|earnings so far',
    unrealized:
      'unrealized|unrealised|overall|total|so far|in total|in all|all time|all-time|since i started|since the beginning',
    day_of: "today's|day's|daily|today|on the day|so far today|in the day|todays",
    order_noun: 'order|orders',
    openlist: 'open|pending|working|outstanding|active|live|unfilled|waiting|in the queue|not filled|still open',
    closedlist:
      'closed|filled|past|done|executed|completed|finished|rejected|canceled|cancelled|expired|fail|failed|fill|filled yet|go through|went through|rejection|denied|not filled|not fill|get rejected|get filled|get cancelled|get canceled|executing',
    why: 'why|how come|what happened to|what happened with|what s the status of|status|status of|did|was|were|has|is|what is the status of',
    history: 'history',
    allerts: 'alert|alerts|price alert|price alerts',
    market_noun: 'market|markets|stock market|exchange|stock exchange|wall street|nyse|nasdaq|trading',
    openclose:
      'open|closed|close|opens|closes|trading|hours|clock|status|opening|closing|open yet|market hours|trading hours|opening hours|trade|opened|still open',
    tomorrow: 'tomorrow',
    calendar:
      'trading calendar|market calendar|market holidays|market holiday|next holiday|holidays this week|trading days',
    news: "news|headlines|any news|what's new|whats new|what is new|latest news|news today|market news|happening|going on|headline|what's happening|whats happening|what's going on",
    latest: 'latest|current|live|recent|last|newest|most recent|present|lately|recently|past|trailing',
    quote:
      'quote|quotes|price|prices|stock price|share price|stock quote|cost|costs|trading at|going for|selling for|trade at|trading|worth|at|market price|current price|doing|how much is|stock prices|share prices|price quote|price check|value|valued at|a share|ticker|trades at|stand|standing at|stands at|per share|one share|one share of|a share of|quoted at',
    chart: 'chart|graph|plot|price history|charts|candles|history|draw|price chart|price graph',
    period:
      'this week|the last week|last week|the past week|past week|this month|the last month|last month|the past month|past month|this year|so far this year|the last year|the past year|past year|year to date|ytd|month to date|mtd|last year|this quarter|over the last year|last 12 months|the last 12 months|last three months|last 3 months|the last 3 months|the last three months|last 6 months|the last 6 months|last six months|past 3 months|past 6 months|the past 3 months|the past 6 months|last 5 years|past 5 years|the last 5 years|all time|last quarter|the week|the month|the year|since january|last 30 days|the last 30 days|last 7 days|the last 7 days|last few days|this past week|this past month|this past year|in the last week|in the last month',
    over: 'over|in|for|during|of|within|since|across|from|throughout',
    dividends: 'dividend|dividends|in dividends|dividend income|dividend payments|dividend payouts',
    receive: 'get|got|receive|received|earn|earned|paid|make|made|pay|income|collect|collected',
    deposits: 'deposits|deposit|deposits and withdrawals|withdrawals|withdrawal|deposited|transfers',
    activity:
      'activity|activities|account activity|happened|transactions|transaction history|account history|transaction',
    traded:
      'trade|trades|traded|trade history|trading history|executions|fills|buy|sell|bought|sold|trading activity|trade log|trading log|purchases|sales',
    realize:
      'realize|realise|realized|realised|capital|taxable|capital gains|capital gain|capital losses|realized gains|realized losses|realised gains|realised losses',
    gain: 'gain|gains|loss|losses|gains and losses|gain and loss|profit|profits|p&l|pnl|p/l|capital gains|capital gain|capital losses|realized gains|realized losses',
    ratio: 'sharpe|sharpe ratio|sortino|sortino ratio|beta',
    bymonth: 'by month|per month|each month|every month|a month|monthly|month by month',
    benchmark:
      'against|versus|vs|vs.|compare|compared|compared to|compared with|compared against|compare with|compare to|with|to|measure up|comparing|beat|beating|stack up against|stacking up against|relative to|compare against',
    risk: 'risk|volatility|drawdown|concentration|risky|volatile|concentrated|diversified|riskiness|risk level|exposure|diversification|at risk|risk profile|am i taking|max drawdown|how risky',
    lots: 'lot|lots|tax lot|tax lots|cost basis lots',
    wash: 'a wash sale|wash sale|be a wash sale|trigger a wash sale|a wash sale if i|create a wash sale|cause a wash sale|make a wash sale|wash sales|wash sale rule|wash sale rules',
    findings:
      'finding|findings|my rules find|my rules say|check find|the last check find|the check find|latest findings',
    rules: 'my rules|the rules|my limits|the limits|rules|limits|my policy|the policy',
    pass: 'pass|obey|keep to|stick to|be within|be allowed by|against|within|violate|break|allowed by|be allowed under|be ok with|comply with|fit|be okay with|exceed|go against',
    check: 'check|test|try|look at|watch|look after|look',
    would: 'would|will|does|do|is|are|if|can|could|was',
    afford:
      'afford|enough cash for|enough cash to buy|enough money for|enough money to buy|enough for|enough to buy|enough buying power for|able to afford|able to buy|have the cash for|have the money for',
    watchlist: 'watchlist|watch list|watch lists|watchlists|am i watching|radar',
    remove: 'remove|take|drop|delete|take off|clear|turn off|delete all|remove all|get rid of',
    off: 'off|from|of|off of|out of',
    onto: 'to|on|onto|in|into',
    help: 'help|what can you do|what can i say|what can i ask|what can i do|what do you understand|how does this work|commands|hi|hello|hey|how do i use this|what are you|what can i type|hey there|hello there|hi there|how can you help|how can you help me|what do you do|what can you help with|what can you help me with',
    // Alerts
    alert:
      'tell me when|tell me if|tell me once|alert me|notify me|warn me|ping me|text me|remind me|let me know|let me know when|let me know if|alert me when|alert me if|notify me when|notify me if|warn me when|warn me if|ping me when|ping me if|text me when|text me if|remind me when|tell me as soon as|set an alert|set a price alert|set an alert for|set a price alert for|add an alert|add an alert for|make an alert|make me an alert for|create an alert|create an alert for|set an alert for when|set me an alert|alert when|alert if|give me a heads up when|give me a heads up if|send me an alert when|send me an alert if|put an alert on|set up an alert for|set up an alert|set up a price alert for|set alert|set alert for|create a price alert for|add a price alert for',
    stopalert:
      "stop telling me|stop alerting me|stop notifying me|stop warning me|stop pinging me|stop texting me|quit telling me|don't tell me|do not tell me|don't alert me|do not alert me|don't notify me|do not notify me|don't warn me|stop watching",
    about: 'about|of|on|when|if|for|regarding|concerning|with',
    anymore: 'any more|anymore|any longer',
    bymore: 'by more than|by over|more than|over|by at least|by|at least',
    aday: 'or more|in a day|in one day|a day|on the day|today|in one session',
    minutes: 'minutes|mins|min|minute',
    hour: 'hour|hourly|hours|every hour|once an hour',
    quarterhour: 'quarter hour|quarter of an hour',
    halfhour: 'half hour|half an hour',
    morning: 'morning|after the open|after open|at the open|after the market opens|at open|after the opening',
    evening: 'before the close|before close|at the close|trading day|before the market closes|day|once a day|daily',
    schedule: 'a schedule|schedule',
    // References
    last: 'last|latest|newest|most recent|the most recent|the last',
    first: 'first|the first|first one|the first one|oldest|the oldest',
    secondth: 'the second|second one|the second one',
    thirdth: 'the third|third one|the third one',
    field_limit: 'limit|limit price|lmt|price',
    field_stop: 'stop|stop price|stop loss',
    field_qty: 'quantity|size|number of shares|amount|qty|share count',
    same: 'same|the same|same thing|the same thing|do the same|do the same thing|ditto|same again|likewise',
    whatabout: 'what about|how about|and what about|and how about',
    yes: "yes|yep|yeah|yup|sure|correct|right|exactly|that's right|do it|do that|yes do it|yes do that|yes exactly|yes right|go ahead|go for it|yes please|sounds good|that's it|confirm|confirmed|perfect|affirmative|please do|yes go ahead|that one",
    // Moods
    ask: 'what|whats|which|how|hows|who|whos|whose|why|where|wheres|is|are|am|do|does|did|have|has|had|was|were|can|could|may|might|will|would|should|shall|ought|wouldnt|shouldnt|couldnt|isnt|arent|doesnt|didnt|wont|whether|suppose|imagine|wondering|wonder|when will|when is|when does|when do|when are|when should|when did|if only|can i|could i|may i|might i|can we|do i|did i|would you',
    advice:
      "i wonder if i should|i wonder if|i wonder whether|i am wondering|im wondering|could you imagine|can you imagine|what if|what happens if|how about buying|how about selling|is it smart|is it wise|is it worth|is it a good time|is now a good time|wouldnt you|shouldnt you|should i|should we|shall i|shall we|ought i|shouldn't i|would you recommend|do you recommend|what do you think|do you think|what should i|which should i|is it smart to|is it wise to|is it a good idea to|good time to|a good time to|worth buying|worth selling|a good buy|a good investment|a buy|a sell|good buy|good investment|overvalued|undervalued|recommend|your opinion|your opinion on|should|advice|advise|any tips|your advice|any recommendations|any recommendation|your take|your thoughts",
    nobody: other,
  },
};
