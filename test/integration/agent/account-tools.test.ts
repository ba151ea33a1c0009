import { beforeAll, describe, expect, it } from 'vitest';
import type { Agent } from '../../../src/agent/agent.ts';
import { createOwnRules } from '../../../src/app/own-rules.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { createGatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import type { Activity } from '../../../src/trading/activity.ts';
import { sandboxWorld } from './sandbox-world.ts';
import { options, play } from './world.ts';

function importedIn(account: string): Activity[] {
  const row = (at: string, side: 'buy' | 'sell', price: string): Activity => ({
    ...{ id: `${account} ${at}`, kind: 'fill', type: 'FILL', at, symbol: 'XYZ', side, qty: '2', price },
    ...{ amount: null, imported: true },
  });
  return [row('2014-03-03T15:00:00Z', 'buy', '10'), row('2015-06-01T15:00:00Z', 'sell', '20')];
}

describe('on the sandbox', () => {
  const world = sandboxWorld();
  let agent: Agent;
  beforeAll(async () => {
    const session = await world.session();
    agent = await world.agent({
      session,
      imported: async (account) => importedIn(await account()),
      ownRules: createOwnRules({
        clock: systemClock,
        gateway: async () => createGatewayClient(session),
        home: async () => world.home,
        profile: async () => world.profile,
        requireSession: async () => session,
        store: async () => world.store,
      }),
    });
  });

  const asked = async (prompt: string) => {
    const { result } = await play(agent.run({ prompt }, options()));
    return { status: result.status, text: result.text, content: result.data[0]?.content as never };
  };

  it('answers what the account’s risk, lots, wash sales, rules and findings are', async () => {
    const risk = await asked("what's my risk");
    expect(risk).toMatchObject({ status: 'done', content: { period: '1Y', simulated: true } });
    expect(risk.text).toMatch(/Volatility is \*\*[\d.]+%\*\* a year.*simulated/s);

    const lots = await asked('show my tax lots');
    expect(lots).toMatchObject({ status: 'done', content: { simulated: true } });
    const { lots: list, incomplete } = lots.content as { lots: unknown[]; incomplete: unknown[] };
    expect(list.length + incomplete.length).toBeGreaterThan(0);

    expect(await asked('would selling MSFT be a wash sale?')).toMatchObject({
      status: 'done',
      text: expect.stringContaining('Unknown: purchases in other accounts'),
      content: { symbol: 'MSFT', verdict: expect.any(String) },
    });
    expect(await asked('would 5 AAPL pass my rules?')).toMatchObject({
      status: 'done',
      text: 'BUY 5 AAPL MKT would pass, with your approval on the phone.',
      content: { effect: 'ask' },
    });
    expect(await asked('any findings?')).toMatchObject({
      status: 'done',
      text: expect.stringContaining('Findings from the default rules'),
      content: { rules_file: null, simulated: true },
    });
    // A look changes nothing: what is new stays new.
    expect((await asked('any findings?')).content).toMatchObject({ ongoing: [] });
    expect(await world.phone.requests('alice')).toEqual([]);
  }, 60_000);

  it('counts what the person imported, and says so', async () => {
    const found = await asked('my realised gains in 2015');
    expect(found).toMatchObject({
      status: 'done',
      content: {
        imported: 2,
        gains: [{ symbol: 'XYZ', acquired: '2014-03-03', gain: '20.00', term: 'long' }],
      },
    });
    expect(found.text).toContain('2 of the activities were imported');
    expect((await asked('show my tax lots')).content).toMatchObject({ imported: 2 });
  }, 60_000);

  it('rebalances to targets that were named, by one card and one tap', async () => {
    const running = play(agent.run({ prompt: 'rebalance to 2% KO 43% PEP 55% cash' }, options()));
    const [card] = await world.phone.requests('alice', { waitSeconds: 15 });
    const subject = card?.details.subject as { orders: { side: string; symbol: string }[] } | undefined;
    expect(subject?.orders.map(({ side, symbol }) => `${side} ${symbol}`)).toEqual(['sell KO', 'buy PEP']);
    expect(card?.details.provenance).toMatchObject({
      sentence: 'rebalance to 2% KO 43% PEP 55% cash',
      fields: { orders: { source: 'computed', from: 'rebalancing to the targets you named' } },
    });
    await world.phone.decide(card?.id ?? '', 'approve');
    const { result } = await running;
    expect(result).toMatchObject({ status: 'done', approvals: [{ status: 'executed' }] });
    expect(result.orders).toHaveLength(2);
    expect(result.text).toContain('Before: KO ');
    expect(result.text).toContain('Not traded (no target):');
  }, 60_000);
});
