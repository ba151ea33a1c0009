import { randomBytes } from 'node:crypto';
import { Ajv } from 'ajv';
import { Hono } from 'hono';
import { listenOnLoopback } from '../../../src/net/http-server.ts';
import { openBytes, sealBytes } from '../../../src/secrets/aes-gcm.ts';
import { failure, transit } from '../../contract/vault/schemas.ts';

const ajv = new Ajv();
const checks = {
  encrypt: { request: ajv.compile(transit.encrypt.request), answer: ajv.compile(transit.encrypt.answer) },
  decrypt: { request: ajv.compile(transit.decrypt.request), answer: ajv.compile(transit.decrypt.answer) },
};
const isFailure = ajv.compile(failure);

/** A Vault's transit engine, as far as it encrypts and decrypts, with one key; what comes and goes is held to its documentation. */
export async function startVault({ token, key }: { readonly token: string; readonly key: string }) {
  const versions = [randomBytes(32)];
  const state = { token, sealed: false, answer: undefined as (() => Response) | undefined };
  const requests: { readonly path: string; readonly headers: Headers }[] = [];
  const wrong: string[] = [];
  const refuse = (status: number, message: string) => ({ status, body: { errors: [message] } });

  const operations = {
    encrypt: ({ plaintext = '', associated_data = '' }: Record<string, string>) => {
      const [text, context] = [plaintext, associated_data].map((part) => Buffer.from(part, 'base64'));
      const sealed = sealBytes(versions.at(-1) as Buffer, text as Buffer, context as Buffer);
      return { ciphertext: `vault:v${versions.length}:${sealed.toString('base64')}` };
    },
    decrypt: ({ ciphertext = '', associated_data = '' }: Record<string, string>) => {
      const [, version, sealed = ''] = /^vault:v(\d+):(.*)$/.exec(ciphertext) ?? [];
      const by = versions[Number(version) - 1] ?? Buffer.alloc(32);
      const context = Buffer.from(associated_data, 'base64');
      return { plaintext: openBytes(by, Buffer.from(sealed, 'base64'), context).toString('base64') };
    },
  };

  const answerTo = (operation: keyof typeof operations, name: string, given: unknown, body: unknown) => {
    if (state.sealed) return refuse(503, 'Vault is sealed');
    if (given !== state.token) return refuse(403, 'permission denied');
    if (name !== key) return refuse(400, 'encryption key not found');
    if (!checks[operation].request(body))
      wrong.push(`${operation}: ${ajv.errorsText(checks[operation].request.errors)}`);
    try {
      return { status: 200, body: { request_id: 'r', data: operations[operation](body as never) } };
    } catch {
      return refuse(400, 'invalid ciphertext: unable to decrypt');
    }
  };

  const app = new Hono();
  // Its own clients send PUT, which it takes alike.
  app.on(['POST', 'PUT'], '/v1/transit/:operation{encrypt|decrypt}/:name', async (context) => {
    requests.push({ path: context.req.path, headers: new Headers(context.req.raw.headers) });
    if (state.answer !== undefined) return state.answer();
    const operation = context.req.param('operation') as keyof typeof operations;
    const given = context.req.header('x-vault-token');
    const { status, body } = answerTo(operation, context.req.param('name'), given, await context.req.json());
    const isSound = status === 200 ? checks[operation].answer(body) : isFailure(body);
    if (!isSound) wrong.push(`${operation} ${status}: ${ajv.errorsText()}`);
    return Response.json(body, { status });
  });
  const server = await listenOnLoopback(0, Date.now);
  server.serveApp(app);
  return {
    url: server.url,
    state,
    requests,
    /** What was not as documented, on either side. */
    wrong: (): readonly string[] => wrong,
    rotate: () => versions.push(randomBytes(32)),
    close: () => server.close(),
  };
}
