import { contractWords } from './contract-words.ts';
import { type OrderField, orderFrameFields, orderTermFields, shownDollars } from './order-fields.ts';

export interface DetailField {
  readonly name: string;
  readonly label: string;
  readonly text: string;
  /** Only machines compare it; shown below the others. */
  readonly technical: boolean;
}

export type FieldWords = Readonly<
  Record<
    string,
    Pick<OrderField, 'label'> & Partial<Pick<OrderField, 'shown'>> & { readonly technical?: true }
  >
>;

const { expires_at, ...frame } = orderFrameFields;

/** In the order they are read, by the details' names: there `type` is RFC 9396's, and the order's own is `order_type`. */
const orderWords: FieldWords = Object.fromEntries(
  Object.entries({ ...orderTermFields, ...frame }).map(([name, words]) => [
    name === 'type' ? 'order_type' : name,
    words,
  ]),
);

const lastWords: FieldWords = {
  id: { label: "Broker's id" },
  asset_class: { label: 'Asset class' },
  status: { label: 'Status' },
  filled_qty: { label: 'Filled so far' },
  filled_avg_price: { label: 'Filled at', shown: orderTermFields.reference_price.shown },
  submitted_at: { label: 'Submitted at' },
  expires_at,
  type: { label: 'Kind', technical: true },
  actions: { label: 'May be used to', technical: true },
  locations: { label: 'Only at', technical: true },
  identifier: { label: 'Identifier', technical: true },
  proposal: { label: 'Proposal', technical: true },
  digest: { label: 'Digest', technical: true },
};

/**
 * Every field, none left out: one without words is shown first, under its own name, because people must see what
 * they approve. @param own words for fields that orders don't have
 */
export function detailFields(
  details: Readonly<Record<string, unknown>>,
  own: FieldWords = {},
): DetailField[] {
  const known: FieldWords = { ...orderWords, ...own, ...lastWords };
  const unknown = Object.keys(details).filter((name) => !Object.hasOwn(known, name));
  const symbol = plainText(details.symbol);
  const names = [...unknown, ...Object.keys(known).filter((name) => details[name] !== undefined)];
  return names.map((name) => {
    const words = wordsFor(name, known);
    const raw = plainText(details[name]);
    return {
      name,
      label: words?.label ?? name,
      text: words?.shown?.(raw, symbol) ?? raw,
      technical: words?.technical ?? false,
    };
  });
}

export function fieldLabel(name: string, own: FieldWords = {}): string {
  return wordsFor(name, { ...orderWords, ...own, ...lastWords })?.label ?? name;
}

function wordsFor(name: string, known: FieldWords): FieldWords[string] | undefined {
  return Object.hasOwn(known, name) ? known[name] : undefined;
}

export function environmentOf({ environment }: Readonly<Record<string, unknown>>): string | undefined {
  return environment === undefined ? undefined : plainText(environment);
}

/** The order in one line: `Buy 5 AAPL`, `Sell $500.00 of MSFT`, `Buy 1 AAPL 18 Dec 2026 $190 call`. */
export function orderHeadline(details: Readonly<Record<string, unknown>>): string {
  const action = orderTermFields.side.shown(plainText(details.side));
  const symbol = contractWords(plainText(details.symbol));
  return details.qty !== undefined
    ? `${action} ${plainText(details.qty)} ${symbol}`
    : `${action} ${shownDollars(plainText(details.notional))} of ${symbol}`;
}

/** The terms under the headline: `Limit order at $180.00 · Day`, and its exits: `take profit $200.00 · stop loss $170.00`. */
export function orderTerms(details: Readonly<Record<string, unknown>>): string {
  const price = (name: string) => (details[name] === undefined ? undefined : `$${plainText(details[name])}`);
  const percent = details.trail_percent === undefined ? undefined : `${plainText(details.trail_percent)} %`;
  const trail = price('trail_price') ?? percent;
  const type = orderTermFields.type.shown(plainText(details.order_type));
  const at = priceWords(price('stop_price'), price('limit_price'), trail);
  const profit = price('take_profit_limit_price');
  const stopLoss = price('stop_loss_stop_price');
  const stopLimit = price('stop_loss_limit_price');
  return [
    // Exits of what is held have no order before them.
    ...(details.order_class === 'oco' ? [] : [`${type} order${at}`]),
    ...(profit === undefined ? [] : [`take profit ${profit}`]),
    ...(stopLoss === undefined
      ? []
      : [`stop loss ${stopLoss}${stopLimit === undefined ? '' : ` limit ${stopLimit}`}`]),
    orderTermFields.time_in_force.shown(plainText(details.time_in_force)),
  ].join(' · ');
}

function priceWords(stop?: string, limit?: string, trail?: string): string {
  if (stop !== undefined && limit !== undefined) return `: stop ${stop}, limit ${limit}`;
  if (trail !== undefined) return ` by ${trail}`;
  const at = stop ?? limit;
  return at === undefined ? '' : ` at ${at}`;
}

export function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ');
  return JSON.stringify(value) ?? '';
}
