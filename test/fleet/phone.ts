import { toWebauthnEvidence } from '../../src/approval/signature/statement.ts';
import { pairByHttp, submitSigned } from '../integration/home/http-browser.ts';
import { createAuthenticator } from '../unit/approval/signature/authenticator.ts';

export type PersonPhone = Awaited<ReturnType<typeof pairPhone>>;

type Statement = Parameters<typeof toWebauthnEvidence>[1];

const json = { accept: 'application/json' };

/** Pairs a browser by the link of `home pair`: it signs approvals by a passkey of its own. */
export async function pairPhone(link: string) {
  const { origin } = new URL(link);
  const place = { origin, rpId: new URL(origin).hostname };
  // One that is synced counts nothing. Of two taps at once the later may come first: by a count the other would be a copy's.
  const authenticator = createAuthenticator('ES256', place, { synced: true, counts: false });
  const { browser } = await pairByHttp(link, { authenticator });
  let token: string | undefined;
  const known = new Map<string, { readonly challenge: string; readonly statement: Statement }>();
  const post = async (path: string, form: Record<string, string> = {}) => {
    token ??= await browser.formToken('/phone');
    const response = await browser.post(path, { form_token: token, ...form }, json);
    const text = await response.text();
    const isPast = [404, 409, 410].includes(response.status);
    if (!response.ok && !isPast) throw new Error(`${path}: ${response.status} ${text}`);
    return { isPast, text };
  };
  const waiting = async (): Promise<string[]> => {
    const page = await browser.visit('/phone');
    const text = await page.text();
    if (!page.ok) throw new Error(`no phone: ${page.status} ${text}`);
    return [...new Set([...text.matchAll(/(?:\/phone\/requests\/|[?&;]request=)([\w-]+)/g)].map(([, id = '']) => id))];
  };
  return {
    publicKey: Buffer.from(authenticator.publicKey).toString('base64url'),
    async completeDevice(code: string): Promise<void> {
      const form = { user_code: code, decision: 'allow' };
      const answer = await submitSigned(browser, `/device/confirm?user_code=${code}`, '/device/confirm', form);
      if (!answer.ok) throw new Error(`not signed in: ${answer.status} ${await answer.text()}`);
    },
    /** The requests about a proposal that wait for an answer. */
    async requestsAbout(proposal: string): Promise<string[]> {
      const ids = await waiting();
      for (const id of ids) {
        if (known.has(id)) continue;
        const { isPast, text } = await post(`/phone/requests/${id}/options`);
        if (!isPast) known.set(id, JSON.parse(text) as { challenge: string; statement: Statement });
      }
      return ids.filter((id) => known.get(id)?.statement.proposal === proposal);
    },
    /** Answers one of {@link requestsAbout}. @returns whether the request was past, so that the answer counts no more */
    async decide(id: string, decision: 'approve' | 'deny'): Promise<{ readonly isPast: boolean }> {
      const found = known.get(id);
      if (found === undefined) throw new Error(`the phone does not show ${id}`);
      const { challenge, statement } = found;
      const evidence = () => JSON.stringify(toWebauthnEvidence(authenticator.assert(challenge), statement));
      return await post(`/phone/requests/${id}`, {
        decision,
        ...(decision === 'approve' && { evidence: evidence() }),
      });
    },
  };
}
