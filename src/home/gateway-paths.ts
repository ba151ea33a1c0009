/** What of the one address is the gateway's; all else is the provider's and the phone's. */
export function isGatewayPath(path: string): boolean {
  return (
    path.startsWith('/v1/') ||
    ['/v1', '/healthz', '/ciba/ping', '/.well-known/oauth-protected-resource'].includes(path)
  );
}
