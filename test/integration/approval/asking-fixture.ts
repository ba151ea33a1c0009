import { exportJWK, generateKeyPair, type JWK } from 'jose';
import type { CibaApprovalClientOptions } from '../../../src/approval/ciba/ciba-approval-client.ts';
import type { CibaRequest } from '../../../src/approval/ciba/ciba-port.ts';
import { hastyClock } from '../auth/identity-provider-world.ts';
import type { LyingProvider } from '../auth/lying-provider.ts';
import { anOrder } from '../auth/order-details.ts';

export const GATEWAY = 'http://127.0.0.1:1';

const { privateKey } = await generateKeyPair('ES256', { extractable: true });
/** As "gateway key" makes one. */
export const clientKey: JWK = {
  ...(await exportJWK(privateKey)),
  alg: 'ES256',
  use: 'sig',
  kid: 'gateway-key',
};

export const soon = () => AbortSignal.timeout(20_000);

/** One question to alice's phone; each has an order of its own. */
export function aQuestion(gateway = GATEWAY, change: Partial<CibaRequest> = {}): CibaRequest {
  const { details, message } = anOrder(gateway);
  return {
    asked: { sub: 'alice', name: 'alice', email: 'alice@sandbox.example' },
    scope: 'orders:write',
    bindingMessage: message,
    details: details as unknown as CibaRequest['details'],
    expiresIn: 300,
    notificationToken: 'notification-token-of-the-test',
    ...change,
  };
}

export function optionsFor(
  provider: Pick<LyingProvider, 'issuer'>,
  change: Partial<CibaApprovalClientOptions> = {},
): CibaApprovalClientOptions {
  return {
    issuer: provider.issuer,
    resource: GATEWAY,
    client: { id: 'approval' },
    privateKey: clientKey,
    details: 'rar',
    delivery: 'poll',
    clock: hastyClock,
    ...change,
  };
}
