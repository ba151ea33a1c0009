import { type CheckpointReader, createCheckpointReader } from '../approval/checkpoints/checkpoint-reader.ts';
import { type CheckpointWriter, createCheckpointWriter } from '../approval/checkpoints/checkpoints.ts';
import { deriveReceiptKey } from '../approval/receipts/receipt-key.ts';
import type { Clock } from '../machine/clock.ts';
import { readCertificates } from '../net/certificate-file.ts';
import { toSecretList } from '../secrets/token-seal.ts';
import { type GatewayApprovalOptions, type GatewayOptions, getErrorCallback } from './gateway-options.ts';
import type { AnchorSettings } from './settings/common-settings.ts';

export function createRecordCheckpointWriter(
  { resource, identifier = resource, stores, anchor, ...options }: GatewayOptions,
  {
    sealSecret,
    sequence,
    clock,
  }: Pick<GatewayApprovalOptions, 'sealSecret'> & {
    readonly sequence: () => Promise<unknown>;
    readonly clock: Clock;
  },
): CheckpointWriter {
  const [newest] = toSecretList(sealSecret);
  const onError = getErrorCallback(options);
  return createCheckpointWriter({
    store: stores.checkpoints,
    key: deriveReceiptKey(newest),
    gateway: identifier,
    ...(anchor === undefined ? {} : { anchor: () => anchorOf(anchor, options.fetch ?? fetch) }),
    sequence,
    clock,
    onError,
  });
}

/** Returns a reader that trusts the gateway's current and former keys. */
export async function createGatewayCheckpointReader({
  sealSecret,
}: Pick<GatewayApprovalOptions, 'sealSecret'>): Promise<CheckpointReader> {
  const keys = await Promise.all(toSecretList(sealSecret).map(deriveReceiptKey));
  return createCheckpointReader({ keys: keys.map(({ jwk }) => jwk) });
}

async function anchorOf({ rfc3161, ca_file }: AnchorSettings, send: typeof fetch) {
  const { createTimeStampAuthority } = await import('../approval/checkpoints/time-stamp-authority.ts');
  const trusted = ca_file === undefined ? undefined : await readCertificates(ca_file);
  return createTimeStampAuthority({ url: rfc3161, fetch: send, trusted });
}
