import { AuditChain } from '../approval/audit-chain.ts';
import { type CheckpointReader, createCheckpointReader } from '../approval/checkpoints/checkpoint-reader.ts';
import { type CheckpointWriter, createCheckpointWriter } from '../approval/checkpoints/checkpoints.ts';
import { deriveReceiptKey } from '../approval/receipts/receipt-key.ts';
import type { Clock } from '../machine/clock.ts';
import { readCertificates } from '../net/certificate-file.ts';
import { toSecretList } from '../secrets/token-seal.ts';
import { type GatewayApprovalOptions, type GatewayOptions, getErrorCallback } from './gateway-options.ts';
import type { AnchorSettings } from './settings/common-settings.ts';

export function createRecordCheckpointWriter(
  { resource, stores, anchor, ...options }: GatewayOptions,
  { sealSecret, auditFile }: Pick<GatewayApprovalOptions, 'sealSecret' | 'auditFile'>,
  clock: Clock,
): CheckpointWriter {
  const [newest] = toSecretList(sealSecret);
  const onError = getErrorCallback(options);
  return createCheckpointWriter({
    store: stores.checkpoints,
    key: deriveReceiptKey(newest),
    gateway: resource,
    ...(anchor === undefined ? {} : { anchor: () => anchorOf(anchor, options.fetch ?? fetch) }),
    flush: () => new AuditChain(auditFile, stores.audit).flush(),
    clock,
    onError,
  });
}

export async function createGatewayCheckpointReader({
  sealSecret,
}: Pick<GatewayApprovalOptions, 'sealSecret'>): Promise<CheckpointReader> {
  const keys = await Promise.all(toSecretList(sealSecret).map(deriveReceiptKey));
  return createCheckpointReader({ isTrusted: (kid) => keys.some(({ jwk }) => jwk.kid === kid) });
}

async function anchorOf({ rfc3161, ca_file }: AnchorSettings, send: typeof fetch) {
  const { createTimeStampAuthority } = await import('../approval/checkpoints/time-stamp-authority.ts');
  const trusted = ca_file === undefined ? undefined : await readCertificates(ca_file);
  return createTimeStampAuthority({ url: rfc3161, fetch: send, trusted });
}
