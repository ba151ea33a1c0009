import type { Alpaca, marketData } from '@alpacahq/alpaca-trade-api/rest';
import { safeLine } from '../../../text/sanitize.ts';
import { Dec } from '../../../trading/decimal.ts';
import {
  type Article,
  articleSchema,
  type CorporateAction,
  type corporateActionKinds,
  corporateActionSchema,
  MAX_ARTICLE_SYMBOLS,
  MAX_HEADLINE_LENGTH,
  MAX_SOURCE_NAME_LENGTH,
  MAX_SUMMARY_LENGTH,
} from '../../../trading/market-news.ts';
import type { Broker, CorporateActions } from '../broker.ts';
import { toIsoDate } from './activities.ts';

export type ReadFromAlpaca = <T>(call: (client: Alpaca) => Promise<T>) => Promise<T>;

/** Reads `/v1beta1/news` and `/v1/corporate-actions` of the Market Data API. */
export function createAlpacaNewsMethods(
  read: ReadFromAlpaca,
  simulated: boolean,
): Pick<Broker, 'news' | 'corporateActions'> {
  return {
    news: ({ symbols, limit }) =>
      read(async ({ marketData }) => {
        const { news } = await marketData.news.news({
          sort: 'desc',
          limit,
          // The content is left out because it is long third-party HTML.
          includeContent: false,
          ...(symbols.length === 0 ? {} : { symbols: symbols.join(',') }),
        });
        return news.map((article) => articleView(article, simulated));
      }),
    corporateActions: ({ symbols, start, end, limit }) =>
      read(async ({ marketData }) =>
        corporateActionsView(
          await marketData.corporateActions.corporateActions({
            symbols: symbols.join(','),
            start: new Date(start),
            end: new Date(end),
            sort: 'asc',
            limit,
          }),
          simulated,
        ),
      ),
  };
}

function articleView(article: marketData.News, simulated: boolean): Article {
  return articleSchema.parse({
    id: String(article.id),
    headline: safeLine(article.headline, MAX_HEADLINE_LENGTH),
    summary: safeLine(article.summary ?? '', MAX_SUMMARY_LENGTH),
    source: safeLine(article.source ?? '', MAX_SOURCE_NAME_LENGTH),
    author: safeLine(article.author ?? '', MAX_SOURCE_NAME_LENGTH),
    url: linkOf(article.url),
    symbols: (article.symbols ?? []).filter(isSymbol).slice(0, MAX_ARTICLE_SYMBOLS),
    at: new Date(article.createdAt).toISOString(),
    simulated,
  });
}

const LONGEST_URL = 500;

function linkOf(url: string | null | undefined): string | null {
  if (url == null || url.length > LONGEST_URL || !URL.canParse(url)) return null;
  const { protocol, href } = new URL(url);
  return protocol === 'https:' ? href : null;
}

/** Returns whether the text is a symbol, possibly of another market (`BTCUSD`), and not a sentence. */
const isSymbol = (text: string) => /^[A-Z0-9./]{1,15}$/.test(text);

const kindOfList: Readonly<Record<string, (typeof corporateActionKinds)[number]>> = {
  cashDividends: 'cash_dividend',
  stockDividends: 'stock_dividend',
  forwardSplits: 'forward_split',
  reverseSplits: 'reverse_split',
  unitSplits: 'unit_split',
  spinOffs: 'spin_off',
  cashMergers: 'cash_merger',
  stockMergers: 'stock_merger',
  stockAndCashMergers: 'stock_and_cash_merger',
  nameChanges: 'name_change',
  redemptions: 'redemption',
  rightsDistributions: 'rights_distribution',
  worthlessRemovals: 'worthless_removal',
  reorganizations: 'reorganization',
  partialCalls: 'partial_call',
};

type AnyAction = Partial<
  Record<'symbol' | 'oldSymbol' | 'sourceSymbol' | 'acquireeSymbol' | 'newSymbol' | 'acquirerSymbol', string> &
    Record<
      'rate' | 'cashRate' | 'price' | 'newRate' | 'oldRate' | 'sourceRate' | 'acquirerRate' | 'acquireeRate',
      number
    > &
    Record<'exDate' | 'effectiveDate' | 'recordDate' | 'payableDate' | 'processDate', Date | string> & {
      id: string;
    }
>;

/** The kinds of corporate actions whose `rate` is in dollars per share. */
const PAYS_RATE = new Set(['cash_dividend', 'cash_merger', 'redemption']);
const GIVES_RATE = new Set(['stock_dividend', 'rights_distribution']);

/** Converts corporate actions, earliest first. Leaves out actions of an unknown kind. */
function corporateActionsView(answer: marketData.CorporateActionsResp, simulated: boolean): CorporateActions {
  const actions = Object.entries(answer.corporateActions as Record<string, readonly AnyAction[]>)
    .flatMap(([list, rows]) => {
      const kind = Object.hasOwn(kindOfList, list) ? kindOfList[list] : undefined;
      return kind === undefined ? [] : (rows ?? []).map((row) => actionView(kind, row, simulated));
    })
    .sort((a, b) => order(a).localeCompare(order(b)));
  return { actions, more: answer.nextPageToken != null && answer.nextPageToken !== '' };
}

/** Returns a key that sorts actions as Alpaca does. The limit therefore leaves out the latest actions. */
const order = ({ process_date, symbol, id }: CorporateAction) => `${process_date} ${symbol} ${id}`;

function actionView(kind: (typeof corporateActionKinds)[number], row: AnyAction, simulated: boolean): CorporateAction {
  const amount = (value: number | undefined) =>
    value === undefined ? null : new Dec(String(value)).toDecimalPlaces(12).toFixed();
  const date = (value: Date | string | undefined) => (value === undefined ? null : toIsoDate(value));
  const gives = GIVES_RATE.has(kind);
  return corporateActionSchema.parse({
    id: row.id,
    kind,
    symbol: row.symbol ?? row.oldSymbol ?? row.sourceSymbol ?? row.acquireeSymbol,
    other_symbol: row.newSymbol || row.acquirerSymbol || null,
    cash: amount(PAYS_RATE.has(kind) ? row.rate : (row.cashRate ?? row.price)),
    new_shares: amount(gives ? row.rate : (row.newRate ?? row.acquirerRate)),
    old_shares: gives ? '1' : amount(row.oldRate ?? row.sourceRate ?? row.acquireeRate),
    ex_date: date(row.exDate ?? row.effectiveDate),
    record_date: date(row.recordDate),
    payable_date: date(row.payableDate),
    process_date: date(row.processDate),
    simulated,
  });
}
