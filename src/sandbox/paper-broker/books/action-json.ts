import {
  actionSubject,
  type CorporateAction,
  type CorporateActionList,
  corporateActionLists,
  effectiveDate,
  processDate,
} from '../../market/corporate-action.ts';
import { stableUuid } from './tradable-asset.ts';

export function actionId(action: CorporateAction): string {
  return stableUuid(`corporate action:${action.kind}:${actionSubject(action)}:${effectiveDate(action)}`);
}

function cusip(symbol: string): string {
  return stableUuid(`cusip:${symbol}`).replaceAll('-', '').slice(0, 9).toUpperCase();
}

export function actionListName({ kind }: CorporateAction): CorporateActionList {
  const list = Object.entries(corporateActionLists).find(([, schema]) => schema.shape.kind.unwrap().value === kind);
  if (list === undefined) throw new Error(`no list of ${kind}`);
  return list[0] as CorporateActionList;
}

/** Returns an action in Alpaca's schema for its kind. Rates are JSON numbers, as the API contract requires. */
export function actionJson(action: CorporateAction): Record<string, unknown> {
  const { kind, ...terms } = action;
  const told = Object.entries(terms).flatMap(([name, value]): [string, unknown][] => {
    if (name.endsWith('rate')) return [[name, Number(value)]];
    if (name === 'symbol' && kind === 'reverse_split') {
      return [
        [name, value],
        ['old_cusip', cusip(String(value))],
        ['new_cusip', cusip(`${value} after`)],
      ];
    }
    if (name.endsWith('symbol'))
      return [
        [name, value],
        [name.replace('symbol', 'cusip'), cusip(String(value))],
      ];
    return [[name, value]];
  });
  const ex = 'ex_date' in action ? { record_date: action.ex_date } : {};
  return {
    id: actionId(action),
    ...Object.fromEntries(told),
    ...ex,
    ...(kind === 'cash_dividend' ? { foreign: false } : {}),
    ...(kind === 'name_change' ? {} : { payable_date: processDate(action) }),
    process_date: processDate(action),
  };
}
