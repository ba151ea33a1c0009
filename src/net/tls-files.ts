import { X509Certificate } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { TradeAgentError } from '../errors/errors.ts';
import type { Clock } from '../machine/clock.ts';

/** A certificate with what it was issued by (PEM), and its private key (PEM). */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What a server speaks TLS by; `stamp` is another once a file is. */
interface TlsPair {
  readonly options: SecureContextOptions;
  readonly stamp: string;
  readonly endsAt: number;
}

/** A chain of certificates is some 10 KB. */
const LONGEST_FILE = 1024 * 1024;
/** Certificates are renewed days before they end. */
const LOOK_EVERY_MS = 10_000;

/** Those of TLS 1.3, and of TLS 1.2 what is authenticated and keeps no session's secret (RFC 9325 §4.2). */
const CIPHERS = [
  ...['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'],
  ...['ECDHE+AESGCM', 'ECDHE+CHACHA20'],
].join(':');

const HINT =
  'Name the certificate with its chain, and its private key, both PEM files that this user can read.';

/** @throws {TradeAgentError} `invalid_config`, naming the file */
export async function readTlsFiles(files: TlsFiles): Promise<TlsPair> {
  const { certFile, keyFile } = files;
  const stamp = await stampOf(files);
  const cert = await readPem(certFile, 'certificate');
  const key = await readPem(keyFile, 'private key');
  const options: SecureContextOptions = { cert, key, minVersion: 'TLSv1.2', ciphers: CIPHERS };
  let endsAt: number;
  try {
    endsAt = Date.parse(new X509Certificate(cert).validTo);
  } catch {
    throw unusable(certFile, 'it holds no certificate (PEM)');
  }
  try {
    createSecureContext(options);
  } catch (error) {
    // OpenSSL's words are about formats and numbers; no part of a key is in them, and none is passed on.
    const differs = (error as NodeJS.ErrnoException).code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH';
    throw unusable(keyFile, differs ? `it is not the key of ${certFile}` : 'it holds no private key (PEM)');
  }
  return { options, stamp, endsAt };
}

/**
 * Looks at the files again and again, and hands on what is new: connections that stand go on as they were. A new file that
 * can't be used is said once, and the old stays in use; files are replaced one after the other, so the second look decides.
 * @param inUse what the server has now
 * @returns when the signal aborts
 */
export async function followRenewals(
  files: TlsFiles,
  inUse: TlsPair,
  use: (pair: TlsPair) => void,
  options: {
    readonly clock: Pick<Clock, 'sleep'>;
    readonly tell: (line: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { clock, tell, signal } = options;
  let used = inUse.stamp;
  let broken: { readonly stamp: string; readonly looks: number } | undefined;
  const rested = () =>
    clock.sleep(LOOK_EVERY_MS, signal).then(
      () => true,
      () => false,
    );
  while (await rested()) {
    const stamp = await stampOf(files);
    if (stamp === used) continue;
    try {
      const pair = await readTlsFiles(files);
      use(pair);
      used = pair.stamp;
      broken = undefined;
      tell(`the renewed certificate of ${files.certFile} is in use`);
    } catch (error) {
      broken = { stamp, looks: broken?.stamp === stamp ? broken.looks + 1 : 1 };
      const why = error instanceof Error ? error.message : 'unknown error';
      if (broken.looks === 2)
        tell(`warning: the renewed certificate can't be used, the old one stays: ${why}`);
    }
  }
}

/** Follows links: what renews certificates often puts a link to the newest in the old one's place. */
async function stampOf({ certFile, keyFile }: TlsFiles): Promise<string> {
  const one = async (file: string) => {
    try {
      const { ino, size, mtimeMs, mode } = await stat(file);
      return [ino, size, mtimeMs, mode].join(':');
    } catch {
      return 'none';
    }
  };
  return `${await one(certFile)} ${await one(keyFile)}`;
}

async function readPem(file: string, what: 'certificate' | 'private key'): Promise<Buffer> {
  try {
    const handle = await open(file);
    try {
      const { mode, size } = await handle.stat();
      if (size > LONGEST_FILE) throw unusable(file, `it is too long for a ${what}`);
      // Windows has no such modes.
      if (what === 'private key' && process.platform !== 'win32' && (mode & 0o007) !== 0) {
        throw new TradeAgentError('invalid_config', `${file} can be read by anybody`, {
          hint: `It is a private key: chmod o-rwx ${file}`,
          details: { file },
        });
      }
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof TradeAgentError) throw error;
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw code === 'ENOENT'
      ? new TradeAgentError('invalid_config', `there is no ${what} ${file}`, {
          hint: HINT,
          details: { file },
        })
      : unusable(file, code);
  }
}

function unusable(file: string, why: string): TradeAgentError {
  return new TradeAgentError('invalid_config', `${file} can't be used: ${why}`, {
    hint: HINT,
    details: { file },
  });
}
