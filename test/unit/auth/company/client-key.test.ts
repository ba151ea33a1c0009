import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { companyClientYamlLines, ensureCompanyKey, publicCompanyKey } from '../../../../src/auth/company/client-key.ts';
import { openFileStore } from '../../../../src/secrets/file/file-store.ts';

const newStore = () =>
  openFileStore({ folder: mkdtempSync(join(tmpdir(), 'trade-agent-company-key-')), profile: 'work' });

it('a machine’s key for a company is made once, also by several at once, and kept', async () => {
  const store = newStore();
  const [first, ...others] = await Promise.all([
    ensureCompanyKey(store),
    ensureCompanyKey(store),
    ensureCompanyKey(store),
  ]);
  for (const other of others) expect(other).toEqual(first);
  expect(await ensureCompanyKey(store)).toEqual(first);
});

it('what is shown of it is its public half, named by its thumbprint', async () => {
  const key = await ensureCompanyKey(newStore());
  const shown = publicCompanyKey(key);
  expect(Object.keys(shown).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  expect(JSON.stringify(shown)).not.toContain(key.d);
  expect(shown.kid).toBe(await calculateJwkThumbprint({ kty: key.kty, crv: key.crv, x: key.x, y: key.y }));
});

it('the lines for home.yaml are YAML that says issuer, client and key, whatever they are called', async () => {
  const shown = publicCompanyKey(await ensureCompanyKey(newStore()));
  const company = { issuer: 'https://login.acme.example/a:b', client_id: 'yes: #no' };
  expect(parse(companyClientYamlLines(company, shown).join('\n'))).toEqual({
    companies: [
      {
        issuer: company.issuer,
        clients: [{ client_id: company.client_id, name: 'trade-agent', jwks: { keys: [shown] } }],
      },
    ],
  });
});
