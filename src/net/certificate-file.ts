import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { TradeAgentError } from '../errors/errors.ts';
import { defined } from '../values/defined.ts';

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a file, PEM, each by itself. @throws {TradeAgentError} `invalid_config` where it holds none */
export async function readCertificates(file: string): Promise<string[]> {
  try {
    const found = (await readFile(file, 'utf8')).match(PEM) ?? [];
    for (const pem of found) new X509Certificate(pem);
    if (found.length > 0) return found;
  } catch (cause) {
    throw unusable(file, cause);
  }
  throw unusable(file);
}

function unusable(file: string, cause?: unknown): TradeAgentError {
  return new TradeAgentError('invalid_config', `${file} holds no certificates that can be read`, {
    hint: 'Name a file in PEM, with one certificate or several.',
    details: { file },
    ...defined({ cause }),
  });
}
