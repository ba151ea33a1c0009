import { exitCodes, sessionExitCodes } from '../../../app/exit-codes.ts';
import type { ReceiptVerdict } from '../../../app/receipts.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addReceiptsCommand(program: CliCommand): void {
  const receipts = program
    .command('receipts')
    .summary('show, export and verify signed proof of what you approved')
    .description(
      'A receipt proves to anyone, without this program, who approved an order with which key, what was sent, and how the broker responded. Access that you gave to a device, an agent or an app has a receipt too. The file can be verified on its own.',
    )
    .examples(
      ['trade-agent receipts', 'one row each'],
      ['trade-agent receipts export pr_4f8K2aB7cD1xQ9zL', 'a file to keep or to share'],
      ['trade-agent receipts verify receipt.json --key gateway-key.json', 'needs no network and no login'],
    )
    .exits(...sessionExitCodes);
  receipts
    .command('list', { isDefault: true })
    .description('list your receipts')
    .examples(['trade-agent receipts list --output json', 'for scripts'])
    .exits(...sessionExitCodes)
    .runs(printReceipts);
  receipts
    .command('show')
    .description('show a receipt and whether it is valid')
    .argument('<id>', 'the ID from "trade-agent receipts", or an order\'s client_order_id')
    .examples(['trade-agent receipts show pr_4f8K2aB7cD1xQ9zL', 'who signed what, and what was sent'])
    .exits(...sessionExitCodes)
    .runs(async (context, id: string) => {
      const { fetchReceiptVerdict } = await import('../../../app/receipts.ts');
      return await printVerdict(context, id, await fetchReceiptVerdict(context, id));
    });
  receipts
    .command('export')
    .description('write a receipt to a file')
    .argument('<id>', 'the ID from "trade-agent receipts", or an order\'s client_order_id')
    .option('--to <file>', 'the file to write (default: receipt-ID.json)')
    .examples(['trade-agent receipts export pr_4f8K2aB7cD1xQ9zL --to aapl.json', 'one file'])
    .exits(...sessionExitCodes)
    .runs(async (context, id: string, { to }: { to?: string }) => {
      const { exportReceipt } = await import('../../../app/receipts.ts');
      const written = await exportReceipt(context, id, to);
      await context.output.result(
        'receipt-file',
        written,
        () => `${written.file}\nsigned with the gateway's key ${written.key}`,
      );
    });
  receipts
    .command('verify')
    .description('verify a receipt file; needs no login')
    .argument('<file>', 'a receipt')
    .option(
      '--key <key>',
      "the gateway's key: a file (JWK, JWK Set) or a thumbprint (default: the key that the profile's gateway publishes)",
    )
    .option('--phone-key <fingerprint>', "the expected fingerprint of the phone's key")
    .examples(
      ['trade-agent receipts verify receipt.json --key gateway-key.json', 'with a key that you saved'],
      ['trade-agent receipts verify receipt.json', "with the key of your profile's gateway"],
    )
    .runs(async (context, file: string, options: { key?: string; phoneKey?: string }) => {
      const { verifyReceiptFile } = await import('../../../app/receipts.ts');
      return await printVerdict(context, file, await verifyReceiptFile(context, file, options));
    });
}

async function printReceipts(context: Context): Promise<void> {
  const { listReceipts } = await import('../../../app/receipts.ts');
  const receipts = await listReceipts(context);
  await context.output.result('receipts', { receipts }, async () => {
    if (receipts.length === 0) return 'No receipts: no order has been sent and no access signed yet.';
    const { receiptsText } = await import('./receipt-text.ts');
    const { toAudience } = await import('../../text/audience.ts');
    return receiptsText(receipts, toAudience(context.io));
  });
}

async function printVerdict(
  context: Context,
  what: string,
  verdict: ReceiptVerdict & { readonly from?: string },
): Promise<0 | 1> {
  await context.output.result('receipt', { ...verdict }, async () => {
    const { receiptText, invalidReceiptText } = await import('./receipt-text.ts');
    const { toAudience } = await import('../../text/audience.ts');
    return verdict.ok ? receiptText(verdict, toAudience(context.io)) : invalidReceiptText(what, verdict);
  });
  return verdict.ok ? exitCodes.done : exitCodes.failed;
}
