import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, type PeerCertificate } from 'node:tls';
import type { HomeSettings } from '../../../home/settings/home-settings.ts';
import { defined } from '../../../values/defined.ts';
import { DAY_MS } from '../../../values/durations.ts';
import type { App } from '../../app.ts';
import { type Finding, fail, ok, skip, warn } from '../../doctor/finding.ts';

const LIMIT_MS = 5_000;
/** A certificate of 90 days is renewed when a third of them are left. */
const SOON_DAYS = 14;

/**
 * The certificate: of its own files where there are such, and as phones see it at the address.
 * @param authorities trusted instead of the system's, for tests
 */
export async function checkCertificate(
  { clock, signal }: Pick<App, 'clock' | 'signal'>,
  { address, tls }: Pick<HomeSettings, 'address' | 'tls'>,
  authorities?: string,
): Promise<Finding[]> {
  const { protocol, hostname, port } = new URL(address);
  if (protocol !== 'https:') return [];
  const own = tls === undefined ? [] : [ownFiles(tls, hostname, clock.now())];
  return [...own, await seen(hostname, Number(port || 443), { now: clock.now(), signal, authorities })];
}

function ownFiles(tls: NonNullable<HomeSettings['tls']>, host: string, now: number): Finding {
  const check = 'tls';
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(readFileSync(tls.cert));
    if (!certificate.checkPrivateKey(createPrivateKey(readFileSync(tls.key)))) {
      return fail(
        check,
        `${tls.key} is not the key of ${tls.cert}`,
        'Name both files of one certificate under "tls".',
      );
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return fail(
      check,
      `the certificate's files can't be used (${code ?? message})`,
      'Have the home’s user read both; PEM.',
    );
  }
  if (certificate.checkHost(host) === undefined) {
    return fail(check, `${tls.cert} is not for ${host}`, `Have one made out for ${host}.`);
  }
  return lasting(check, `${tls.cert} is for ${host}`, Date.parse(certificate.validTo), now);
}

/** As somebody sees it who comes from outside. */
async function seen(
  host: string,
  port: number,
  { now, signal, authorities }: { now: number; signal: AbortSignal; authorities: string | undefined },
): Promise<Finding> {
  const check = 'certificate';
  const found = await peerCertificate(host, port, signal, authorities);
  signal.throwIfAborted();
  if (found === undefined) return skip(check, `nothing answers at ${host}:${port} yet`);
  if (found.problem !== undefined) {
    return fail(
      check,
      `phones will not trust ${host}: ${found.problem}`,
      'Take a certificate of a public authority for this very name: phones keep passkeys for no other.',
    );
  }
  return lasting(check, `${host} is trusted`, Date.parse(found.certificate.valid_to), now);
}

function lasting(check: string, message: string, until: number, now: number): Finding {
  const days = Math.floor((until - now) / DAY_MS);
  const details = { valid_to: new Date(until).toISOString() };
  if (days < 0) return fail(check, `${message}, but the certificate has expired`, 'Renew it.', { details });
  if (days < SOON_DAYS) {
    return warn(check, `${message}; the certificate ends in ${days} days`, 'See why it is not renewed.', {
      details,
    });
  }
  return ok(check, `${message}, for ${days} days`, { details });
}

function peerCertificate(
  host: string,
  port: number,
  signal: AbortSignal,
  authorities: string | undefined,
): Promise<{ readonly certificate: PeerCertificate; readonly problem: string | undefined } | undefined> {
  return new Promise((resolve) => {
    const socket = connect({
      ...{ host, port, servername: host, rejectUnauthorized: false },
      ...defined({ ca: authorities }),
    });
    const end = (found?: { certificate: PeerCertificate; problem: string | undefined }) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      socket.destroy();
      resolve(found);
    };
    const stop = () => end();
    const timer = setTimeout(stop, LIMIT_MS);
    signal.addEventListener('abort', stop, { once: true });
    socket.once('error', stop);
    socket.once('secureConnect', () =>
      end({
        certificate: socket.getPeerCertificate(),
        problem: socket.authorized ? undefined : String(socket.authorizationError),
      }),
    );
  });
}
