import type { Session } from '../../../src/auth/session/session.ts';
import type { ResolvedProfile } from '../../../src/config/profile.ts';

export function profileAt(gateway: string): ResolvedProfile {
  return {
    name: 'test',
    sandbox: false,
    issuer: gateway,
    gateway,
    audience: gateway,
    environment: 'paper',
    login_client: { client_id: 'trade-agent' },
    credential_store: 'file',
    model: { provider: 'builtin' },
    max_slippage: '0.01',
    approval_ttl: 300,
    phone: undefined,
  };
}

export function sessionOf(profile: ResolvedProfile, sub = 'alice-sub'): Session {
  const bearer = (token: string, init: RequestInit): RequestInit => ({
    ...init,
    headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${token}` },
  });
  return {
    profile,
    user: { sub, name: 'Alice Example', email: 'alice@example.com' },
    fetch: (url, init) => fetch(url, bearer(`PLANTED-SESSION-TOKEN.${sub}`, init)),
  };
}
