import { RECEIPT_KEYS_PATH } from '../trading/receipt.ts';

/** Where whatever the gateway has mounted may be; nothing is, where it has none. */
const MOUNTS = ['/mcp'];
const METADATA = '/.well-known/oauth-protected-resource';

/** What of the one address is the gateway's; all else is the provider's and the phone's. */
export function isGatewayPath(path: string): boolean {
  return (
    path.startsWith('/v1/') ||
    ['/v1', '/healthz', '/readyz', '/ciba/ping', METADATA, RECEIPT_KEYS_PATH].includes(path) ||
    MOUNTS.some((mount) => path === mount || path === `${METADATA}${mount}`)
  );
}
