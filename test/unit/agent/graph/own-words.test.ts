import { describe, expect, it } from 'vitest';
import type { ConversationFacts } from '../../../../src/agent/graph/conversation-facts.ts';
import { requireUserWords } from '../../../../src/agent/graph/tool-node.ts';

const facts = (said: string[], more: Partial<ConversationFacts> = {}): ConversationFacts => ({
  said,
  composedBy: undefined,
  positions: [],
  names: [],
  openOrders: [],
  ...more,
});
const held = (name: string, args: unknown, said: string[], tainted: string[] = []) => {
  try {
    requireUserWords({ name, args, facts: facts(said), tainted });
    return 'written';
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe('an alert of a model’s', () => {
  const below = (symbol: string, price: string) => ({ symbol, below: price });
  it.each([
    ['tell me when AAPL falls below 180', below('AAPL', '180'), [], 'written'],
    ['ping me should AAPL ever trade under $180, would you', below('AAPL', '180.00'), ['standard input'], 'written'],
    // A model may work a price out from what the account tells, but not from what strangers say.
    ['warn me if AAPL loses a tenth of its price', below('AAPL', '205.2'), [], 'written'],
    ['warn me if AAPL loses a tenth of its price', below('AAPL', '205.2'), ['standard input'], 'blocked'],
    ['summarise this', below('XYZ', '5'), ['standard input'], 'blocked'],
    ['summarise this', below('XYZ', '5'), [], 'blocked'],
  ])('"%s" for %j after %j is %s', (said, args, tainted, what) => {
    expect(held('set_alert', args, [said], tainted)).toBe(what);
  });

  it('is taken away only where its symbol was named', () => {
    expect(held('remove_alert', { symbol: 'AAPL' }, ['stop telling me about AAPL'])).toBe('written');
    expect(held('remove_alert', { symbol: 'NVDA' }, ['stop telling me about AAPL'])).toBe('blocked');
  });
});

describe('a schedule of a model’s', () => {
  it.each([
    [['check my alerts every 15 minutes'], '15m', 'written'],
    [['check my alerts every 15 minutes'], '1h', 'blocked'],
    [['check my alerts every 15 minutes', 'thanks'], '15m', 'blocked'],
    [['tell me when AAPL falls below 180'], '15m', 'blocked'],
  ])('after %j for %s is %s', (said, every, what) => {
    expect(held('add_schedule', { every }, said)).toBe(what);
  });

  it('is no program’s to ask for', () => {
    const composed = facts(['check my alerts every 15 minutes'], { composedBy: 'check' });
    expect(() =>
      requireUserWords({ name: 'add_schedule', args: { every: '15m' }, facts: composed, tainted: [] }),
    ).toThrow('does not ask for this schedule');
  });
});
