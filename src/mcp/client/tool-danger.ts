import type { McpServerTool } from './tool-text.ts';

/** Reasons why the owner must explicitly confirm a tool before it is offered to a language model. */
export type ToolDanger = 'orders' | 'money' | 'destructive';

export const toolDangerTexts: Readonly<Record<ToolDanger, string>> = {
  orders: 'can place, change or cancel orders without your phone',
  money: 'can move money without your phone',
  destructive: 'is marked as destructive by its server',
};

const readingWords = wordSet(
  'get list search find fetch read show describe check count query lookup view estimate preview history',
);
const changingWords = wordSet(
  'place submit create new add enter put make post send open replace modify amend update edit change cancel delete remove close execute roll',
);
/** Words that make a tool with "order" in its name a trading tool, even if the name also has a word such as "get". */
const onlyChangingWords = wordSet('place submit replace modify amend cancel delete execute liquidate');
const tradedNouns = wordSet('order orders trade trades position positions bracket oco option options');
const tradingVerbs = wordSet('buy sell liquidate exercise');
const transferVerbs = wordSet('transfer withdraw deposit pay payout remit swap');
const transferNouns = wordSet(
  'transfer transfers payment payments withdrawal withdrawals deposit deposits funds money cash wire ach crypto',
);

const sizes = wordSet('qty quantity shares notional amount size units contracts');
const orderIds = wordSet('order_id client_order_id orderid clientorderid order_ids');
const amounts = wordSet('amount sum notional');
const destinations = wordSet(
  'to recipient payee beneficiary destination destination_account to_account relationship_id iban bank wallet address direction',
);

/** Maximum depth to which a schema is examined. Deeper schemas are rejected anyway (tool-text.ts). */
const MAX_DEPTH = 32;

/**
 * Guesses from a tool's name, arguments and annotations whether the tool could act without approval on the phone. When
 * in doubt, it reports a danger. A name like `get_…` or the annotation `readOnlyHint` suggests a read-only tool. The
 * owner can override the result.
 * @returns undefined if the tool looks safe
 */
export function detectToolDanger({ name, inputSchema, annotations = {} }: McpServerTool): ToolDanger | undefined {
  const { readOnlyHint, destructiveHint } = annotations;
  const named = splitWords(name);
  const isNamedReader = hasAny(named, readingWords);
  const isReader = isNamedReader && readOnlyHint === true;
  const found = [nameDanger(named, isNamedReader), schemaDanger(inputSchema, isNamedReader, isReader)];
  if (found.includes('orders')) return 'orders';
  if (found.includes('money')) return 'money';
  return destructiveHint === true && readOnlyHint !== true ? 'destructive' : undefined;
}

function nameDanger(named: readonly string[], isNamedReader: boolean): ToolDanger | undefined {
  if (hasAny(named, tradedNouns) && hasAny(named, isNamedReader ? onlyChangingWords : changingWords)) return 'orders';
  if (isNamedReader) return undefined;
  if (hasAny(named, tradingVerbs) || isTradeVerb(named)) return 'orders';
  const isMove =
    hasAny(named.slice(0, 2), transferVerbs) || (hasAny(named, changingWords) && hasAny(named, transferNouns));
  return isMove ? 'money' : undefined;
}

function schemaDanger(schema: unknown, isNamedReader: boolean, isReader: boolean): ToolDanger | undefined {
  const fields = new Map<string, unknown>();
  collectFields(schema, fields, 0);
  const names = [...fields.keys()];
  if (hasAny(names, orderIds) && !isNamedReader) return 'orders';
  if (isReader) return undefined;
  if (takesSide(fields) && hasAny(names, sizes)) return 'orders';
  return hasAny(names, amounts) && hasAny(names, destinations) ? 'money' : undefined;
}

function hasAny(given: readonly string[], words: ReadonlySet<string>): boolean {
  return given.some((word) => words.has(word));
}

function wordSet(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}

/** Splits a name into words: `placeStockOrder`, `place-stock_order` and `PLACE.STOCK.ORDER` have the same words. */
function splitWords(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

/** Matches `trade_stock`, but not `trade_history`. */
function isTradeVerb(named: readonly string[]): boolean {
  const index = named.indexOf('trade');
  return (
    index !== -1 &&
    (index === named.length - 1 || /^(stocks?|shares?|crypto|equity|etf|asset)$/.test(named[index + 1] ?? ''))
  );
}

function takesSide(fields: ReadonlyMap<string, unknown>): boolean {
  return [...fields].some(([field, schema]) => {
    if (field === 'side' || field === 'order_side' || field === 'buy_sell') return true;
    const { enum: values } = (schema ?? {}) as { readonly enum?: unknown };
    if (!Array.isArray(values)) return false;
    const lower = values.map((value) => String(value).toLowerCase());
    return lower.some((value) => value.startsWith('buy')) && lower.some((value) => value.startsWith('sell'));
  });
}

function collectFields(schema: unknown, fields: Map<string, unknown>, depth: number): void {
  if (typeof schema !== 'object' || schema === null || depth > MAX_DEPTH) return;
  for (const [key, member] of Object.entries(schema)) {
    if (key === 'properties' && typeof member === 'object' && member !== null) {
      for (const [field, of] of Object.entries(member)) fields.set(field.toLowerCase(), of);
    }
    collectFields(member, fields, depth + 1);
  }
}
