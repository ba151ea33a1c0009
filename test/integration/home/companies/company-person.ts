import { createHash, randomUUID } from 'node:crypto';
import type { Answer } from '../../approval/world.ts';
import { type CompanyClientKeys, type CompanyIssuer, dpopProof, redeem, validClaims } from './company-issuer.ts';

export type CompanyPerson = Awaited<ReturnType<typeof personOf>>;

interface At {
  readonly issuer: string;
  readonly gateway: string;
}

/** Somebody of a company, at a gateway by what their company says. @param claims other than a valid assertion's */
export async function companyPerson(
  { issuer, gateway }: At,
  company: CompanyIssuer,
  client: CompanyClientKeys,
  claims: object = {},
) {
  const said = { ...validClaims(company.issuer, { issuer, resource: gateway }, client.id), ...claims };
  return await personOf({ issuer, gateway }, client, await company.sign(said));
}

/** Redeems an assertion. @throws {Error} with the home's refusal beside it, as `error` */
export async function personOf({ issuer, gateway }: At, client: CompanyClientKeys, assertion: string) {
  const { status, body } = await redeem(issuer, client, assertion);
  if (status !== 200) throw Object.assign(new Error(`${status} ${JSON.stringify(body)}`), body);
  const token = String(body.access_token);
  return {
    token,
    async send(method: string, path: string, sent?: unknown): Promise<Answer> {
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
