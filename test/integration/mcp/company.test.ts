import {
  Client,
  CrossAppAccessProvider,
  createPrivateKeyJwtAuth,
  DpopSession,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { decodeJwt, exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CompanyClientKeys,
  type CompanyIssuer,
  companyOfTests,
  newClient,
  startIssuer,
  validClaims,
} from '../home/companies/company-issuer.ts';
import { type McpWorld, startMcpWorld } from './mcp-world.ts';

/* MCP's enterprise-managed authorization: a company's program comes to /mcp by the SDK's own provider for it. */

let acme: CompanyIssuer;
let client: CompanyClientKeys;
let world: McpWorld;
beforeAll(async () => {
  acme = await startIssuer();
  client = await newClient('agent-acme');
  world = await startMcpWorld({ companies: [companyOfTests(acme.issuer, client)], holdMs: 100 });
});
afterAll(async () => {
  await world?.close();
  await acme?.close();
});

/** As the SDK has it, but that it proves itself by its key, and binds its tokens to another: this home takes no secret. */
class CompanyProvider extends CrossAppAccessProvider {
  readonly addClientAuthentication: ReturnType<typeof createPrivateKeyJwtAuth>;
  readonly #session: DpopSession;

  constructor(
    options: ConstructorParameters<typeof CrossAppAccessProvider>[0] & { readonly key: object },
    session: DpopSession,
  ) {
    super(options);
    this.#session = session;
    const { clientId } = options;
    this.addClientAuthentication = createPrivateKeyJwtAuth({
      ...{ issuer: clientId, subject: clientId, alg: 'ES256', lifetimeSeconds: 60 },
      privateKey: options.key as Record<string, unknown>,
    });
  }

  dpop() {
    return this.#session;
  }
}

async function provider(claims: object = {}) {
  const { issuer } = world.sandbox.ready;
  const asked: { authorizationServerUrl: string; resourceUrl: string; scope?: string }[] = [];
  const made = new CompanyProvider(
    {
      assertion: async (context) => {
        asked.push(context);
        const { authorizationServerUrl, resourceUrl, scope } = context;
        const home = { issuer: new URL(authorizationServerUrl).origin, resource: resourceUrl };
        const said = validClaims(acme.issuer, home, client.id);
        return await acme.sign({ ...said, ...(scope === undefined ? {} : { scope }), ...claims });
      },
      clientId: client.id,
      clientSecret: '',
      expectedIssuer: issuer,
      key: await exportJWK(client.key.privateKey),
    },
    await DpopSession.create(),
  );
  return { made, asked };
}

async function connected(made: CompanyProvider) {
  const agent = new Client({ name: 'acme-agent', version: '1' }, {
    versionNegotiation: { mode: { pin: '2026-07-28' } },
  } as never);
  await agent.connect(new StreamableHTTPClientTransport(new URL(world.url), { authProvider: made }));
  return agent;
}

describe('a company’s MCP client', () => {
  it('is let in by its company’s word, sees the tools that it may use, and asks its person', async () => {
    const { made, asked } = await provider();
    const agent = await connected(made);
    const tools = (await agent.listTools()).tools.map(({ name }) => name);
    expect(tools).toEqual(expect.arrayContaining(['get_quote', 'place_order']));
    expect(asked).toHaveLength(1);
    expect(asked[0]?.resourceUrl).toBe(world.url);
    const token = made.tokens();
    expect(token?.refresh_token).toBeUndefined();
    expect(decodeJwt(token?.access_token ?? '')).toMatchObject({ aud: world.url, sub: 'alice', org: 'acme' });

    const placed = await agent.callTool({
      name: 'place_order',
      arguments: { symbol: 'AAPL', side: 'buy', qty: '1' },
    });
    expect(placed.structuredContent).toMatchObject({ status: 'pending_approval' });
    const [shown] = await world.phone.requests('alice');
    expect(shown?.details).toMatchObject({ requested_by: 'Agent at Acme' });
    await agent.close();
  });

  it('opens nothing at /v1 by a token for /mcp', async () => {
    const { made } = await provider();
    const agent = await connected(made);
    await agent.close();
    const { gateway } = world.sandbox.ready;
    const headers = { authorization: `DPoP ${made.tokens()?.access_token}` };
    const response = await fetch(`${gateway}/v1/account`, { headers });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 'token_audience' });
  });

  it('is refused with a word for the gateway itself', async () => {
    const { made } = await provider({ resource: world.sandbox.ready.gateway });
    await expect(connected(made)).rejects.toThrow('another resource');
  });
});
