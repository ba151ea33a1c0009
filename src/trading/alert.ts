import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import { english, type Phrase, phrase, type Say } from '../text/phrase.ts';
import { formatSharePrice } from './amounts.ts';
import { positiveDecimalString } from './decimal.ts';
import { symbolSchema } from './order.ts';

const percentageSchema = () =>
  z
    .string()
    .regex(/^[0-9]{1,3}(\.[0-9]{1,2})?%$/, 'must be a percentage with a percent sign, such as 5%')
    .refine((text) => !/^[0.]*%$/.test(text), 'must be greater than zero');

const alertConditions = ['above', 'below', 'rises_by', 'falls_by'] as const;
type AlertCondition = (typeof alertConditions)[number];

/** A symbol and exactly one condition. Prices are dollars a share. Percentages are changes since the last close. */
export const alertSchema = z.lazy(() =>
  z
    .strictObject({
      symbol: symbolSchema,
      above: positiveDecimalString.optional().describe('Dollars a share. Notifies once when the price is above this'),
      below: positiveDecimalString.optional().describe('Dollars a share. Notifies once when the price is below this'),
      rises_by: percentageSchema()
        .optional()
        .describe('Notifies once when the price has risen by more than this today, such as 5%'),
      falls_by: percentageSchema()
        .optional()
        .describe('Notifies once when the price has fallen by more than this today, such as 5%'),
    })
    .refine(
      (alert) => alertConditions.filter((name) => alert[name] !== undefined).length === 1,
      'needs exactly one of above, below, rises_by and falls_by',
    ),
);
export type Alert = z.output<typeof alertSchema>;

export function alertCondition(alert: Alert): { readonly condition: AlertCondition; readonly limit: string } {
  const condition = alertConditions.find((name) => alert[name] !== undefined) ?? 'above';
  return { condition, limit: alert[condition] ?? '' };
}

const conditionPhrases: Readonly<Record<AlertCondition, (symbol: string, limit: string) => Phrase>> = {
  above: (symbol, limit) => phrase`${symbol} rises above ${formatSharePrice(limit)}`,
  below: (symbol, limit) => phrase`${symbol} falls below ${formatSharePrice(limit)}`,
  rises_by: (symbol, limit) => phrase`${symbol} rises by more than ${limit} in a day`,
  falls_by: (symbol, limit) => phrase`${symbol} falls by more than ${limit} in a day`,
};

export function describeAlert(alert: Alert, say: Say = english): string {
  const { condition, limit } = alertCondition(alert);
  return conditionPhrases[condition](alert.symbol, limit).in(say);
}

const comparisons = {
  '<': { sign: '-', price: 'below', percentage: 'falls_by' },
  '>': { sign: '+', price: 'above', percentage: 'rises_by' },
} as const;

/** Parses `AAPL<180`, `AAPL >= 200` or `AAPL<-5%`. `>=` is treated as `>`. @throws {TradeAgentError} `usage` */
export function parseAlert(text: string): Alert {
  const [, symbol, comparison, limit = ''] = /^\s*([^\s<>=]+)\s*([<>])=?\s*([^\s<>=]+)\s*$/.exec(text) ?? [];
  if (symbol === undefined) throw invalidAlert(text);
  const { sign, price, percentage } = comparisons[comparison === '<' ? '<' : '>'];
  const isPercent = limit.endsWith('%');
  // "AAPL<5%" is ambiguous: it could mean a fall of 5% or a rise of less than 5%.
  if (isPercent && !limit.startsWith(sign)) {
    const meant = `${symbol}${comparison}${sign}${limit.replace(/^[-+]/, '')}`;
    throw invalidAlert(text, `Put a plus or minus sign before the percentage: '${meant}'.`);
  }
  const value = limit.replace(isPercent ? /^[-+]/ : /^\$/, '');
  const parsed = alertSchema.safeParse({ symbol, [isPercent ? percentage : price]: value });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalidAlert(text, `${issue?.path[0] === 'symbol' ? symbol : limit} ${issue?.message}.`);
}

function invalidAlert(text: string, hint?: string): TradeAgentError {
  return new TradeAgentError('usage', `"${text}" is not an alert`, {
    hint:
      hint ??
      "Use a symbol, < or >, and a price or the day's change, in single quotes: 'AAPL<180', 'NVDA>150', 'AAPL<-5%'.",
  });
}
