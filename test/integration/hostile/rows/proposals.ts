import { randomUUID } from 'node:crypto';
import type { HostileWorld } from '../hostile-world.ts';
import { type Row, said } from '../row.ts';

const at = 'POST /v1/proposals';
const order = { symbol: 'KO', side: 'buy', qty: '1' };

const amounts: readonly unknown[] = [
  ...['', ' ', '0', '0.0', '-0', '-1', '+5', '05', '.5', '5.', '1e3', '1E3', '0x10', '1,000', '1_000', '1 000'],
  ...['NaN', 'Infinity', '-Infinity', '５', '٥', '5\u0000', '5\n', '$5', '5%', '0.0000000000001', '9'.repeat(19)],
  ...[5, -1, 1e308, null, true, [], {}, ['5'], { toString: '5' }],
];
const symbols: readonly unknown[] = [
  ...['', ' ', 'КО', 'K\u200bO', 'K\u202eO', 'ＫＯ', 'ko\u0301', 'ﬁ', 'ſ', 'K\u0000O', 'K O', 'K\nO', '../KO', 'KO;--'],
  ...["KO'", 'KO,PEP', 'KO/..', '<b>KO', '%4bO', '$KO', 'K'.repeat(12), 'AAPL260230C00190000', 'KO.', '1KO', '*'],
  ...[null, 7, true, ['KO'], { symbol: 'KO' }],
];
const words: readonly string[] = [
  'a\u0000b',
  'a\nb',
  '\u001b[2J',
  '\u202eoder',
  'a\u200bb',
  '',
  'x'.repeat(81),
  '\u2800',
];

/** In letters that are what they look like. */
export const shown = (value: unknown) => {
  const text = JSON.stringify(value).replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return text.length > 40 ? `${text.slice(0, 20)}… (${text.length} characters)` : text;
};

/** What can't be asked for. */
export function requestedRows({ alice }: HostileWorld): Row[] {
  const asked = async (body: unknown) => {
    const answer = await alice.send('POST', '/v1/proposals', body, { 'idempotency-key': randomUUID() });
    return said(answer.status, JSON.stringify(answer.body));
  };
  const refused = (what: string, body: unknown, expected = '400 invalid_proposal'): Row => ({
    ...{ area: 'proposals: amounts, symbols, words', what, at, expected },
    attack: () => asked(body),
  });
  const ordered = (change: object) => ({ kind: 'order', order: { ...order, ...change } });
  const day = { type: 'limit', limit_price: '20.00' };
  return [
    ...amounts.flatMap((amount) => [
      refused(`qty ${shown(amount)}`, ordered({ qty: amount })),
      refused(`notional ${shown(amount)}`, ordered({ qty: undefined, notional: amount })),
      refused(`limit_price ${shown(amount)}`, ordered({ ...day, limit_price: amount })),
      refused(`stop_price ${shown(amount)}`, ordered({ type: 'stop', stop_price: amount })),
    ]),
    ...symbols.map((symbol) => refused(`symbol ${shown(symbol)}`, ordered({ symbol }))),
    ...words.map((text) => refused(`requested_by ${shown(text)}`, { ...ordered({}), requested_by: text })),
    ...[
      'code',
      'id',
      'client',
      'state',
      'sub',
      'proposed_by',
      'digest',
      'nonce',
      'approval_evidence',
      'worst_case',
    ].map((name) => refused(`its own ${name}`, { ...ordered({}), [name]: 'x' })),
    ...['client_order_id', 'expires_at', 'reference_price', 'environment', 'slot', '__x'].map((name) =>
      refused(`its own ${name} of the order`, ordered({ [name]: 'x' })),
    ),
    ...[0, -1, 59, 86_401, 1.5, '300', null].map((ttl) => refused(`ttl ${shown(ttl)}`, { ...ordered({}), ttl })),
    refused('a kind that there is none of', { kind: 'transfer', transfer: {} }),
    refused('two kinds', { kind: 'order', order, message: {} }),
    refused('a kind without its subject', { kind: 'order' }),
    refused('a list of kinds', { kind: ['order'], order }),
    refused('a batch of nothing', { kind: 'batch', batch: { orders: [] } }),
    refused('a batch of 100', { kind: 'batch', batch: { orders: Array.from({ length: 100 }, () => order) } }),
    refused('a role that there is none of', { kind: 'access', access: { role: 'owner', who: 'bob' } }),
  ];
}
