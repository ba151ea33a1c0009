import { describe, expect, it } from 'vitest';
import { parsePrompt } from '../../../src/agent/reader/read.ts';
import { inShort, planned, sentences } from './planner-world.ts';

/* AAPL is at 230, MSFT at 420, NVDA at 140, KO at 60, and TSLA at 350. */

describe('an alert', () => {
  it.each(
    sentences(`
      let me know if KO goes below 50 or above 72 => set_alert KO below=50 + set_alert KO above=72
      warn me when TSLA is either under 300 or over 400 => set_alert TSLA below=300 + set_alert TSLA above=400
      notify me if MSFT drops 3% or rises 4% => set_alert MSFT falls_by=3% + set_alert MSFT rises_by=4%
      text me if AAPL moves 2% in either direction => set_alert AAPL rises_by=2% + set_alert AAPL falls_by=2%
      alert me when NVDA reaches 155 => set_alert NVDA above=155
      alert me when NVDA reaches 120 => set_alert NVDA below=120
      give me a shout once tesla gets back to 310 => set_alert TSLA below=310
      set a price alert on MSFT at 450 => set_alert MSFT above=450
      price alert: KO under 55 => set_alert KO below=55
      when apple soars past 250, drop me a line => set_alert AAPL above=250
      should NVDA plunge below 100 let me know => set_alert NVDA below=100
      would you ping me when KO hits 66? => set_alert KO above=66
      monitor MSFT and tell me if it slides under 400 => set_alert MSFT below=400
      warn me if TSLA has lost 6% today => set_alert TSLA falls_by=6%
      let me know the moment apple climbs above 240, no trade => set_alert AAPL above=240
      alert me when NVDA hits 140 => asks
      alert me when SPY hits 500 => asks
    `),
  )('%s => %s', (said, expected) => {
    expect(inShort(planned([said]))).toBe(expected);
  });

  it.each([
    'tell me when KO or MSFT falls below 50',
    'tell me if AAPL falls below 200 or buy 5',
    'tell me if AAPL falls below 200 or so',
    'tell me when AAPL rises below 200',
    'ping me if NVDA drops under 100 and MSFT',
  ])('is none where a word of it is not understood: %s', (said) => {
    expect(parsePrompt(said)).not.toHaveProperty('intents');
  });

  it('asks for the side of a price that it can’t tell from the current one', () => {
    const plan = planned(['alert me when KO hits 60']);
    expect('refusal' in plan && plan.refusal.message).toBe(
      'KO is at $60.00 now. Should KO fall below $60.00, or rise above?',
    );
  });
});
