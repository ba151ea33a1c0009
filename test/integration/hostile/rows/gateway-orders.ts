import { deriveSoftwareKey } from '../../../../src/approval/signature/software-key.ts';
import { buildTradeOrderDetails } from '../../../../src/trading/approval-details.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';
import type { HostileWorld } from '../hostile-world.ts';
import { type Row, rowOf, saidBy } from '../row.ts';

const at = 'POST /v1/orders';

/** Another sound value of each field of the order that was approved. */
const changes = {
  account: 'PA3BOB0001',
  environment: 'live',
  symbol: 'PEP',
  side: 'sell',
  qty: '6',
  time_in_force: 'gtc',
  limit_price: '20.01',
  extended_hours: true,
  reference_price: '20.01',
  max_slippage: '0.02',
  client_order_id: 'ta-hostile-other',
  expires_at: '2040-01-01T00:00:00Z',
} as const satisfies Partial<OrderDraft>;

/** The same order in a way that means another. */
const senseless: readonly (readonly [what: string, change: Record<string, unknown>])[] = [
  ['a quantity of 0', { qty: '0' }],
  ['a quantity below 0', { qty: '-5' }],
  ['a quantity with an exponent', { qty: '5e3' }],
  ['a quantity that is a number', { qty: 5 }],
  ['a quantity that is a list', { qty: ['5'] }],
  ['a quantity of full-width digits', { qty: '５' }],
  ['NaN shares', { qty: 'NaN' }],
  ['shares and dollars', { notional: '500.00' }],
  ['no quantity', { qty: undefined }],
  ['no limit', { limit_price: undefined }],
  ['another type', { type: 'market' }],
  ['a stop', { stop_price: '19.00' }],
  ['a trail', { trail_percent: '2' }],
  ['exits', { order_class: 'bracket', take_profit_limit_price: '30.00' }],
  ['a mandate of its own', { mandate: 'M-x9K2aB7cD1' }],
  ['a price off the tick', { limit_price: '20.001' }],
  ['a price of 30 decimals', { limit_price: `20.${'0'.repeat(29)}1` }],
  ['a slippage of 50%', { max_slippage: '0.5' }],
  ['a symbol of Cyrillic letters', { symbol: 'КО' }],
  ['a symbol with a zero-width space', { symbol: 'K\u200bO' }],
  ['a field that is not known', { order_kind: 'bracket' }],
  ['an id with a path in it', { client_order_id: '../../orders' }],
  ['an end that is no time', { expires_at: 'tomorrow' }],
];

/** What Alice's key signed, in the order of the rows: on the record even where the order was refused. */
export const signedOrders = ['ta-hostile-over', 'ta-hostile-order', 'ta-hostile-next', 'ta-hostile-order'];

type Claims = Record<string, unknown>;

export function orderRows(hostile: HostileWorld): Row[] {
  const draft = hostile.draft();
  const details = buildTradeOrderDetails(draft, { gateway: hostile.gateway, code: '7K3M' });
  const approval = hostile.approval(draft);
  const [, first, second] = hostile.jtis;
  const place = async (body: unknown, claims: Claims = {}) =>
    saidBy(
      await hostile.send('POST', '/v1/orders', {
        mint: { claims: { ...approval, jti: first, ...claims } },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    );
  const text = JSON.stringify(draft);
  const changed = 'gateway: an approved order, changed';
  const rows: Row[] = [];
  const add = (what: string, expected: string, attack: Row['attack']) =>
    rows.push(rowOf(changed)(what, at, expected, attack));
  for (const [field, value] of Object.entries(changes))
    add(`another ${field}`, '403 details_mismatch', () => place({ ...draft, [field]: value }));
  for (const [field, value] of Object.entries(changes)) {
    add(`no ${field}`, '400 invalid_order', () => place({ ...draft, [field]: undefined }));
    add(`another ${field} in the token alone`, '403 details_mismatch', () =>
      place(draft, { authorization_details: [{ ...details, [field]: value }] }),
    );
  }
  for (const [what, change] of senseless) add(what, '400 invalid_order', () => place({ ...draft, ...change }));
  for (const [what, more, expected] of [
    ['a second quantity', '"qty":"500"', '403 details_mismatch'],
    ['a second symbol', '"symbol":"PEP"', '403 details_mismatch'],
    ['a second quantity, written otherwise', '"\\u0071ty":"500"', '403 details_mismatch'],
    ['__proto__', '"__proto__":{"qty":"500"}', '400 invalid_order'],
  ] as const)
    add(`twice the same name: ${what}`, expected, () => place(text.replace(/}$/, `,${more}}`)));

  const alice = deriveSoftwareKey(hostile.world.sandbox.pairingSecret, 'alice');
  const origin = new URL(hostile.world.sandbox.ready.issuer).origin;
  const signed = alice.sign({ ...details }, { origin });
  const other = { ...buildTradeOrderDetails(hostile.draft({ qty: '1' }), { gateway: hostile.gateway, code: '7K3M' }) };
  const evidence = (changes: Claims) => ({ approval_evidence: { ...signed, ...changes } });
  const flipped = (value: string) => `${value[0] === 'A' ? 'B' : 'A'}${value.slice(1)}`;
  const guessed = deriveSoftwareKey('guessed', 'alice').sign({ ...details }, { origin });
  const bobs = deriveSoftwareKey(hostile.world.sandbox.pairingSecret, 'bob').sign({ ...details }, { origin });
  const detailsWith = (changes: object) => ({ authorization_details: [{ ...details, ...changes }] });
  const approvals: readonly (readonly [what: string, expected: string, claims: Claims])[] = [
    ['no details', '403 approval_missing', { authorization_details: undefined }],
    ['no details in the list', '403 approval_missing', { authorization_details: [] }],
    ['details of another type', '403 approval_missing', detailsWith({ type: 'transfer' })],
    ['details twice', '403 approval_ambiguous', { authorization_details: [details, details] }],
    ['other details beside', '403 approval_ambiguous', { authorization_details: [details, other] }],
    ['details that are no list', '403 approval_malformed', { authorization_details: details }],
    ['details that are a text', '403 approval_malformed', { authorization_details: ['trade_order'] }],
    ['a field more', '403 approval_malformed', detailsWith({ privileges: ['all'] })],
    ['a field less', '403 approval_malformed', detailsWith({ max_slippage: undefined })],
    ['details for another gateway', '403 details_mismatch', detailsWith({ locations: ['http://127.0.0.1:1'] })],
    ['another digest', '403 details_mismatch', detailsWith({ digest: 'A'.repeat(43) })],
    ['another identifier', '403 details_mismatch', detailsWith({ identifier: 'ta-something-else' })],
    ['another code', '403 signature_code', detailsWith({ code: '7K3N' })],
    ['no code', '403 signature_code', detailsWith({ code: undefined })],
    ['a code that is no code', '403 approval_malformed', detailsWith({ code: 'ILOU' })],
    ['a symbol in small letters', '403 details_mismatch', detailsWith({ symbol: 'ko' })],
    ['a quantity written otherwise', '403 details_mismatch', detailsWith({ qty: '5.0' })],
    ['the approval of a smaller order', '403 details_mismatch', { authorization_details: [other] }],
    ['nobody’s signature', '403 signature_missing', { approval_evidence: undefined }],
    ['a word for a signature', '403 signature_malformed', { approval_evidence: 'approved' }],
    ['an empty object for a signature', '403 signature_malformed', { approval_evidence: {} }],
    ['a method that there is none of', '403 signature_method', evidence({ method: 'none' })],
    ['a key that is not enrolled', '403 signature_key_unknown', { approval_evidence: guessed }],
    ['a key of Bob’s', '403 signature_key_of_another', { approval_evidence: bobs }],
    [
      'the key’s name without its signature',
      '403 signature_wrong',
      { approval_evidence: { ...guessed, credential_id: alice.credentialId } },
    ],
    ['a signature changed', '403 signature_wrong', evidence({ signature: flipped(signed.signature) })],
    ['a signature of another order', '403 signature_digest', { approval_evidence: alice.sign(other, { origin }) }],
    [
      'a signature of another page',
      '403 signature_origin',
      { approval_evidence: alice.sign({ ...details }, { origin: 'https://evil.example' }) },
    ],
    [
      'a signature for another gateway',
      '403 signature_gateway',
      { approval_evidence: alice.sign({ ...details, locations: ['https://evil.example'] }, { origin }) },
    ],
    ['Alice’s approval in a token of Bob’s', '403 signature_key_of_another', { sub: 'bob' }],
    ['the approval without its scope', '403 insufficient_scope', { scope: 'orders:read' }],
  ];
  for (const [what, expected, claims] of approvals) {
    rows.push({ ...{ area: 'gateway: approvals', what, at, expected }, attack: () => place(draft, claims) });
  }
  const used = (what: string, expected: string, attack: Row['attack']) =>
    rowOf('gateway: approvals')(what, at, expected, attack);
  const next = hostile.draft({ client_order_id: 'ta-hostile-next' });
  const over = hostile.draft({ client_order_id: 'ta-hostile-over', expires_at: '2026-01-01T00:00:00Z' });
  return [
    ...rows,
    used('an order whose time has passed', '403 approval_expired', () => place(over, { ...hostile.approval(over) })),
    // What all of the above differ from by one thing: it is the one order that Alice approved here.
    used('none: the order as it was approved', '201', () => place(draft)),
    used('the same again', '200', () => place(draft)),
    used('the same with another quantity', '403 details_mismatch', () => place({ ...draft, qty: '6' })),
    used('the same token for another order', '403 details_mismatch', () => place(next)),
    used('a used approval for another order, approved', '403 approval_already_used', () =>
      place(next, hostile.approval(next)),
    ),
    used('another approval under the id of an order that is there', '409 client_order_id_conflict', () => {
      const again = hostile.draft({ qty: '7' });
      return place(again, { ...hostile.approval(again), jti: second });
    }),
  ];
}
