import { describe, expect, it } from 'vitest';
import { alpacaTraits } from '../../../../src/gateway/broker/alpaca/traits.ts';
import { evaluatePolicy } from '../../../../src/gateway/policy/decide.ts';
import { computeNetDepositsToday, readCashFlows } from '../../../../src/gateway/policy/order-world.ts';
import type { Rules } from '../../../../src/gateway/policy/rules.ts';
import type { Activity } from '../../../../src/trading/activity.ts';
import { factsOf, NOON, subject, world } from './sound-order.ts';

const rules: Rules = {
  digest: 'of the rules',
  limitsOf: () => ({ max_day_loss: '500' }),
  cedar: { evaluate: () => ({ forbidden: [] }) },
};
/** Worth as much as at the last close. */
const account = { ...world.account, last_equity_on: '2026-11-23' };

/** A broker that lists deposits of today, newest first, with these amounts: one on each page. */
function depositsOf(amounts: readonly string[]): Parameters<typeof readCashFlows>[0] {
  return {
    traits: alpacaTraits,
    async activities({ page = '0' }) {
      const next = Number(page) + 1;
      const deposit: Activity = {
        ...{ id: `deposit ${page}`, kind: 'deposit', type: 'CSD', at: '2026-11-24T14:00:00Z' },
        ...{ symbol: null, side: null, qty: null, price: null, amount: amounts[Number(page)] ?? '0' },
      };
      return { activities: [deposit], next_page: next < amounts.length ? String(next) : null };
    },
  };
}

/** Whether an order may go out, with a limit of $500 on the day's loss. */
async function decidedWith(amounts: readonly string[]) {
  const flows = await readCashFlows(depositsOf(amounts), account);
  const dayFlow = computeNetDepositsToday(flows, account, { positions: [], now: NOON });
  const { effect, reasons } = evaluatePolicy(rules, subject, 'place', factsOf({ world: { account, dayFlow } }));
  return { effect, reasons };
}

const small = (pages: number) => Array<string>(pages).fill('1');

describe('the limit on the loss of a day', () => {
  it('counts the deposits of all pages', async () => {
    expect(await decidedWith(small(10))).toEqual({ effect: 'allow', reasons: [] });
    const { effect, reasons } = await decidedWith([...small(9), '10000']);
    expect([effect, reasons]).toEqual(['deny', expect.arrayContaining(['LOSS_EXCEEDS_MAX_PER_DAY'])]);
  });

  it('lets nothing be bought if there are more pages of deposits than are read', async () => {
    expect(await decidedWith([...small(10), '10000'])).toEqual({
      effect: 'deny',
      reasons: ['FACT_UNAVAILABLE'],
    });
  });
});
