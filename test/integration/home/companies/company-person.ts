import { createHash, randomUUID } from 'node:crypto';
import type { Answer } from '../../approval/world.ts';
import {
  type CompanyClientKeys,
  type CompanyIssuer,
  dpopProof,
  redeem,
  validClaims,
} from './company-issuer.ts';

/** Somebody of a company, at a gateway by what their company says. */
export interface CompanyPerson {
  readonly token: string;
  send(method: string, path: string, body?: unknown): Promise<Answer>;
}

/** @param claims other than those of a valid assertion */
export async function companyPerson(
  { issuer, gateway }: { readonly issuer: string; readonly gateway: string },
  company: CompanyIssuer,
  client: CompanyClientKeys,
  claims: object = {},
): Promise<CompanyPerson> {
  const said = { ...validClaims(company.issuer, { issuer, resource: gateway }, client.id), ...claims };
  const { status, body } = await redeem(issuer, client, await company.sign(said));
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  const token = String(body.access_token);
  return {
    token,
    async send(method, path, sent) {
      const url = `${gateway}${path}`;
      const ath = createHash('sha256').update(token).digest('base64url');
      const response = await fetch(url, {
        method,
        headers: {
          authorization: `DPoP ${token}`,
          dpop: await dpopProof(client.dpop, method, url, { ath }),
          accept: 'application/json',
          'content-type': 'application/json',
          ...(method === 'POST' ? { 'idempotency-key': randomUUID() } : {}),
        },
        ...(sent === undefined ? {} : { body: JSON.stringify(sent) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? {} : JSON.parse(text),
      };
    },
  };
}
