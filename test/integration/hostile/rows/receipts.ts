import { ReceiptError } from '../../../../src/approval/receipts/receipt-form.ts';
import { deriveReceiptKey } from '../../../../src/approval/receipts/receipt-key.ts';
import { verifyReceipt } from '../../../../src/approval/receipts/verify-receipt.ts';
import { forged, forgeries } from '../../approval/receipt-forgeries.ts';
import type { KnownThings } from '../known-things.ts';
import type { Row } from '../row.ts';

const area = 'receipts';

async function fault(text: string, key: string): Promise<string> {
  try {
    await verifyReceipt(text, (thumbprint) => thumbprint === key);
    return 'holds';
  } catch (error) {
    if (error instanceof ReceiptError) return error.fault;
    throw error;
  }
}

/** @param published the thumbprint of the gateway's own key */
export async function receiptRows({ receipts }: KnownThings, published: string): Promise<Row[]> {
  const stolen = await deriveReceiptKey('what only the gateway has');
  const { order } = receipts;
  const of = (what: string, expected: string, attack: () => Promise<string>): Row => ({
    ...{ area, what, at: '', expected },
    attack,
  });
  const byThief = forgeries.map(([what, expected, which, forge]) =>
    of(`by a thief of the gateway’s key: ${what}`, expected, async () =>
      fault(await forged(receipts[which], stolen, forge), stolen.jwk.kid),
    ),
  );
  const texts: readonly (readonly [what: string, expected: string, change: (text: string) => string])[] = [
    ['nothing', 'form', () => ''],
    ['half of it', 'form', (text) => text.slice(0, text.length / 2)],
    ['no JSON', 'form', () => 'a receipt'],
    ['null', 'form', () => 'null'],
    ['a list of it', 'form', (text) => `[${text}]`],
    ['a name twice', 'form', (text) => text.replace('{', '{"signature":{},')],
    ['a line break more', 'form', (text) => `${text}\n\n`],
    ['a blank more', 'form', (text) => text.replace('{', '{ ')],
    [
      'another gateway',
      'gateway_signature',
      (text) => text.replace(/"gateway":"[^"]*"/, '"gateway":"https://evil.example"'),
    ],
  ];
  return [
    ...byThief,
    of('by a thief of the gateway’s key: nothing changed, and another key pinned', 'signer', async () =>
      fault(await forged(order, stolen, () => undefined), published),
    ),
    of('nothing changed', 'holds', () => fault(order, published)),
    ...texts.map(([what, expected, change]) => of(what, expected, () => fault(change(order), published))),
  ];
}
