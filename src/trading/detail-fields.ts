import { describeOptionSymbol } from './contract-words.ts';
import { formatDollars, type OrderField, orderContextFields, orderTermFields } from './order-fields.ts';

export interface DetailField {
  readonly name: string;
  readonly label: string;
  readonly text: string;
  /** Whether the field is useful only to programs, as a digest is. Technical fields are shown below the others. */
  readonly technical: boolean;
}

export type FieldWords = Readonly<
  Record<string, Pick<OrderField, 'label'> & Partial<Pick<OrderField, 'shown'>> & { readonly technical?: true }>
>;

const { expires_at, ...frame } = orderContextFields;

/** Labels and formats by name, in display order. RFC 9396 reserves `type`, so an order's type is `order_type`. */
const orderFields: FieldWords = Object.fromEntries(
  Object.entries({ ...orderTermFields, ...frame }).map(([name, words]) => [
    name === 'type' ? 'order_type' : name,
    words,
  ]),
);

const trailingFields: FieldWords = {
  id: { label: "Broker's order ID" },
  asset_class: { label: 'Asset class' },
  status: { label: 'Status' },
  filled_qty: { label: 'Filled so far' },
  filled_avg_price: { label: 'Filled at', shown: orderTermFields.reference_price.shown },
  submitted_at: { label: 'Submitted at' },
  expires_at,
  type: { label: 'Kind', technical: true },
  actions: { label: 'Permitted actions', technical: true },
  locations: { label: 'Valid only at', technical: true },
  identifier: { label: 'Identifier', technical: true },
  proposal: { label: 'Proposal', technical: true },
  digest: { label: 'Digest', technical: true },
};

/**
 * Returns every field for display. A field without a label comes first, under its raw name, because people must see
 * everything they approve.
 * @param own labels for fields that orders don't have
 */
export function toDetailFields(details: Readonly<Record<string, unknown>>, own: FieldWords = {}): DetailField[] {
  const known: FieldWords = { ...orderFields, ...own, ...trailingFields };
  const unknown = Object.keys(details).filter((name) => !Object.hasOwn(known, name));
  const symbol = toPlainText(details.symbol);
  const names = [...unknown, ...Object.keys(known).filter((name) => details[name] !== undefined)];
  return names.map((name) => {
    const words = findFieldWords(name, known);
    const raw = toPlainText(details[name]);
    return {
      name,
      label: words?.label ?? name,
      text: words?.shown?.(raw, symbol) ?? raw,
      technical: words?.technical ?? false,
    };
  });
}

export function fieldLabel(name: string, own: FieldWords = {}): string {
  return findFieldWords(name, { ...orderFields, ...own, ...trailingFields })?.label ?? name;
}

function findFieldWords(name: string, known: FieldWords): FieldWords[string] | undefined {
  return Object.hasOwn(known, name) ? known[name] : undefined;
}

export function detailsEnvironment({ environment }: Readonly<Record<string, unknown>>): string | undefined {
  return environment === undefined ? undefined : toPlainText(environment);
}

/** Describes the order in one line: `Buy 5 AAPL`, `Sell $500.00 of MSFT`, `Buy 1 AAPL Dec 18 2026 $190 call`. */
export function detailsHeadline(details: Readonly<Record<string, unknown>>): string {
  const action = orderTermFields.side.shown(toPlainText(details.side));
  const symbol = describeOptionSymbol(toPlainText(details.symbol));
  return details.qty !== undefined
    ? `${action} ${toPlainText(details.qty)} ${symbol}`
    : `${action} ${formatDollars(toPlainText(details.notional))} of ${symbol}`;
}

/** Describes the terms below the headline: `Limit order at $180.00 · take profit $200.00 · stop loss $170.00 · Day`. */
export function detailsTerms(details: Readonly<Record<string, unknown>>): string {
  const price = (name: string) => (details[name] === undefined ? undefined : `$${toPlainText(details[name])}`);
  const percent = details.trail_percent === undefined ? undefined : `${toPlainText(details.trail_percent)}%`;
  const trail = price('trail_price') ?? percent;
  const type = orderTermFields.type.shown(toPlainText(details.order_type));
  const at = formatPriceTerms(price('stop_price'), price('limit_price'), trail);
  const profit = price('take_profit_limit_price');
  const stopLoss = price('stop_loss_stop_price');
  const stopLimit = price('stop_loss_limit_price');
  return [
    // An OCO has no entry order, only the exits of a held position.
    ...(details.order_class === 'oco' ? [] : [`${type} order${at}`]),
    ...(profit === undefined ? [] : [`take profit ${profit}`]),
    ...(stopLoss === undefined ? [] : [`stop loss ${stopLoss}${stopLimit === undefined ? '' : ` limit ${stopLimit}`}`]),
    orderTermFields.time_in_force.shown(toPlainText(details.time_in_force)),
  ].join(' · ');
}

function formatPriceTerms(stop?: string, limit?: string, trail?: string): string {
  if (stop !== undefined && limit !== undefined) return `: stop ${stop}, limit ${limit}`;
  if (trail !== undefined) return ` by ${trail}`;
  const at = stop ?? limit;
  return at === undefined ? '' : ` at ${at}`;
}

export function toPlainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ');
  return JSON.stringify(value) ?? '';
}
