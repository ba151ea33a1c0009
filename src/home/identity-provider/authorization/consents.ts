import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import { type Client, errors, type InteractionResults } from 'oidc-provider';
import { type GrantDetails, grantIdentifier } from '../../../approval/signature/grant.ts';
import { isLoopbackUrl } from '../../../net/secure-url.ts';
import { MCP_SCOPES } from '../../../oauth/scopes.ts';
import type { AuthorizedClientStore, NamedClient } from '../../../store/home/authorized-clients.ts';
import { AlreadyDecidedError } from '../../../store/home/oidc-store.ts';
import type { Grants } from '../grants.ts';
import { isOneOf, mcpResource } from '../protocol/protocol.ts';
import {
  type GrantConsent,
  type GrantLifetimeDays,
  grantEnd,
  type SignedGrants,
  setGrantEnd,
} from '../signed-grants.ts';
import { EXTRA_MCP_SCOPES } from './authorization-request.ts';
import { formatRedirectTarget, hasAppScheme, isDocumentClientId, toNamedClient } from './public-client.ts';

/** A client that waits for consent, as displayed to the person. */
export interface ConsentRequest extends NamedClient {
  readonly clientId: string;
  /**
   * Whether the client is identified by its metadata document at `host`. If not, `host` is only the host that receives
   * the response.
   */
  readonly hasDocument: boolean;
  /** Redirect URI that receives the code, exactly as the client sent it. */
  readonly redirectUri: string;
  readonly answeredAt: string;
  /** Whether the response goes to the person's own machine, where another listener or app could receive it. */
  readonly isLocal: boolean;
  readonly isOfApp: boolean;
  readonly scopes: readonly string[];
}

/** The browser's request. Its cookie proves that the client sent this browser to the home. */
interface BrowserExchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

export type Consents = ReturnType<typeof createConsents>;

interface ConsentsOptions {
  readonly provider: () => Promise<Provider>;
  readonly resource: string;
  readonly authorized: Pick<AuthorizedClientStore, 'note'>;
  readonly grants: Pick<Grants, 'discard'>;
  readonly signed: SignedGrants;
  readonly now: () => number;
}

/** A consent request, and the client that sent the browser here. */
interface Loaded {
  readonly interaction: Awaited<ReturnType<Provider['interactionDetails']>>;
  readonly client: Client;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
}

export function createConsents(options: ConsentsOptions) {
  const target = mcpResource(options.resource);

  const load = async ({ incoming, outgoing }: BrowserExchange, id: string): Promise<Loaded | undefined> => {
    const provider = await options.provider();
    try {
      const interaction = await provider.interactionDetails(incoming, outgoing);
      // The cookie identifies the request, and the address must contain the same ID. The library checks no expiry here.
      if (interaction.uid !== id || interaction.exp * 1000 <= options.now()) return undefined;
      const { client_id: clientId, redirect_uri: redirectUri, scope } = interaction.params;
      const client = await provider.Client.find(String(clientId));
      if (client === undefined || typeof redirectUri !== 'string') return undefined;
      return { interaction, client, redirectUri, scopes: typeof scope === 'string' ? scope.split(' ') : [] };
    } catch (error) {
      if (error instanceof errors.SessionNotFound || error instanceof errors.InvalidClient) return undefined;
      throw error;
    }
  };

  /** Stores the answer. Returns false if the request already has an answer, because only the first one counts. */
  const answer = async ({ incoming, outgoing }: BrowserExchange, result: InteractionResults): Promise<boolean> => {
    const provider = await options.provider();
    try {
      await provider.interactionResult(incoming, outgoing, result, { mergeWithLastSubmission: false });
      return true;
    } catch (error) {
      if (error instanceof AlreadyDecidedError) return false;
      throw error;
    }
  };

  return {
    /** Returns the request, or undefined if it has ended or the client did not send this browser here. */
    async find(exchange: BrowserExchange, id: string): Promise<ConsentRequest | undefined> {
      const loaded = await load(exchange, id);
      if (loaded === undefined || loaded.interaction.result !== undefined) return undefined;
      const { client, redirectUri, scopes } = loaded;
      return {
        ...toNamedClient(client, redirectUri),
        clientId: client.clientId,
        hasDocument: isDocumentClientId(client.clientId),
        redirectUri,
        answeredAt: formatRedirectTarget(redirectUri),
        isLocal: hasAppScheme(new URL(redirectUri)) || isLoopbackUrl(new URL(redirectUri)),
        isOfApp: hasAppScheme(new URL(redirectUri)),
        scopes,
      };
    },
    /** Returns the grant's details for signing. Returns undefined in the same cases as `find`. */
    async details(
      exchange: BrowserExchange,
      id: string,
      user: string,
      days: GrantLifetimeDays,
    ): Promise<GrantDetails | undefined> {
      const loaded = await load(exchange, id);
      if (loaded === undefined || loaded.interaction.result !== undefined) return undefined;
      return toGrantDetails(loaded, options, { user, days });
    },
    /**
     * Grants the client access as `user`, or denies access if `consent` is undefined.
     * @returns the path on this server that sends the browser back to the client; undefined in the same cases as `find`
     * @throws `signature_…` if the person did not sign, in which case the request stays open
     */
    async decide(
      exchange: BrowserExchange,
      id: string,
      user: string,
      consent: GrantConsent | undefined,
    ): Promise<string | undefined> {
      const loaded = await load(exchange, id);
      if (loaded === undefined) return undefined;
      const { interaction, client, redirectUri, scopes } = loaded;
      const back = new URL(interaction.returnTo).pathname;
      if (interaction.result !== undefined) return back;
      if (consent === undefined) {
        await answer(exchange, { error: 'access_denied', error_description: 'the person denied the request' });
        return back;
      }
      const details = toGrantDetails(loaded, options, { user, days: consent.days });
      const by = await options.signed.requireSignature(details, consent);
      const { Grant } = await options.provider();
      const { clientId } = client;
      const grant = new Grant({ clientId, accountId: user });
      setGrantEnd(grant, details.grant.ends_at, options.now());
      const { beside, mcp } = grantedScopes(scopes);
      if (beside.length > 0) grant.addOIDCScope(beside.join(' '));
      grant.addResourceScope(target, mcp.join(' '));
      const grantId = await grant.save();
      await options.authorized.note(grantId, { user, clientId, redirectUri, ...toNamedClient(client, redirectUri) });
      const ts = Math.floor((by.at ?? options.now()) / 1000);
      const isAnswered = await answer(exchange, {
        login: { accountId: user, ts, amr: [...by.amr], remember: false },
        select_account: {},
        consent: { grantId },
      });
      if (!isAnswered) await options.grants.discard(grantId);
      return back;
    },
  };
}

function grantedScopes(scopes: readonly string[]) {
  return {
    beside: scopes.filter((scope) => isOneOf(EXTRA_MCP_SCOPES, scope)),
    mcp: scopes.filter((scope) => isOneOf(MCP_SCOPES, scope)),
  };
}

function toGrantDetails(
  { interaction, client, redirectUri, scopes }: Loaded,
  { signed, resource }: ConsentsOptions,
  { user, days }: { readonly user: string; readonly days: GrantLifetimeDays },
): GrantDetails {
  const { beside, mcp } = grantedScopes(scopes);
  return signed.details(grantIdentifier(interaction.uid), {
    kind: 'agent',
    sub: user,
    client: client.clientId,
    client_name: toNamedClient(client, redirectUri).name,
    scopes: [...beside, ...mcp],
    resources: [mcpResource(resource)],
    accounts: 'all',
    from: redirectUri,
    ends_at: grantEnd(interaction.exp * 1000, days),
  });
}
