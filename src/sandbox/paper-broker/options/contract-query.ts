import { z } from 'zod';
import type { ListedContract } from '../../instruments/option-contracts.ts';
import { addDays, type IsoDate, weekday } from '../../market/new-york-time.ts';

const date = z.iso.date().optional();
const strike = z.coerce.number().nonnegative().optional();

/** By what contracts are asked for, at the trading address and at that of market data. */
export const contractQuery = z.object({
  expiration_date: date,
  expiration_date_gte: date,
  expiration_date_lte: date,
  type: z.enum(['call', 'put']).optional(),
  root_symbol: z.string().optional(),
  strike_price_gte: strike,
  strike_price_lte: strike,
  page_token: z.string().optional(),
});
export type ContractQuery = z.output<typeof contractQuery>;

export function matches(contract: ListedContract, query: ContractQuery): boolean {
  const { expiry, right, underlying } = contract;
  const at = Number(contract.strike);
  return (
    (query.expiration_date === undefined || expiry === query.expiration_date) &&
    (query.expiration_date_gte === undefined || expiry >= query.expiration_date_gte) &&
    (query.expiration_date_lte === undefined || expiry <= query.expiration_date_lte) &&
    (query.type === undefined || right === query.type) &&
    (query.root_symbol === undefined || underlying === query.root_symbol) &&
    (query.strike_price_gte === undefined || at >= query.strike_price_gte) &&
    (query.strike_price_lte === undefined || at <= query.strike_price_lte)
  );
}

const SATURDAY = 6;
/** The last day before which contracts are told unless a day is asked for. */
export const upcomingWeekend = (today: IsoDate): IsoDate =>
  addDays(today, (SATURDAY - weekday(today) + 7) % 7);

/** A page of what is found one after another. @param token where it begins, as the page before told; NaN where it is none */
export function pageFrom<T>(found: Iterable<T>, limit: number, token: string | undefined) {
  const from = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString());
  const page: T[] = [];
  let index = 0;
  for (const one of found) {
    if (index++ < from) continue;
    if (page.length === limit) {
      return { page, next: Buffer.from(String(from + limit)).toString('base64url') };
    }
    page.push(one);
  }
  return { page, next: null };
}
