import { exits, sessionExits } from '../../../app/exit-codes.ts';
import type { ReceiptVerdict } from '../../../app/receipts.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addReceiptsCommand(program: CliCommand): void {
  const receipts = program
    .command('receipts')
    .summary('what shows others that you approved an order')
    .description(
      'A receipt shows, to anybody and without this program, who approved an order by which key, what was sent, and what the broker said. Its file verifies by itself.',
    )
    .examples(
      ['trade-agent receipts', 'one row each'],
      ['trade-agent receipts export pr_4f8K2aB7cD1xQ9zL', 'a file to keep, or to give away'],
      ['trade-agent receipts verify receipt.json --key gateway-key.json', 'needs no network and no login'],
    )
    .exits(...sessionExits);
  receipts
    .command('list', { isDefault: true })
    .description('list your receipts')
    .examples(['trade-agent receipts list --output json', 'for scripts'])
    .exits(...sessionExits)
    .runs(printReceipts);
  receipts
    .command('show')
    .description('show a receipt, and whether it holds')
    .argument('<id>', 'as "trade-agent receipts" lists it, or an order\'s client_order_id')
    .examples(['trade-agent receipts show pr_4f8K2aB7cD1xQ9zL', 'who signed what, and what was sent'])
    .exits(...sessionExits)
    .runs(async (context, id: string) => {
      const { findReceipt } = await import('../../../app/receipts.ts');
      return await printVerdict(context, id, await findReceipt(context, id));
    });
  receipts
    .command('export')
    .description('write a receipt to a file')
    .argument('<id>', 'as "trade-agent receipts" lists it, or an order\'s client_order_id')
    .option('--to <file>', 'where (default: receipt-ID.json, here)')
    .examples(['trade-agent receipts export pr_4f8K2aB7cD1xQ9zL --to aapl.json', 'one file'])
    .exits(...sessionExits)
    .runs(async (context, id: string, { to }: { to?: string }) => {
      const { exportReceipt } = await import('../../../app/receipts.ts');
      const written = await exportReceipt(context, id, to);
      await context.output.result(
        'receipt-file',
        written,
        () => `${written.file}\nsigned by the gateway's key ${written.key}`,
      );
    });
  receipts
    .command('verify')
    .description('find out whether a file is a receipt that holds; needs no login')
    .argument('<file>', 'a receipt')
    .option(
      '--key <key>',
      "the gateway's key: a file (JWK, JWK Set) or its thumbprint (default: what the profile's gateway publishes)",
    )
    .option('--phone-key <fingerprint>', "the fingerprint that the phone's key must have")
    .examples(
      ['trade-agent receipts verify receipt.json --key gateway-key.json', 'with a key that you have kept'],
      ['trade-agent receipts verify receipt.json', "by the key of your profile's gateway"],
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
    if (receipts.length === 0) return 'There are no receipts: no order was sent yet.';
    const { receiptsText } = await import('./receipt-text.ts');
    const { readerOf } = await import('../../text/reader.ts');
    return receiptsText(receipts, readerOf(context.io));
  });
}

async function printVerdict(
  context: Context,
  what: string,
  verdict: ReceiptVerdict & { readonly from?: string },
): Promise<0 | 1> {
  await context.output.result('receipt', { ...verdict }, async () => {
    const { receiptText, refusedText } = await import('./receipt-text.ts');
    const { readerOf } = await import('../../text/reader.ts');
    return verdict.ok ? receiptText(verdict, readerOf(context.io)) : refusedText(what, verdict);
  });
  return verdict.ok ? exits.done : exits.failed;
}
