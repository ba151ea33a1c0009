import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { transformer } from '@openfga/syntax-transformer';
import { freePort } from '../free-port.ts';

export const PRESHARED_KEY = 'the-preshared-key-of-the-test';

export interface Tuple {
  readonly user: string;
  readonly relation: string;
  readonly object: string;
  readonly condition?: { readonly name: string; readonly context: Record<string, string> };
}

/** A store of its own, with the model that is shipped. */
export interface FgaStore {
  readonly store: string;
  readonly model: string;
  write(...tuples: Tuple[]): Promise<void>;
  delete(...tuples: Tuple[]): Promise<void>;
}

export interface OpenFga {
  readonly url: string;
  newStore(): Promise<FgaStore>;
  /** As `kill -9`. */
  kill(): Promise<void>;
}

/** Starts it on loopback, keeping all in memory. */
export async function startOpenFga(binary: string): Promise<OpenFga> {
  const [http, grpc] = [await freePort(), await freePort()];
  const child = spawn(
    binary,
    [
      'run',
      ...['--datastore-engine', 'memory'],
      ...['--http-addr', `127.0.0.1:${http}`, '--grpc-addr', `127.0.0.1:${grpc}`],
      ...['--metrics-enabled=false', '--playground-enabled=false'],
      ...['--authn-method', 'preshared', '--authn-preshared-keys', PRESHARED_KEY],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env.PATH, HOME: process.env.HOME } },
  );
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log = `${log}${chunk}`.slice(-4000);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  const url = `http://127.0.0.1:${http}`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`OpenFGA ended: ${log}`);
    const ready = await fetch(`${url}/healthz`).catch(() => undefined);
    if (ready?.status === 200) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const post = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${PRESHARED_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer;
  };
  const shipped: unknown = transformer.transformDSLToJSONObject(readFileSync('docs/operate/access/model.fga', 'utf8'));
  return {
    url,
    async newStore() {
      const { id } = await post('/stores', { name: 'a test' });
      const { authorization_model_id } = await post(`/stores/${id}/authorization-models`, shipped);
      return {
        store: String(id),
        model: String(authorization_model_id),
        write: async (...tuples) => {
          if (tuples.length > 0) await post(`/stores/${id}/write`, { writes: { tuple_keys: tuples } });
        },
        delete: async (...tuples) => {
          const keys = tuples.map(({ user, relation, object }) => ({ user, relation, object }));
          await post(`/stores/${id}/write`, { deletes: { tuple_keys: keys } });
        },
      };
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
