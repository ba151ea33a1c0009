import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { TradeAgentError } from '../errors/errors.ts';
import { defined } from '../values/defined.ts';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads a PEM file and returns its certificates one by one.
 * @throws {TradeAgentError} `invalid_config` if the file has no readable certificate
 */
export async function readCertificates(file: string): Promise<string[]> {
  try {
    const found = (await readFile(file, 'utf8')).match(PEM_CERTIFICATE) ?? [];
    for (const pem of found) new X509Certificate(pem);
    if (found.length > 0) return found;
  } catch (cause) {
    throw unreadableCertificates(file, cause);
  }
  throw unreadableCertificates(file);
}

function unreadableCertificates(file: string, cause?: unknown): TradeAgentError {
  return new TradeAgentError('invalid_config', `${file} contains no readable certificates`, {
    hint: 'Pass a PEM file with one or more certificates.',
    details: { file },
    ...defined({ cause }),
  });
}
