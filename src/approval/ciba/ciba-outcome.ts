import { secondsAhead } from '../../auth/provider/provider-clock.ts';
import { isSecureUrl } from '../../net/secure-url.ts';
import type { Outcome } from '../asking-port.ts';
import type { CibaClient } from './ciba-client.ts';

const TIMEOUT_MS = 10_000;
const LONGEST_TEXT = 200;

/**
 * Tells the provider what became of a question, where it listens: a `backchannel_outcome_endpoint` in its metadata takes
 * `auth_req_id`, `state` and `text` from the client that asked. Where a withdrawal comes after the tap (409), the
 * question is past taking back: then its phone is told that nothing comes of what was approved.
 * @returns false where it was not taken in (5xx), and is to be told again
 */
export async function tellOutcome(
  client: CibaClient,
  authReqId: string,
  outcome: Outcome,
  options: { readonly issuer: string; readonly fetch: typeof fetch | undefined },
): Promise<boolean> {
  const { backchannel_outcome_endpoint: endpoint } = client.metadata;
  if (typeof endpoint !== 'string' || !isSecureUrl(endpoint)) return true;
  const { clockSkew } = await import('openid-client');
  const tell = async (state: Outcome['state']): Promise<number> => {
    const text = outcome.text.slice(0, LONGEST_TEXT);
    const body = new URLSearchParams({ auth_req_id: authReqId, state, text });
    const headers = new Headers({ 'content-type': 'application/x-www-form-urlencoded' });
    await client.authentication(
      client.metadata,
      { client_id: client.clientId, [clockSkew]: -secondsAhead(options.issuer) },
      body,
      headers,
    );
    const response = await (options.fetch ?? fetch)(endpoint, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.status;
  };
  const status = await tell(outcome.state);
  const isLate = status === 409 && outcome.state === 'cancelled';
  return (isLate ? await tell('blocked') : status) < 500;
}
