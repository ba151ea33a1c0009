import { sameSecret } from '../../../secrets/constant-time.ts';
import { formDecoded } from './form-body.ts';

export interface OAuthClient {
  client_id: string;
  client_secret: string;
  redirect_uris: string[];
}

/**
 * The client a request comes from, by client_secret_basic or client_secret_post (RFC 6749, 2.3.1), never both.
 * @returns undefined: unknown, without its secret, or with another
 */
export function authenticated(
  clients: readonly OAuthClient[],
  authorization: string | undefined,
  form: Readonly<Record<string, string>>,
): OAuthClient | undefined {
  const basic = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(authorization ?? '')?.[1];
  let { client_id, client_secret } = form;
  if (basic !== undefined) {
    if (client_secret !== undefined) return undefined;
    const [id = '', secret = ''] = Buffer.from(basic, 'base64').toString().split(':');
    client_id = formDecoded(id);
    client_secret = formDecoded(secret);
  }
  const client = clients.find((known) => known.client_id === client_id);
  return client !== undefined && client_secret && sameSecret(client_secret, client.client_secret)
    ? client
    : undefined;
}
