import { type AuditStores, verifyAuditStores } from '../../approval/audit-verification.ts';
import type { CheckpointReader } from '../../approval/checkpoints/checkpoint-reader.ts';
import type { Clock } from '../../machine/clock.ts';
import type { AuditLine } from '../../store/audit.ts';
import type { GatewayStores } from '../../store/gateway-stores.ts';
import { type RecordLine, type RecordVerdict, recordLineSchema } from '../../trading/record-line.ts';

/** How long a verdict is reused while the audit log does not grow, in milliseconds. */
const VERDICT_VALID_MS = 60_000;

export type AuditLogReader = ReturnType<typeof createAuditLogReader>;

/** @param reader called for each full verification, to create a new reader */
export function createAuditLogReader(
  stores: AuditStores & Pick<GatewayStores, 'audit'>,
  reader: () => Promise<CheckpointReader>,
  clock: Pick<Clock, 'now'>,
) {
  let verified:
    | { readonly checkpoint: string; readonly at: number; readonly verdict: Promise<RecordVerdict> }
    | undefined;
  return {
    /** Returns the person's own entries, newest first. */
    async lines(sub: string, limit: number): Promise<RecordLine[]> {
      return (await stores.audit.listByPerson(sub, limit)).map(parseEntry).filter((line) => line !== undefined);
    },
    /** Verifies the whole audit log, unless it has not grown and the last verdict is recent. */
    async verify(): Promise<RecordVerdict> {
      const { checkpoint = '' } = await stores.audit.tree();
      const age = clock.now() - (verified?.at ?? 0);
      if (verified?.checkpoint !== checkpoint || age < 0 || age > VERDICT_VALID_MS) {
        const verdict = reader().then((checkpoints) => verifyAuditStores(stores, checkpoints));
        verified = { checkpoint, at: clock.now(), verdict };
        verdict.catch(() => {
          verified = undefined;
        });
      }
      return await verified.verdict;
    },
  };
}

/** Parses an entry and removes the provider's request IDs. */
function parseEntry({ leaf, line }: AuditLine): RecordLine | undefined {
  const parsed = recordLineSchema.safeParse({ ...JSON.parse(line), leaf: leaf ?? null }).data;
  if (parsed === undefined) return undefined;
  const { auth_req_id: _, auth_req_hash: __, ...shown } = parsed;
  return shown as RecordLine;
}
