import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The version these tests were written against; KEYCLOAK_VERSION tries another. */
export const KEYCLOAK_VERSION = process.env.KEYCLOAK_VERSION ?? '26.4.7';

const DOWNLOAD_LIMIT_MS = 600_000;

/**
 * Keycloak's own distribution, unmodified, fetched by Maven and unpacked into `folder`.
 * @returns where it is, or why there is none on this machine
 */
export async function unpackKeycloak(
  folder: string,
  version = KEYCLOAK_VERSION,
): Promise<{ home: string } | { missing: string }> {
  const java = await run('java', ['-version']).catch(() => undefined);
  const major = Number(/version "(\d+)/.exec(java?.stderr ?? '')?.[1] ?? 0);
  if (major < 17) return { missing: 'Java 17 or newer is not installed' };
  if (!(await run('mvn', ['--version']).catch(() => undefined))) return { missing: 'Maven is not installed' };

  const copies = mkdtempSync(join(folder, 'maven-'));
  const artifact = `org.keycloak:keycloak-quarkus-dist:${version}:zip`;
  const maven = (goal: string, ...properties: string[]) =>
    run('mvn', ['-B', '-ntp', '-q', `org.apache.maven.plugins:maven-dependency-plugin:3.8.1:${goal}`, ...properties], {
      timeout: DOWNLOAD_LIMIT_MS,
      cwd: folder,
    });
  try {
    await maven('get', `-Dartifact=${artifact}`, '-Dtransitive=false');
    await maven('copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${copies}`);
  } catch {
    return { missing: `Maven could not fetch ${artifact}` };
  }
  const zip = readdirSync(copies).find((name) => name.endsWith('.zip'));
  if (zip === undefined) return { missing: `Maven copied no ${artifact}` };
  // The JDK's own tool: it knows zip files, and every machine with Java has one.
  await run('jar', ['xf', join(copies, zip)], { cwd: folder }).catch(() =>
    run('unzip', ['-q', join(copies, zip), '-d', folder]),
  );
  const home = join(folder, `keycloak-${version}`);
  return existsSync(join(home, 'bin', 'kc.sh')) ? { home } : { missing: 'the distribution is not as expected' };
}
