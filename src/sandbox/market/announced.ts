import { Dec } from '../../trading/decimal.ts';
import {
  type CorporateAction,
  effectiveAt,
  endsSymbol,
  otherSymbolOf,
  subjectOf,
} from './corporate-action.ts';

export type Announced = ReturnType<typeof announced>;

export function announced() {
  const all: CorporateAction[] = [];
  /** The former symbol, and when it changed. */
  const before = (symbol: string) => {
    const change = all.find((action) => action.kind === 'name_change' && action.new_symbol === symbol);
    return change === undefined ? undefined : { symbol: subjectOf(change), until: effectiveAt(change) };
  };
  const splitFactor = (symbol: string, after: number, upTo: number): Dec => {
    const older = before(symbol);
    let factor = older === undefined ? new Dec(1) : splitFactor(older.symbol, after, upTo);
    for (const action of all) {
      if (action.kind !== 'forward_split' && action.kind !== 'reverse_split') continue;
      const at = effectiveAt(action);
      if (action.symbol === symbol && at > after && at <= upTo)
        factor = factor.times(action.old_rate).div(action.new_rate);
    }
    return factor;
  };
  return {
    all,
    endOf(symbol: string) {
      const end = all.find((action) => endsSymbol(action) && subjectOf(action) === symbol);
      return end === undefined ? undefined : effectiveAt(end);
    },
    before,
    splitFactor,
  };
}

/** Why an action can't be announced; undefined if it can. */
export function whyNot(
  action: CorporateAction,
  known: Announced,
  hasPrices: (symbol: string) => boolean,
): string | undefined {
  const subject = subjectOf(action);
  const other = otherSymbolOf(action);
  if (!hasPrices(subject)) return `the market has no ${subject}`;
  if (known.endOf(subject) !== undefined) return `${subject} ends already, by what was announced before`;
  if (other === undefined) return undefined;
  if (other === subject) return `${subject} can’t become itself`;
  if (action.kind === 'name_change') return hasPrices(other) ? `${other} is another company’s` : undefined;
  return hasPrices(other) ? undefined : `the market has no prices of ${other}`;
}
