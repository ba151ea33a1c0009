import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { ADMIN } from './keycloak-admin.ts';
import { REALM } from './realm.ts';

const START_LIMIT_MS = 600_000;

export interface KeycloakServer {
  /** The realm's issuer. */
  readonly issuer: string;
  close(): Promise<void>;
}

/**
 * Starts an unpacked Keycloak on loopback with one realm.
 * @param channel where it reports CIBA requests: its authentication channel
 * @param settings further arguments of `kc.sh`
 */
export async function startKeycloak(options: {
  readonly home: string;
  readonly realm: Record<string, unknown>;
  readonly channel?: string;
  readonly settings?: readonly string[];
}): Promise<KeycloakServer> {
  const [port, management] = [await freePort(), await freePort()];
  const base = `http://127.0.0.1:${port}`;
  const imports = join(options.home, 'data', 'import');
  mkdirSync(imports, { recursive: true });
  writeFileSync(join(imports, 'realm.json'), JSON.stringify(options.realm));
  const child = spawn(
    // Not run by itself: unpacked by the JDK's tool it is not executable.
    'sh',
    [
      join(options.home, 'bin', 'kc.sh'),
      'start-dev',
      '--import-realm',
      '--http-host=127.0.0.1',
      `--http-port=${port}`,
      `--http-management-port=${management}`,
      `--hostname=${base}`,
      ...(options.channel === undefined
        ? []
        : ['--spi-ciba-auth-channel--ciba-http-auth-channel--http-authentication-channel-uri', options.channel]),
      ...(options.settings ?? []),
    ],
    {
      // A group of its own: kc.sh starts Java as a child, which must end with it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: options.home,
        JAVA_OPTS_APPEND: '-Xmx768m',
        KC_BOOTSTRAP_ADMIN_USERNAME: ADMIN.username,
        KC_BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
      },
    },
  );
  let log = '';
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const close = async () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await ended;
  };
  try {
    await new Promise<void>((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error(`Keycloak did not start:\n${log}`)), START_LIMIT_MS);
      const read = (chunk: Buffer) => {
        log += chunk.toString('utf8');
        if (/Listening on: http/.test(log)) {
          clearTimeout(limit);
          resolve();
        }
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('error', reject);
      child.once('close', () => reject(new Error(`Keycloak ended:\n${log}`)));
    });
  } catch (error) {
    await close();
    throw error;
  }
  return { issuer: `${base}/realms/${REALM}`, close };
}
