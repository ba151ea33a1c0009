import { expect, it } from 'vitest';
import { parsePrompt } from '../../../src/agent/planner/sentence.ts';

it.each([
  ['buy $200 of VTI every Monday', '--buy VTI --amount 200 --every monday'],
  ['buy $1,500.50 of VTI every month', '--buy VTI --amount 1500.50 --every month'],
  ['buy 5 shares of AAPL every trading day at 11:30', '--buy AAPL --qty 5 --every day --at 11:30'],
  ['sell 5 NVDA if it falls below 100 before Friday', '--sell NVDA --qty 5 --below 100 --until YYYY-MM-DD'],
  ['sell 5 NVDA when NVDA rises above $120', '--sell NVDA --qty 5 --above 120'],
])('%s is no order of now: it says by which command the gateway does it', (sentence, command) => {
  const parsed = parsePrompt(sentence);
  expect(parsed).not.toHaveProperty('intents');
  expect(JSON.stringify(parsed)).toContain(`trade-agent mandates add ${command} (docs/MANDATES.md)`);
});

it.each([
  'buy 5 AAPL if it rains',
  'buy 5 AAPL every now and then',
  'buy $200 of VTI every other Monday',
  'buy 50 of VTI every Monday',
])('%s is not understood, and no command is made up for it', (sentence) => {
  const parsed = parsePrompt(sentence);
  expect(parsed).not.toHaveProperty('intents');
  expect(JSON.stringify(parsed)).not.toContain('mandates add');
});
