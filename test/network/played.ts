import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from './certificate.ts';
import type { Facts } from './facts.ts';
import { withNamespaces } from './namespaces.ts';
import type { PlayName, PlayOptions } from './player.ts';

/** Plays a scenario in namespaces of its own, which are gone afterwards with all that ran in them. */
export async function played<N extends PlayName>(name: N, options: PlayOptions<N>): Promise<Facts> {
  const folder = mkdtempSync(join(tmpdir(), 'ta-net-tls-'));
  try {
    return await withNamespaces({ cable: name === 'cable' }, async (namespaces) => {
      const { cable } = namespaces;
      // The swallowing proxy reads what passes through it.
      const isPlain = name === 'swallowed';
      const tls = isPlain ? undefined : makeCertificate(folder, cable?.brokerAddress ?? '127.0.0.1');
      const file = new URL('./player.ts', import.meta.url).pathname;
      const argument = JSON.stringify({ namespaces, options });
      const command = ['netns', 'exec', namespaces.gateway, process.execPath, '--no-warnings', file, name];
      const child = spawn('ip', [...command, argument], {
        env: {
          ...process.env,
          NODE_OPTIONS: '',
          ...(tls && { NODE_EXTRA_CA_CERTS: tls.certFile, NETWORK_TLS_KEY: tls.keyFile }),
        },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      return await new Promise<Facts>((resolve, reject) => {
        child.once('message', (answer: { facts?: Facts; failure?: string }) => {
          if (answer.facts !== undefined) resolve(answer.facts);
          else reject(new Error(answer.failure));
        });
        child.once('error', reject);
        child.once('exit', (code) => reject(new Error(`the scenario ended with ${code}`)));
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
