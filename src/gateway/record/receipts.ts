import { findApprovingMandate } from '../../approval/access.ts';
import type { ApprovalKernel } from '../../approval/kernel/kernel.ts';
import type { ApprovalKeys } from '../../approval/keys/approval-keys.ts';
import { makeGrantReceipt, makeReceipt } from '../../approval/receipts/make-receipt.ts';
import { deriveReceiptKey, type ReceiptJwk } from '../../approval/receipts/receipt-key.ts';
import { getApprovedDrafts, receiptKinds } from '../../approval/receipts/verify-receipt.ts';
import type { GrantTerms } from '../../approval/signature/grant.ts';
import { type SealSecrets, toSecretList } from '../../secrets/token-seal.ts';
import type { GatewayStores } from '../../store/gateway-stores.ts';
import type { StoredProposal } from '../../store/proposal-store.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { getKindDefinition } from '../../trading/kinds/kinds.ts';
import type { ReceiptEntry } from '../../trading/receipt.ts';

export type Receipts = ReturnType<typeof createReceipts>;

export function createReceipts(
  {
    resource,
    identifier = resource,
    stores,
    keys,
  }: {
    readonly resource: string;
    readonly identifier?: string | undefined;
    readonly stores: GatewayStores;
    readonly keys?: Pick<ApprovalKeys, 'site'> | undefined;
  },
  parts: {
    readonly sealSecret: SealSecrets;
    readonly kernel: Pick<ApprovalKernel, 'find' | 'list' | 'sequence'>;
    readonly signed: boolean;
    readonly now: () => number;
  },
) {
  const { kernel, now } = parts;
  const [newest, ...older] = toSecretList(parts.sealSecret);
  const key = deriveReceiptKey(newest);
  const sources = async () => ({
    gateway: identifier,
    proposals: stores.proposals,
    keys: stores.keys,
    orders: stores.orders,
    decisions: stores.decisions,
    audit: stores.audit,
    sequence: () => kernel.sequence(),
    site: keys?.site,
    key: await key,
    now,
  });
  const named = async (sub: string, id: string) =>
    (await stores.proposals.bySubject(sub, id)) ?? (await kernel.find(sub, id));
  return {
    /** Lists the receipts of the person's own orders and grants, newest first, including those of rejected orders. */
    async list(sub: string, limit: number): Promise<ReceiptEntry[]> {
      const entries: ReceiptEntry[] = [];
      for (const proposal of await kernel.list(sub, { state: 'all', limit: MAX_LISTED_PROPOSALS })) {
        if (entries.length === limit) break;
        if (await isSent(stores, proposal)) entries.push(entryOf(proposal, parts.signed));
      }
      const all = [...entries, ...(await listGrants(stores, sub, limit))];
      return all.sort((one, other) => (one.at < other.at ? 1 : -1)).slice(0, limit);
    },
    /**
     * Returns the receipt of one of the person's own proposals or grants as JSON text.
     * @param id the proposal's id, an order's `client_order_id`, or a grant's id
     * @throws {HttpProblem} 404 `not_found` if there is no such proposal or grant, or no order was sent for it yet
     */
    async find(sub: string, id: string): Promise<string> {
      if (id.startsWith('gr_')) {
        const granted = await makeGrantReceipt(await sources(), sub, id);
        if (granted !== undefined) return granted;
        throw new HttpProblem(404, 'not_found', 'you signed no such grant here');
      }
      const proposal = await named(sub, id);
      const text = isOfKind(proposal) ? await makeReceipt(await sources(), proposal) : undefined;
      if (text !== undefined) return text;
      throw new HttpProblem(404, 'not_found', 'there is no receipt because no order was sent', {
        hint: 'Only orders, from the time they are sent, and grants of access have receipts.',
      });
    },
    /** Returns all signing keys, newest first. */
    async keys(): Promise<{ readonly keys: readonly ReceiptJwk[] }> {
      const all = await Promise.all([key, ...older.map(deriveReceiptKey)]);
      return { keys: all.map(({ jwk }) => jwk) };
    },
  };
}

/** Maximum number of listed proposals. The receipts of older proposals can be found by id. */
const MAX_LISTED_PROPOSALS = 500;

const isOfKind = ({ kind }: StoredProposal) => receiptKinds.some((one) => one === kind);

/** Returns whether an order of the proposal is in the journal, even one that the broker rejected. */
async function isSent({ orders }: Pick<GatewayStores, 'orders'>, proposal: StoredProposal): Promise<boolean> {
  const { state, sub } = proposal;
  if (!isOfKind(proposal) || ['drafted', 'requested', 'denied'].includes(state)) return false;
  if (['executed', 'unknown'].includes(state)) return true;
  for (const { client_order_id: id } of getApprovedDrafts(proposal)) {
    if ((await orders.find(sub, id)) !== undefined) return true;
  }
  return false;
}

function entryOf(proposal: StoredProposal, signed: boolean): ReceiptEntry {
  const { id, kind, state, subject, updatedAt } = proposal;
  const by = findApprovingMandate(proposal) !== undefined ? 'mandate' : signed ? 'signature' : 'token';
  return {
    id,
    kind,
    state,
    by,
    summary: getKindDefinition(kind).summary(subject),
    at: new Date(updatedAt).toISOString(),
  };
}

/** Lists the grants of access that a person signed, with their terms from the audit log. */
async function listGrants(
  { keys, audit }: Pick<GatewayStores, 'keys' | 'audit'>,
  sub: string,
  limit: number,
): Promise<ReceiptEntry[]> {
  const signed = await keys.listGrants(sub, limit);
  const lines = signed.length === 0 ? [] : await audit.about(signed.map(({ approval }) => approval));
  const facts = lines.map(({ line }) => JSON.parse(line) as { approval?: string; sub?: string; grant?: GrantTerms });
  return signed.flatMap(({ approval: id, signedAt }) => {
    const terms = facts.findLast((line) => line.approval === id && line.sub === sub)?.grant;
    if (terms === undefined) return [];
    const at = new Date(signedAt).toISOString();
    return [{ id, kind: 'grant', state: 'signed', by: 'signature', summary: summarizeGrant(terms), at }];
  });
}

/** Summarizes a grant in one line: `ACCESS device trade-agent on laptop`. */
function summarizeGrant({ kind, client, client_name: name, from }: GrantTerms): string {
  const who = name ?? client;
  return [
    'ACCESS',
    kind.replace('_', ' '),
    ...(who === null ? [] : [who]),
    ...(from === null ? [] : ['from', from]),
  ].join(' ');
}
