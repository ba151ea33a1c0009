/**
 * What of the one address is the gateway's; all else is the provider's and the phone's.
 * @param mounts paths of what else is served behind the gateway's door
 */
export function isGatewayPath(path: string, mounts: readonly string[]): boolean {
  const metadata = '/.well-known/oauth-protected-resource';
  return (
    path.startsWith('/v1/') ||
    ['/v1', '/healthz', '/ciba/ping', metadata].includes(path) ||
    mounts.some((mount) => path === mount || path === `${metadata}${mount}`)
  );
}
