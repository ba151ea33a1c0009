import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { TlsFiles } from '../../src/net/http-server.ts';

/** Writes a certificate for the broker's address. Call it before anything speaks TLS: Node reads what it trusts once. */
export function makeCertificate(folder: string, address: string): TlsFiles {
  const certFile = join(folder, 'broker-cert.pem');
  const keyFile = join(folder, 'broker-key.pem');
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-subj', '/CN=broker', '-addext', `subjectAltName=IP:${address}`],
      ...['-keyout', keyFile, '-out', certFile],
    ],
    { stdio: 'ignore' },
  );
  return { certFile, keyFile };
}
