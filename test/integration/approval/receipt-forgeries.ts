import { proposalDigest } from '../../../src/approval/details.ts';
import { parseCheckpoint, signCheckpoint, type TreeHead } from '../../../src/approval/receipts/checkpoint.ts';
import { receiptPayload, receiptText } from '../../../src/approval/receipts/receipt-form.ts';
import type { ReceiptKey } from '../../../src/approval/receipts/receipt-key.ts';
import { appendToTiles, inclusionRanges, leafHash, rangeHasher } from '../../../src/store/merkle-tree.ts';
import type { Receipt } from '../../../src/trading/receipt.ts';

/** Receipts forged by a thief of the gateway's key. */

type Forging = (receipt: Receipt, key: ReceiptKey) => void;
/** Of what: an order that was approved, one under a mandate, or one whose code the owner had to type. */
type Forged = 'order' | 'mandated' | 'codeTyped';

/** The receipt, changed and signed again, its checkpoint too. */
export async function forged(text: string, key: ReceiptKey, forge: Forging): Promise<string> {
  const receipt = JSON.parse(text) as Receipt;
  const head = parseCheckpoint(receipt.checkpoint);
  if (head !== undefined) receipt.checkpoint = signCheckpoint(key, head);
  forge(receipt, key);
  return receiptText({ ...receipt, signature: key.sign(receiptPayload(receipt)) });
}

/** The record of these lines alone, in a tree of the thief's own, which the stolen key could have signed. */
export function withOwnTree(receipt: Receipt, key: ReceiptKey, change: (lines: string[]) => string[]): void {
  const lines = change(receipt.record.map(({ line }) => line));
  const hashOf = rangeHasher(appendToTiles(0, [], lines.map(leafHash)));
  receipt.record = lines.map((line, leaf) => ({
    leaf,
    line,
    proof: inclusionRanges(leaf, lines.length).map((range) => hashOf(range).toString('base64')),
  }));
  receipt.checkpoint = signCheckpoint(key, {
    origin: receipt.gateway,
    size: lines.length,
    root: hashOf([0, lines.length]),
  });
}
const line = (text: string, changes: object) => JSON.stringify({ ...JSON.parse(text), ...changes });
const digestOf = ({ proposal }: Receipt) => proposalDigest(proposal);
/** Sets the value at a path of members and indices. */
const set =
  (path: string, value: unknown) =>
  (receipt: Receipt): void => {
    const names = path.split('.');
    const last = names.pop() ?? '';
    let at = receipt as unknown as Record<string, unknown>;
    for (const name of names) at = at[name] as Record<string, unknown>;
    at[last] = value;
  };

function resign(receipt: Receipt, key: ReceiptKey, change: Partial<TreeHead>): void {
  const head = parseCheckpoint(receipt.checkpoint);
  if (head !== undefined) receipt.checkpoint = signCheckpoint(key, { ...head, ...change });
}

/** Changes the order wherever it is told: in the proposal, as it was sent, and in the digest. */
function reorder(r: Receipt, changes: object): void {
  Object.assign(r.proposal.subject, changes);
  for (const one of r.orders) Object.assign(one.order, changes);
  r.proposal.digest = digestOf(r);
}

/** Changes the broker's answer in the receipt and in the record. */
function answer(r: Receipt, key: ReceiptKey, changes: object): void {
  for (const one of r.orders) Object.assign(one.answered ?? {}, changes);
  withOwnTree(r, key, (lines) =>
    lines.map((text) => {
      const told = JSON.parse(text);
      return told.event === 'executed' ? line(text, { result: { ...told.result, ...changes } }) : text;
    }),
  );
}

const KEY = 'approvals.0.key';
const ORDER = 'orders.0';

type Forgery<Of extends Forged> = [what: string, fault: string, of: Of, forge: Forging];

export const forgeries: readonly Forgery<'order' | 'mandated'>[] = [
  ['nobody’s assertion', 'not_signed', 'order', set('approvals', [])],
  ['another quantity sent', 'order', 'order', set(`${ORDER}.order.qty`, '100')],
  ['another quantity proposed', 'proposal', 'order', set('proposal.subject.qty', '100')],
  [
    'another quantity, digested',
    'statement',
    'order',
    (r) => {
      r.proposal.subject.qty = '100';
      r.proposal.digest = digestOf(r);
    },
  ],
  [
    'another quantity, digested and stated',
    'phone_signature',
    'order',
    (r) => {
      r.proposal.subject.qty = '100';
      r.proposal.digest = digestOf(r);
      set('approvals.0.evidence.statement.digest', r.proposal.digest)(r);
    },
  ],
  ['another code', 'statement', 'order', set('proposal.code', 'ZZZZ')],
  ['another worst case', 'proposal', 'order', set('proposal.worst_case', null)],
  ['another gateway', 'statement', 'order', set('gateway', 'https://evil.example')],
  ['another person', 'not_signed', 'order', set('proposal.sub', 'bob')],
  ['a signature twice', 'not_signed', 'order', (r) => set('approvals', [...r.approvals, ...r.approvals])(r)],
  [
    'another key',
    'phone_signature',
    'order',
    (r) => {
      const known = r.approvals[0]?.key.public_key ?? '';
      set(`${KEY}.public_key`, `${known.slice(0, -43)}${'A'.repeat(43)}`)(r);
    },
  ],
  ['a key of another id', 'phone_key', 'order', set(`${KEY}.credential_id`, 'abc')],
  ['another page', 'phone_key', 'order', set('approvals.0.origin', 'https://evil.example')],
  ['another page of that host', 'phone_signature', 'order', set('approvals.0.origin', 'http://localhost:1')],
  ['an order that was not approved', 'order', 'order', set(`${ORDER}.client_order_id`, 'ta-other')],
  ['an order twice', 'order', 'order', (r) => set('orders', [...r.orders, ...r.orders])(r)],
  ['a response about a different symbol', 'order', 'order', set(`${ORDER}.answered.symbol`, 'PEP')],
  ['no answer', 'order', 'order', set(`${ORDER}.answered`, null)],
  ['a refusal by the rules', 'decision', 'order', set('decision.effect', 'deny')],
  [
    'a line changed',
    'record',
    'order',
    (r) => set('record.1.line', r.record[1]?.line.replace('KO', 'PE').replace('requested', 'proposed'))(r),
  ],
  [
    'a line left out',
    'record',
    'order',
    (r) => {
      r.record = r.record.filter(({ line }) => !line.includes('"event":"signed"'));
    },
  ],
  ['lines in another order', 'record', 'order', (r) => void r.record.reverse()],
  ['a line at another place', 'record', 'order', (r) => set('record.0.leaf', (r.record[0]?.leaf ?? 0) + 1)(r)],
  ['a line without its proof', 'record', 'order', (r) => set('record.0.proof', [])(r)],
  [
    'a line with the proof of another',
    'record',
    'order',
    (r) => set('record.0.proof', [...(r.record[1]?.proof ?? [])].reverse())(r),
  ],
  ['a checkpoint of another tree', 'record', 'order', (r, key) => resign(r, key, { root: Buffer.alloc(32) })],
  ['a checkpoint of a smaller tree', 'record', 'order', (r, key) => resign(r, key, { size: 1 })],
  [
    'a checkpoint of another gateway',
    'record',
    'order',
    (r, key) => resign(r, key, { origin: 'https://evil.example' }),
  ],
  ['no checkpoint', 'record', 'order', set('checkpoint', '')],
  [
    'a checkpoint that nobody signed',
    'record',
    'order',
    (r) => set('checkpoint', `${r.checkpoint.slice(0, r.checkpoint.indexOf('\n\n'))}\n\n`)(r),
  ],
  [
    'a record of the thief’s own, without the owner’s signature',
    'record',
    'order',
    (r, key) => withOwnTree(r, key, (lines) => lines.filter((one) => !one.includes('"event":"signed"'))),
  ],
  [
    'a record of the thief’s own, with a line about another proposal',
    'record',
    'order',
    (r, key) => withOwnTree(r, key, (lines) => lines.with(1, line(lines[1] ?? '', { proposal: 'pr_otherother' }))),
  ],
  [
    'a record of the thief’s own, with a member twice',
    'record',
    'order',
    (r, key) => withOwnTree(r, key, (lines) => lines.with(1, (lines[1] ?? '').replace('{', '{"qty":"500","qty":"5",'))),
  ],
  ['no mandate where one was used', 'mandate', 'mandated', set('mandate', null)],
  ['a mandate that nobody signed', 'not_signed', 'mandated', set('mandate.approvals', [])],
  ['a mandate with another symbol', 'proposal', 'mandated', set('mandate.proposal.subject.symbols', ['AAPL'])],
  ['a mandate of another person', 'not_signed', 'mandated', set('mandate.proposal.sub', 'bob')],
  ['an order before the mandate', 'mandate', 'mandated', set('proposal.created_at', '2020-01-01T00:00:00.000Z')],
  [
    'a batch under a mandate, whose second order names none',
    'mandate',
    'mandated',
    (r) => {
      const { subject } = r.proposal;
      const { mandate: _, ...second }: Record<string, unknown> = {
        ...subject,
        symbol: 'GME',
        qty: '500',
        client_order_id: 'ta-second-order',
      };
      r.proposal.kind = 'batch';
      r.proposal.subject = { orders: [subject, second] };
      r.proposal.digest = digestOf(r);
    },
  ],
  [
    'a thousand shares under a mandate for a few dollars',
    'mandate',
    'mandated',
    (r) => reorder(r, { qty: '1000', limit_price: '999.00' }),
  ],
  [
    'another order under a mandate, with the digest of the first',
    'proposal',
    'mandated',
    (r) => {
      const { digest } = r.proposal;
      reorder(r, { limit_price: '19.00' });
      r.proposal.digest = digest;
    },
  ],
  ['another type under a mandate', 'mandate', 'mandated', (r) => reorder(r, { type: 'stop', stop_price: '20.00' })],
  ['another time in force under a mandate', 'mandate', 'mandated', (r) => reorder(r, { time_in_force: 'gtc' })],
  ['more slippage under a mandate', 'mandate', 'mandated', (r) => reorder(r, { max_slippage: '0.1' })],
  ['another period under a mandate', 'mandate', 'mandated', (r) => reorder(r, { slot: '2026-W48' })],
  [
    'a better worst case under a mandate',
    'proposal',
    'mandated',
    (r) => {
      const { worst_case } = r.proposal;
      if (worst_case !== null) r.proposal.worst_case = { ...worst_case, cash: '8.00', text: 'Costs at most $8.00.' };
      r.proposal.digest = digestOf(r);
    },
  ],
  ['other rules under a mandate', 'decision', 'mandated', set('decision.policy', 'A'.repeat(43))],
  [
    'other rules than the mandate’s',
    'mandate',
    'mandated',
    (r) => {
      set('proposal.policy', 'A'.repeat(43))(r);
      set('decision.policy', 'A'.repeat(43))(r);
      r.proposal.digest = digestOf(r);
    },
  ],
  ['other rules', 'decision', 'order', set('decision.policy', 'A'.repeat(43))],
  [
    'other rules wherever they are named',
    'phone_signature',
    'order',
    (r) => {
      set('proposal.policy', 'A'.repeat(43))(r);
      set('decision.policy', 'A'.repeat(43))(r);
      r.proposal.digest = digestOf(r);
      set('approvals.0.evidence.statement.digest', r.proposal.digest)(r);
    },
  ],
  [
    'no rules, as if it were signed before they were named',
    'statement',
    'order',
    (r) => {
      delete r.proposal.policy;
      r.proposal.digest = digestOf(r);
    },
  ],
  [
    'a price worse than approved',
    'exceeded',
    'order',
    (r, key) => answer(r, key, { status: 'filled', filled_qty: '1', filled_avg_price: '650.00' }),
  ],
  ['more shares than approved', 'exceeded', 'order', (r, key) => answer(r, key, { qty: '2000' })],
  ['a worse limit than approved', 'exceeded', 'order', (r, key) => answer(r, key, { limit_price: '650.00' })],
  ['an answer that the record does not tell', 'record', 'order', set('orders.0.answered.filled_qty', '0.5')],
  [
    'the owner renamed in both places',
    'statement',
    'order',
    (r) => {
      set('proposal.sub', 'mallory')(r);
      set('approvals.0.sub', 'mallory')(r);
    },
  ],
  [
    'the owner renamed wherever there is a name',
    'phone_signature',
    'order',
    (r) => {
      set('proposal.sub', 'mallory')(r);
      set('approvals.0.sub', 'mallory')(r);
      set('approvals.0.evidence.statement.sub', 'mallory')(r);
    },
  ],
  ['an order of a proposal that was denied', 'state', 'order', set('state', 'denied')],
  ['an order of a proposal that was withdrawn', 'state', 'order', set('state', 'cancelled')],
  ['an order that was placed and never sent', 'state', 'order', set(`${ORDER}.submitted_at`, null)],
  ['an order sent before it was approved', 'time', 'order', set(`${ORDER}.submitted_at`, '1999-01-01T00:00:00.000Z')],
  ['an order sent after it was answered', 'time', 'order', set(`${ORDER}.submitted_at`, '2031-01-01T00:00:00.000Z')],
  ['an order sent more often than attempted', 'record', 'order', set(`${ORDER}.submissions`, 9)],
  ['a decision at another time', 'time', 'order', set('decision.at', '1999-01-01T00:00:00.000Z')],
  ['a decision with objections', 'decision', 'order', set('decision.reasons', ['TRADING_HALTED'])],
  ['a proposal made at another time', 'time', 'order', set('proposal.created_at', '1999-01-01T00:00:00.000Z')],
  ['a key under another name', 'record', 'order', set(`${KEY}.name`, 'Hardware key')],
  ['a key enrolled at another time', 'record', 'order', set(`${KEY}.enrolled_at`, '1999-01-01T00:00:00.000Z')],
  ['a number that is not whole', 'form', 'order', set(`${ORDER}.answered.price_factor`, 1.5)],
  [
    'a record of the thief’s own, with a fraction',
    'record',
    'order',
    (r, key) => withOwnTree(r, key, (lines) => lines.with(1, line(lines[1] ?? '', { weight: 1.5 }))),
  ],
  [
    'a record of the thief’s own, with white space',
    'record',
    'order',
    (r, key) => withOwnTree(r, key, (lines) => lines.with(1, (lines[1] ?? '').replace(':', ': '))),
  ],
  ['a checkpoint of a day that does not exist', 'record', 'order', (r, key) => resign(r, key, { day: '2026-02-30' })],
  ['a member more', 'form', 'order', set('note', 'trust me')],
];

/** Changes the statement of what the key signed so that it fits the proposal. */
function restate(r: Receipt): void {
  r.proposal.digest = digestOf(r);
  set('approvals.0.evidence.statement.digest', r.proposal.digest)(r);
}

/** That the code had to be typed, stripped or changed. */
export const codeForgeries: readonly Forgery<'codeTyped'>[] = [
  ['a typed code as if it were compared', 'proposal', 'codeTyped', (r) => void delete r.proposal.code_entry],
  [
    'a typed code as if it were compared, digested',
    'statement',
    'codeTyped',
    (r) => {
      delete r.proposal.code_entry;
      r.proposal.digest = digestOf(r);
    },
  ],
  [
    'a typed code as if it were compared, digested and stated',
    'phone_signature',
    'codeTyped',
    (r) => {
      delete r.proposal.code_entry;
      restate(r);
    },
  ],
  ['a code entered in another way', 'form', 'codeTyped', set('proposal.code_entry', 'shown')],
  [
    'another typed code, stated',
    'phone_signature',
    'codeTyped',
    (r) => {
      set('proposal.code', 'ZZZZ')(r);
      set('approvals.0.evidence.statement.code', 'ZZZZ')(r);
      restate(r);
    },
  ],
  [
    'a typed code that the record compares',
    'record',
    'codeTyped',
    (r, key) => withOwnTree(r, key, (lines) => lines.map((text) => text.replace('"code_entry":"typed",', ''))),
  ],
];
