import type { ReceiptVerdict } from '../../../app/receipts.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { getKindDefinition } from '../../../trading/kinds/kinds.ts';
import { describeOrderOutcome } from '../../../trading/order-outcome.ts';
import type { GrantReceipt, Receipt, ReceiptEntry, SignedApproval } from '../../../trading/receipt.ts';
import type { OutputAudience } from '../../text/audience.ts';
import { fitTable } from '../../text/table.ts';

const byWords: Readonly<Record<ReceiptEntry['by'], string>> = {
  signature: 'signed',
  mandate: 'under a mandate',
  token: 'not signed',
};

export function receiptsText(receipts: readonly ReceiptEntry[], audience: OutputAudience): Promise<string> {
  const ids = audience.ids(receipts.map(({ id }) => id));
  return fitTable<ReceiptEntry>(
    [
      { head: 'ID', cell: ({ id }) => ids(id) },
      { head: 'WHAT', cell: ({ summary }) => safeLine(summary), shortens: true },
      { rank: 1, head: 'APPROVED', cell: ({ by }) => byWords[by] },
      { rank: 2, head: 'AT', cell: ({ at }) => audience.time(at) },
    ],
    receipts,
    audience.columns,
  );
}

export function receiptText(
  { receipt, key, phone_keys: phones }: ReceiptVerdict & { ok: true },
  audience: OutputAudience,
): string {
  if ('grant' in receipt) return grantText(receipt, { key, fingerprint: phones[0]?.fingerprint ?? '' }, audience);
  const { proposal, approvals, mandate, orders, decision } = receipt;
  const signed = [...approvals, ...(mandate?.approvals ?? [])];
  const rows: [string, string][] = [
    [
      'proposed',
      `${audience.time(proposal.created_at)} by ${proposal.requested_by ?? proposal.client}, ${proposal.code}`,
    ],
    ['at worst', proposal.worst_case?.text ?? 'no money moves'],
    ...(mandate === null ? [] : [['mandate', mandate.id] as [string, string]]),
    ...signed.map((approval, at): [string, string] => [
      'signed',
      describeSignature(approval, phones[at]?.fingerprint ?? '', audience),
    ]),
    ...(decision === null ? [] : [['rules', decision.policy] as [string, string]]),
    ...orders.map((order): [string, string] => ['sent', describeSubmission(order, audience)]),
    ['record', `${receipt.record.length} lines`],
    ['gateway', `${receipt.gateway}, key ${key}`],
  ];
  return [
    `${proposal.id}  VALID  ${safeLine(getKindDefinition(proposal.kind).summary(proposal.subject))}`,
    ...rows.map(([label, value]) => `  ${label.padEnd(9)} ${safeLine(value)}`),
  ].join('\n');
}

function grantText(
  { grant, approval, record, gateway }: GrantReceipt,
  { key, fingerprint }: { readonly key: string; readonly fingerprint: string },
  audience: OutputAudience,
): string {
  const { kind, client, client_name: name, scopes, from, ends_at } = grant.terms;
  const rows: [string, string][] = [
    ...(client === null ? [] : [['app', name === null ? client : `${name} (${client})`] as [string, string]]),
    ...(scopes.length === 0 ? [] : [['may', scopes.join(' ')] as [string, string]]),
    ...(from === null ? [] : [['from', from] as [string, string]]),
    ['ends', ends_at === null ? 'when you remove it' : audience.time(ends_at)],
    ['signed', describeSignature(approval, fingerprint, audience)],
    ['record', `${record.length} lines`],
    ['gateway', `${gateway}, key ${key}`],
  ];
  return [
    `${grant.id}  VALID  access: ${kind.replace('_', ' ')}`,
    ...rows.map(([label, value]) => `  ${label.padEnd(9)} ${safeLine(value)}`),
  ].join('\n');
}

export function invalidReceiptText(what: string, { fault, text }: ReceiptVerdict & { ok: false }): string {
  return `${safeLine(what)}  INVALID  ${safeLine(text)} (${fault})`;
}

function describeSignature({ sub, key }: SignedApproval, fingerprint: string, audience: OutputAudience): string {
  const kind =
    key.method === 'software'
      ? 'a software key'
      : key.device_type === 'multiDevice'
        ? 'a synced passkey'
        : 'a single-device passkey';
  return `by ${sub} with "${key.name}", ${kind} enrolled ${audience.time(key.enrolled_at)}, ${fingerprint}`;
}

function describeSubmission(
  { client_order_id, state, submissions, submitted_at, answered, problem }: Receipt['orders'][number],
  audience: OutputAudience,
): string {
  const times = submissions === 1 ? 'once' : `${submissions} times`;
  const when = submitted_at === null ? '' : `, last ${audience.time(submitted_at)}`;
  const came =
    answered === null
      ? problem === null
        ? state
        : String(problem.detail ?? problem.code ?? state)
      : describeOrderOutcome(answered);
  return `${client_order_id} ${times}${when}: ${came}`;
}
