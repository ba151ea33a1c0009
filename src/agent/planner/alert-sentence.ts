import type { CheckTime } from '../../tools/alerts.ts';
import type { Alert } from '../../trading/alert.ts';
import type { AlertIntent, Intent } from './intent.ts';
import { NotUnderstoodError, parseAmount, WordReader } from './words.ts';

const asks =
  /^(?:(?:tell|alert|notify|warn|ping|text|remind) me|let me know|(?:set|add|make)(?: me)?(?: up)? an? (?:price )?alert(?: for)?)(?: (?:when|if|once|as soon as|that|for when))? (.+)$/i;
const falls = 'falls|drops|dips|sinks|slips';
const rises = 'rises|climbs|jumps';
const crossing = new RegExp(
  `^(.+?)(?:'s price)? (?:${falls}|${rises}|goes|gets|is|trades|moves|comes)(?: down| up| back)?(?: to)? (below|under|above|over) \\$?([\\d,]+(?:\\.\\d+)?)(?: dollars| usd)?$`,
  'i',
);
const bareCrossing = /^(.+?) (below|under|above|over) \$?([\d,]+(?:\.\d+)?)(?: dollars| usd)?$/i;
const changing = new RegExp(
  `^(.+?) (?:(${falls}|is down|goes down)|${rises}|is up|goes up)(?: by)?(?: more than| over)? (\\d{1,3}(?:\\.\\d{1,2})?) ?(?:%|percent)(?: or more)?(?: today| in a day| in one day| a day| on the day)?$`,
  'i',
);
const reaching = new RegExp(
  `^(.+?) (?:(${falls})|(${rises})|hits|reaches|touches|crosses|gets|goes|is|trades)(?: back| down| up)?(?: to| at)? \\$?[\\d,]+(?:\\.\\d+)?$`,
  'i',
);
const HINT = 'Try "tell me when AAPL falls below 180".';

/** Parses a request for an alert, such as "tell me when AAPL falls below 180". Returns undefined for other clauses. */
export function parseAlertRequest(clause: string): AlertIntent | undefined {
  const what = asks.exec(clause)?.[1];
  if (what === undefined) return undefined;
  const changed = changing.exec(what);
  if (changed !== null) {
    const [, name = '', down, percent = ''] = changed;
    return toAlertIntent(name, { [down === undefined ? 'rises_by' : 'falls_by']: `${percent}%` });
  }
  const crossed = crossing.exec(what) ?? bareCrossing.exec(what);
  if (crossed !== null) {
    const [, name = '', side = '', price = ''] = crossed;
    return toAlertIntent(name, { [/above|over/i.test(side) ? 'above' : 'below']: parseAmount(price) });
  }
  if (reaching.test(what)) {
    throw new NotUnderstoodError('Do you mean rising above that price, or falling below it?', HINT);
  }
  return undefined;
}

function toAlertIntent(name: string, condition: Omit<Alert, 'symbol'>): AlertIntent {
  return { kind: 'alert', alert: { symbol: oneSymbol(name), ...condition } };
}

function oneSymbol(text: string): string {
  const words = new WordReader(text);
  words.takeAny('the price of', 'shares of');
  const symbol = words.symbol(HINT);
  words.takeAny('stock', 'shares', 'share price', 'price');
  if (!words.done) throw new NotUnderstoodError('An alert can watch only one symbol.', HINT);
  return symbol;
}

const stopping = [
  /^(?:stop|quit) (?:telling|alerting|notifying|warning|pinging|texting) me (?:about|of|on|when|if) (\S+(?: \S+)?)$/i,
  /^(?:don't|do not) (?:tell|alert|notify|warn|ping|text) me (?:about|of|on) (\S+(?: \S+)?)(?: any ?more| any longer)?$/i,
  /^(?:remove|delete|cancel|drop|clear|turn off|stop) (?:all |all of )?(?:my |the )?(\S+(?: \S+)?) (?:price )?alerts?$/i,
  /^(?:remove|delete|cancel|drop|clear|turn off|stop) (?:all |all of )?(?:my |the )?(?:price )?alerts? (?:for|of|on|about) (\S+(?: \S+)?)$/i,
];

export function parseStopAlert(clause: string): Intent | undefined {
  const what = stopping.map((pattern) => pattern.exec(clause)?.[1]).find((found) => found !== undefined);
  return what === undefined ? undefined : { kind: 'stop_alert', symbol: oneSymbol(what) };
}

const looking =
  /^(?:check|look at|watch|look after)(?: on)? (?:my |the )?(?:price )?alerts (.+)$|^(?:add|make|set up|write) a schedule (?:that (?:checks|looks at|watches) |for |to check )(?:my |the )?(?:price )?alerts (.+)$/i;
const times: readonly (readonly [RegExp, CheckTime])[] = [
  [/^every (?:15|fifteen) min(?:ute)?s$|^every quarter (?:of an )?hour$/i, '15m'],
  [/^every (?:30|thirty) min(?:ute)?s$|^every half (?:an )?hour$/i, '30m'],
  [/^every (?:hour|60 min(?:ute)?s)$|^hourly$/i, '1h'],
  [/^(?:every day |each day |daily )?(?:after|at) (?:the )?(?:market )?open(?:ing)?$|^every morning$/i, 'open'],
  [
    /^(?:every day |each day |daily )?(?:before|at) (?:the )?(?:market )?clos(?:e|ing)$|^(?:every (?:trading )?day|daily|once a day)$/i,
    'close',
  ],
];

export function parseAlertSchedule(clause: string): (Intent & { kind: 'look' }) | undefined {
  const found = looking.exec(clause);
  const when = found?.[1] ?? found?.[2];
  if (when === undefined) return undefined;
  const every = times.find(([pattern]) => pattern.test(when))?.[1];
  if (every !== undefined) return { kind: 'look', every };
  throw new NotUnderstoodError(
    'I can check every 15 minutes, every half hour, every hour, at the open or before the close.',
    'For other times, use "trade-agent schedule add".',
  );
}
