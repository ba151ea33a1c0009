import type { Alpaca } from '@alpacahq/alpaca-trade-api';
import { afterEach, beforeEach, expect } from 'vitest';
import { ADMIN_SECRET, refusal, startWorld, type World } from './paper-broker-world.ts';

/** The broker of the test that runs, and somebody's SDK there; `open` and `logIn` set them again. */
export let world: World;
export let alpaca: Alpaca;
export let trading: Alpaca['trading'];
export let orders: Alpaca['trading']['orders'];

type Options = Parameters<typeof startWorld>[0];

export async function logIn(username: 'alice' | 'bob' = 'alice'): Promise<void> {
  alpaca = await world.alpaca(username);
  ({ trading } = alpaca);
  ({ orders } = trading);
}

export async function open(options?: Options, username?: 'alice' | 'bob'): Promise<void> {
  await world?.close();
  world = await startWorld(options);
  await logIn(username);
}

export function eachWithBroker(options?: Options, username?: 'alice' | 'bob'): void {
  beforeEach(() => open(options, username));
  afterEach(() => world.close());
}

type Posted = Parameters<typeof orders.postOrder>[0]['postOrderRequest'];
export const placing =
  (terms: object) =>
  (changes: object = {}, by = orders) =>
    by.postOrder({ postOrderRequest: { ...terms, ...changes } as Posted });

type Known = { id?: string | undefined };
const idOf = ({ id = '' }: Known) => ({ orderId: id });
export const read = (order: Known, how: { nested?: boolean } = {}, by = orders) =>
  by.getOrderByOrderID({ ...idOf(order), ...how });
export const cancel = (order: Known, by = orders) => by.deleteOrderByOrderID(idOf(order));
export const patch = (order: Known, patchOrderRequest: Record<string, string>, by = orders) =>
  by.patchOrderByOrderId({ ...idOf(order), patchOrderRequest });
export const byClientId = (clientOrderId: string) => orders.getOrderByClientOrderId({ clientOrderId });
export const position = (symbolOrAssetId: string) => trading.positions.getOpenPosition({ symbolOrAssetId });
export const closeOut = (symbolOrAssetId: string, how: { qty?: number; percentage?: number } = {}) =>
  trading.positions.deleteOpenPosition({ symbolOrAssetId, ...how });
export const account = () => trading.account.getAccount();
export const cash = async () => Number((await account()).cash);
export const held = async () =>
  Object.fromEntries((await trading.positions.getAllOpenPositions()).map(({ symbol, qty }) => [symbol, qty]));
export const statuses = () => world.broker.book().map(({ status }) => status);

/** The first order that fills in parts; which do follows from the client_order_id. */
export async function inParts<T extends { status?: string }>(
  place: (clientOrderId: string) => Promise<T>,
  otherwise: () => Promise<unknown> = async () => {},
): Promise<T> {
  for (let i = 0; ; i++) {
    expect(i).toBeLessThan(60);
    const order = await place(`ta-${i}`);
    if (order.status === 'partially_filled') return order;
    await otherwise();
  }
}

/** @param how its status, its code, and what its message holds */
export async function refused(work: Promise<unknown>, ...how: (number | string | RegExp)[]): Promise<void> {
  const told = await refusal(work);
  for (const part of how) {
    if (typeof part !== 'number') expect(told.message).toMatch(part);
    else expect(part < 1000 ? told.status : told.code).toBe(part);
  }
}

export async function admin(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown, secret = ADMIN_SECRET) {
  const answer = await fetch(`${world.url}/admin/${path}`, {
    method,
    body: body === undefined ? null : JSON.stringify(body),
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
