import type { Say } from '../../text/phrase.ts';

export const helpText = (
  say: Say,
): string => say`I am the built-in planner. I use a small grammar, not a language model. I understand

- **prices**: \`AAPL\`, \`quote AAPL\`, \`price of apple and nvidia\`, \`chart AAPL 6 months\`, \`is the market open?\`
- **your account**: \`what do I own\`, \`how am I doing\`, \`how much did I make today\`, \`biggest position\`, \`my AAPL position\`, \`cash\`, \`who am I\`
- **orders**: \`open orders\`, \`all orders\`, \`cancel my last order\`, \`cancel my AAPL order\`, \`cancel all orders\`, \`change my AAPL order to limit 185\`
- **buying and selling**: \`buy 5 AAPL\`, \`buy 5 AAPL limit 180 gtc\`, \`buy $500 of microsoft\`, \`sell half my MSFT\`, \`close my NVDA\`, \`sell 10 TSLA stop 200\`, \`sell 10 TSLA stop 200 limit 199\`, \`sell 10 TSLA trailing stop 5%\`, \`buy 5 AAPL at 180 extended hours\`, \`buy 5 AAPL with a stop at 170 and take profit at 200\`, \`sell 5 AAPL at 200 or stop 170\`
- **risk, tax, rules**: \`what's my risk\`, \`my lots of NVDA\`, \`would selling KO be a wash sale?\`, \`would 5 AAPL pass my rules?\`, \`any findings?\`
- **rebalancing**: \`rebalance to 60% VTI 40% BND\`
- **recurring and conditional orders**: \`buy $200 of VTI every Monday\`, \`buy 5 AAPL every trading day at 11:30 until December 18\`, \`sell 5 NVDA if it falls below 100 before Friday\`
- **alerts**: \`tell me when AAPL falls below 180\`, \`alert me if NVDA rises by more than 5% today\`, \`what alerts do I have?\`, \`stop telling me about AAPL\`, \`check my alerts every 15 minutes\`
- **follow-ups**: \`what about MSFT?\`, \`the same for KO\`
- **messages**: \`send my portfolio to slack #trading\`, \`email my portfolio to bob@example.com\`
- several requests at once, joined by \`and\` or \`;\`, and requests in German, Spanish, French, Portuguese, Chinese, Japanese and Korean

In a terminal, put a sentence with a \`$\` in single quotes: \`trade-agent run 'buy $250 of NVDA'\`.

Every order and every message goes to your phone first; nothing is traded or sent until you approve it there.`;
