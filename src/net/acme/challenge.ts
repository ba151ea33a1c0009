import { timingSafeEqual } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { createSecureContext, type SecureContext } from 'node:tls';
import { TradeAgentError } from '../../errors/errors.ts';

/**
 * The challenge types that a home can answer: in the TLS handshake on its https port, or over plain HTTP on port 80.
 */
export const challengeTypes = ['tls-alpn-01', 'http-01'] as const;
export type ChallengeType = (typeof challengeTypes)[number];

/** A certificate authority's challenge. A correct answer proves that the host name leads to this machine. */
export interface Challenge {
  readonly host: string;
  readonly token: string;
  /** The token and the account key's thumbprint (RFC 8555 §8.1). */
  readonly keyAuthorization: string;
}

const REQUEST_TIMEOUT_MS = 10_000;
/** Maximum number of connections while a challenge runs. Authorities need only a few. */
const MAX_CONNECTIONS = 64;

/** Answers one challenge at a time. Port 80 is open only while a challenge runs. */
export class ChallengeResponder {
  readonly type: ChallengeType;
  /** The local address that answers HTTP-01 challenges. */
  readonly #listen: { readonly host: string; readonly port: number };
  #handshake: { readonly host: string; readonly certificate: SecureContext } | undefined;

  constructor(type: ChallengeType, listen: { readonly host: string; readonly port: number }) {
    this.type = type;
    this.#listen = listen;
  }

  /** Returns the certificate that answers a running TLS-ALPN-01 challenge for the host. */
  readonly certificateFor = (host: string): SecureContext | undefined =>
    this.#handshake?.host === host ? this.#handshake.certificate : undefined;

  /**
   * Answers a challenge until the returned function is called.
   * @throws {TradeAgentError} `port_in_use` if the port for HTTP-01 can't be opened
   */
  async answer(challenge: Challenge): Promise<() => Promise<void>> {
    if (this.type === 'http-01') return await this.#answerRequests(challenge);
    this.#handshake = { host: challenge.host, certificate: await createChallengeCertificate(challenge) };
    return async () => {
      this.#handshake = undefined;
    };
  }

  /**
   * Checks that a challenge could be answered. Called before an authority is asked, because authorities limit attempts.
   * @throws {TradeAgentError} `port_in_use`
   */
  async requirePort(): Promise<void> {
    if (this.type !== 'http-01') return;
    const server = createServer();
    await this.#open(server);
    await new Promise((resolve) => server.close(resolve));
  }

  async #answerRequests({ host, token, keyAuthorization }: Challenge): Promise<() => Promise<void>> {
    const path = `/.well-known/acme-challenge/${token}`;
    const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, keepAlive: false }, (request, response) => {
      const [name] = (request.headers.host ?? '').toLowerCase().split(':');
      const isChallenge = request.method === 'GET' && name === host && isSame(request.url ?? '', path);
      if (isChallenge) response.setHeader('content-type', 'application/octet-stream');
      response.writeHead(isChallenge ? 200 : 404, { connection: 'close' }).end(isChallenge ? keyAuthorization : '');
    });
    server.maxConnections = MAX_CONNECTIONS;
    await this.#open(server);
    return () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
  }

  async #open(server: Server): Promise<void> {
    const { host, port } = this.#listen;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    }).catch((cause: NodeJS.ErrnoException) => {
      throw new TradeAgentError('port_in_use', `port ${port} on ${host} can't be opened (${cause.code})`, {
        hint:
          cause.code === 'EACCES'
            ? 'Ports below 1024 need a permission ("trade-agent home service --low-port"). Or set "acme.http_listen" in home.yaml to another port, and forward port 80 to it.'
            : 'Stop the program that uses it, set "acme.http_listen" in home.yaml to another port and forward port 80 to it, or use "challenge: tls-alpn-01", which needs no port 80.',
        cause,
      });
    });
  }
}

function isSame(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Creates the self-signed certificate whose extension proves possession of the account key (RFC 8737 §3). */
async function createChallengeCertificate({ host, keyAuthorization }: Challenge): Promise<SecureContext> {
  const { default: acme } = await import('acme-client');
  const authorization = { identifier: { type: 'dns', value: host } } as Parameters<
    typeof acme.crypto.createAlpnCertificate
  >[0];
  const ownKey = await acme.crypto.createPrivateEcdsaKey();
  const [key, cert] = await acme.crypto.createAlpnCertificate(authorization, keyAuthorization, ownKey);
  return createSecureContext({ key, cert });
}
