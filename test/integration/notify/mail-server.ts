import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

const tls = new URL('../../fixtures/tls/', import.meta.url);
export const loopbackCertificate = fileURLToPath(new URL('loopback-cert.pem', tls));

export interface ReceivedMail {
  readonly user: string | undefined;
  readonly secure: boolean;
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
}

/** A real SMTP server on loopback, by another author's library. */
export interface MailServer {
  readonly port: number;
  readonly received: ReceivedMail[];
  /** How often somebody tried to sign in, and with which password. */
  readonly passwords: string[];
  close(): Promise<void>;
}

export async function openMailServer(
  options: SMTPServerOptions & { readonly password?: string; readonly port?: number } = {},
): Promise<MailServer> {
  const received: ReceivedMail[] = [];
  const passwords: string[] = [];
  const { password = '', port = 0, ...more } = options;
  const server = new SMTPServer({
    key: readFileSync(new URL('loopback-key.pem', tls)),
    cert: readFileSync(loopbackCertificate),
    closeTimeout: 100,
    onAuth: (credentials, _session, done) => {
      const username = credentials.username ?? '';
      const given = credentials.password ?? '';
      passwords.push(given);
      // A server as careless as can be: it says back what it was sent.
      if (given !== password) return done(new Error(`no such password: ${given}`));
      done(null, { user: username });
    },
    onData: (stream, session, done) => {
      let text = '';
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8');
      });
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          user: session.user === undefined ? undefined : String(session.user),
          secure: session.secure,
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text,
        });
        done();
      });
    },
    ...more,
  });
  server.on('error', () => undefined);
  const listening = server.listen(port, '127.0.0.1');
  await once(listening, 'listening');
  return {
    port: (listening.address() as AddressInfo).port,
    received,
    passwords,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
