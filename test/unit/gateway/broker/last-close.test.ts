import { expect, it } from 'vitest';
import { equityAtLastClose } from '../../../../src/gateway/broker/last-close.ts';

const gear = { symbol: 'GEAR', price: '110', closedAt: '100' };

it.each<[string, Parameters<typeof equityAtLastClose>, string]>([
  // Ten at $100 and $500 in cash were worth $1,500 then.
  ['nothing was traded', ['1600', [{ ...gear, qty: '10' }], [], new Map()], '1500'],
  // Six were held; four more were bought at $105: 600 + 920 in cash.
  [
    'some was bought',
    ['1600', [{ ...gear, qty: '10' }], [{ symbol: 'GEAR', qty: '4', price: '105' }], new Map()],
    '1520',
  ],
  // Ten were held and all sold at $104, with $100 of cash before: 1000 + 100.
  [
    'all of it was sold',
    ['1140', [], [{ symbol: 'GEAR', qty: '-10', price: '104' }], new Map([['GEAR', '100']])],
    '1100',
  ],
  ['a short gained', ['990', [{ ...gear, price: '99', qty: '-10' }], [], new Map()], '980'],
])('what an account was worth at the last close, where %s', (_, given, worth) => {
  expect(equityAtLastClose(...given).toFixed()).toBe(worth);
});
