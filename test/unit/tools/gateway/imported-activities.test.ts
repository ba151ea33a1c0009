import { expect, it } from 'vitest';
import type { GatewayClient } from '../../../../src/tools/gateway/gateway-client.ts';
import { withImportedActivities } from '../../../../src/tools/gateway/imported-activities.ts';
import { getActivities } from '../../../../src/tools/get-activities.ts';
import type { Activity } from '../../../../src/trading/activity.ts';

const deposit = (at: string, amount: string, more: Partial<Activity> = {}): Activity => ({
  ...{ id: `${at} ${amount}`, kind: 'deposit', type: 'CSD', at, symbol: null, side: null, qty: null },
  ...{ price: null, amount, ...more },
});
const broker = [deposit('2026-03-02T15:00:00Z', '300')];

/** A broker that tells of March on, in an account of any number. */
const gatewayOf = (number: string): GatewayClient =>
  ({
    clock: async () => ({ timestamp: '2026-11-26T17:00:00Z' }),
    account: async () => ({ account: number, simulated: false }),
    activities: async ({ after }: { after: number }) => broker.filter(({ at }) => Date.parse(at) > after),
    inAccount: gatewayOf,
  }) as unknown as GatewayClient;

const imported = async (account: () => Promise<string>) => {
  const amount = `${await account()}.00`;
  return [
    deposit('2025-12-01T15:00:00Z', amount, { imported: true }),
    deposit('2026-02-02T15:00:00Z', amount, { imported: true }),
    // The broker's own word is the only one by then.
    deposit('2026-03-02T18:00:00Z', amount, { imported: true }),
  ];
};

const amounts = async (gateway: GatewayClient) => {
  const args = getActivities.schema.parse({ period: 'YTD' });
  const { content } = await getActivities.execute({ session: undefined, gateway }, args);
  const { activities } = JSON.parse(content) as { activities: Activity[] };
  return activities.map(({ amount, imported: marked }) => [amount, marked]);
};

it('has imported rows before the broker’s first day, of the account that is asked about, marked as such', async () => {
  const gateway = withImportedActivities(gatewayOf('1'), imported);
  expect(await amounts(gateway)).toEqual([
    ['300', undefined],
    ['1.00', true],
  ]);
  expect(await amounts(gateway.inAccount('2'))).toEqual([
    ['300', undefined],
    ['2.00', true],
  ]);
  const late = { after: Date.parse('2026-02-03T00:00:00Z') };
  expect((await gateway.activities(late)).map(({ amount }) => amount)).toEqual(['300']);
});
