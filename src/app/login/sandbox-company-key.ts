import { companyKey, publicCompanyKey } from '../../auth/company/client-key.ts';
import type { CompanySignIn } from '../../config/profile.ts';
import type { App } from '../app.ts';

const ENTER_TIMEOUT_MS = 5000;

/** At the sandbox's company nobody is there to enter a machine's key: it takes one that is sent to it. */
export async function enterKeyAtSandbox(app: App, { issuer, client_id }: CompanySignIn): Promise<void> {
  if ((await app.sandbox()).company?.issuer !== issuer) return;
  const key = publicCompanyKey(await companyKey(await app.store()));
  // Where it is not taken, the sign-in that follows says so.
  await app.fetch(`${issuer}/clients/${encodeURIComponent(client_id)}/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(key),
    signal: AbortSignal.any([app.signal, AbortSignal.timeout(ENTER_TIMEOUT_MS)]),
  });
}
