import { expect, it } from 'vitest';
import { deriveReceiptKey } from '../../../src/approval/receipts/receipt-key.ts';
import { createReceipts } from '../../../src/gateway/record/receipts.ts';

const keysOf = async (sealSecret: string | readonly [string, ...string[]]) => {
  const parts = { sealSecret, signed: true, now: () => 0 };
  const { keys } = await createReceipts({ resource: 'https://gateway.example' } as never, parts as never).keys();
  return keys;
};

it('a gateway names the keys that it signed receipts with before its secret was replaced, the newest first', async () => {
  const [newest, older] = [(await deriveReceiptKey('newest')).jwk, (await deriveReceiptKey('older')).jwk];
  expect(await keysOf('older')).toEqual([older]);
  expect(await keysOf(['newest', 'older'])).toEqual([newest, older]);
});
