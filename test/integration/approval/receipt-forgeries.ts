import { proposalDigest } from '../../../src/approval/details.ts';
import { receiptPayload, receiptText } from '../../../src/approval/receipts/receipt-form.ts';
import type { ReceiptKey } from '../../../src/approval/receipts/receipt-key.ts';
import { lineHash } from '../../../src/store/audit.ts';
import type { Receipt } from '../../../src/trading/receipt.ts';

/*
 * What a thief of the gateway's key would make of a receipt: each is signed by a key that is taken for the gateway's.
 */

type Forging = (receipt: Receipt) => void;
/** Of what: an order that was approved, or one under a mandate. */
type Forged = 'order' | 'mandated';

/** The receipt, changed and signed anew. */
export async function forged(text: string, key: ReceiptKey, forge: Forging): Promise<string> {
  const receipt = JSON.parse(text) as Receipt;
  forge(receipt);
  return receiptText({ ...receipt, signature: key.sign(receiptPayload(receipt)) });
}

/** A line of the record with its hash right. */
function line(text: string, changes: object): string {
  const { hash: _, ...rest } = { ...JSON.parse(text), ...changes };
  return JSON.stringify({ ...rest, hash: lineHash(rest) });
}
const change = <T>(things: T[], at: number, how: (thing: T) => void) => how(things[at] as T);
const digestOf = ({ proposal }: Receipt) => proposalDigest(proposal);

export const forgeries: readonly [what: string, fault: string, of: Forged, forge: Forging][] = [
  [
    'nobody’s assertion',
    'not_signed',
    'order',
    (r) => {
      r.approvals = [];
    },
  ],
  [
    'another quantity sent',
    'order',
    'order',
    (r) =>
      change(r.orders, 0, ({ order: o }) => {
        o.qty = '100';
      }),
  ],
  [
    'another quantity proposed',
    'proposal',
    'order',
    (r) => {
      r.proposal.subject.qty = '100';
    },
  ],
  [
    'another quantity, digested',
    'statement',
    'order',
    (r) => {
      r.proposal.digest = 'x'.repeat(43);
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
      change(r.approvals, 0, ({ evidence }) => {
        evidence.statement.digest = r.proposal.digest;
      });
    },
  ],
  [
    'another code',
    'statement',
    'order',
    (r) => {
      r.proposal.code = 'ZZZZ';
    },
  ],
  [
    'another worst case',
    'proposal',
    'order',
    (r) => {
      r.proposal.worst_case = null;
    },
  ],
  [
    'another gateway',
    'statement',
    'order',
    (r) => {
      r.gateway = 'https://evil.example';
    },
  ],
  [
    'another person',
    'not_signed',
    'order',
    (r) => {
      r.proposal.sub = 'bob';
    },
  ],
  [
    'a signature twice',
    'not_signed',
    'order',
    (r) => {
      r.approvals = [...r.approvals, ...r.approvals];
    },
  ],
  [
    'another key',
    'phone_signature',
    'order',
    (r) =>
      change(r.approvals, 0, ({ key }) => {
        key.public_key = `${key.public_key.slice(0, -43)}${'A'.repeat(43)}`;
      }),
  ],
  [
    'a key of another id',
    'phone_key',
    'order',
    (r) =>
      change(r.approvals, 0, ({ key }) => {
        key.credential_id = 'abc';
      }),
  ],
  [
    'another page',
    'phone_key',
    'order',
    (r) =>
      change(r.approvals, 0, (one) => {
        one.origin = 'https://evil.example';
      }),
  ],
  [
    'another page of that host',
    'phone_signature',
    'order',
    (r) =>
      change(r.approvals, 0, (one) => {
        one.origin = 'http://localhost:1';
      }),
  ],
  [
    'an order that was not approved',
    'order',
    'order',
    (r) =>
      change(r.orders, 0, (o) => {
        o.client_order_id = 'ta-other';
      }),
  ],
  [
    'an order twice',
    'order',
    'order',
    (r) => {
      r.orders = [...r.orders, ...r.orders];
    },
  ],
  [
    'an answer about another symbol',
    'order',
    'order',
    (r) =>
      change(r.orders, 0, ({ answered }) => {
        if (answered) answered.symbol = 'PEP';
      }),
  ],
  [
    'no answer',
    'order',
    'order',
    (r) =>
      change(r.orders, 0, (o) => {
        o.answered = null;
      }),
  ],
  [
    'a refusal by the rules',
    'decision',
    'order',
    (r) => {
      if (r.decision) r.decision.effect = 'deny';
    },
  ],
  [
    'a line changed',
    'record',
    'order',
    (r) => {
      r.record[1] = r.record[1]?.replace('KO', 'PE') ?? '';
    },
  ],
  [
    'a line left out',
    'record',
    'order',
    (r) => {
      r.record = r.record.filter((text) => !text.includes('"event":"signed"'));
    },
  ],
  ['lines in another order', 'record', 'order', (r) => void r.record.reverse()],
  [
    'a line about another proposal',
    'record',
    'order',
    (r) => {
      r.record[1] = line(r.record[1] ?? '', { proposal: 'pr_otherother' });
    },
  ],
  [
    'no mandate where one was used',
    'mandate',
    'mandated',
    (r) => {
      r.mandate = null;
    },
  ],
  [
    'a mandate that nobody signed',
    'not_signed',
    'mandated',
    (r) => {
      if (r.mandate) r.mandate.approvals = [];
    },
  ],
  [
    'a mandate with another symbol',
    'proposal',
    'mandated',
    (r) => {
      if (r.mandate) r.mandate.proposal.subject.symbols = ['AAPL'];
    },
  ],
  [
    'a mandate of another person',
    'not_signed',
    'mandated',
    (r) => {
      if (r.mandate) r.mandate.proposal.sub = 'bob';
    },
  ],
  [
    'an order before the mandate',
    'mandate',
    'mandated',
    (r) => {
      r.proposal.created_at = '2020-01-01T00:00:00.000Z';
    },
  ],
  ['a member more', 'form', 'order', (r) => void Object.assign(r, { note: 'trust me' })],
];
