import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

/** OpenSSL plays the authority: its tokens are nobody's here. */
export const hasOpenssl = spawnSync('openssl', ['version'], { timeout: 30_000 }).status === 0;

const config = `
[tsa]
default_tsa = tsa_config
[tsa_config]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
[req]
distinguished_name = name
prompt = no
[name]
CN = ignored
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[stamps]
extendedKeyUsage = critical, timeStamping
`;

/** A time-stamp authority on loopback (RFC 3161 over HTTP), with a certificate authority of its own above it. */
export interface TimeStampServer {
  readonly url: string;
  /** Path of its root, PEM. */
  readonly ca: string;
  /** How it answers; `openssl ts -reply` unless a test has it fail. */
  answer: (query: Buffer) => { readonly status: number; readonly body: Buffer };
  /** Media types that it was asked with. */
  readonly asked: (string | undefined)[];
  close(): Promise<void>;
}

/** @param algorithm of its keys */
export async function startTimeStampServer(algorithm: 'rsa' | 'ec' = 'rsa'): Promise<TimeStampServer> {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-tsa-'));
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, timeout: 60_000, stdio: ['ignore', 'pipe', 'pipe'] });
  writeFileSync(join(folder, 'tsa.cnf'), config);
  writeFileSync(join(folder, 'serial'), '01\n');
  const newKey = algorithm === 'rsa' ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const request = (name: string, ...more: string[]) =>
    openssl(
      ...['req', '-config', 'tsa.cnf', '-newkey', ...newKey, '-nodes', '-sha256', '-subj', `/CN=${name}`],
      ...more,
    );
  request('A test root', '-x509', '-days', '2', '-extensions', 'ca', '-keyout', 'ca.key', '-out', 'ca.pem');
  request('A test authority', '-keyout', 'tsa.key', '-out', 'tsa.csr');
  openssl(
    ...['x509', '-req', '-in', 'tsa.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', '7'],
    ...['-days', '1', '-sha256', '-extfile', 'tsa.cnf', '-extensions', 'stamps', '-out', 'tsa.pem'],
  );
  const reply = (query: Buffer): Buffer => {
    writeFileSync(join(folder, 'query'), query);
    openssl(
      ...['ts', '-reply', '-config', 'tsa.cnf', '-section', 'tsa_config', '-queryfile', 'query'],
      ...['-signer', 'tsa.pem', '-inkey', 'tsa.key', '-out', 'reply'],
    );
    return readFileSync(join(folder, 'reply'));
  };
  const asked: (string | undefined)[] = [];
  const server = createServer(async (message, response) => {
    asked.push(message.headers['content-type']);
    const { status, body } = authority.answer(await buffer(message));
    response.writeHead(status, { 'content-type': 'application/timestamp-reply' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const authority: TimeStampServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    ca: join(folder, 'ca.pem'),
    answer: (query) => ({ status: 200, body: reply(query) }),
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true });
    },
  };
  return authority;
}
