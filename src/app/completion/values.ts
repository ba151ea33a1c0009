import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ensurePrivateFolder } from '../../machine/directories.ts';
import { writePrivateFile } from '../../machine/private-file.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import type { App } from '../app.ts';

/** Timeout for symbols in milliseconds. It is short because an offline list is the fallback. */
const SYMBOLS_TIMEOUT_MS = 300;
/** Timeout for IDs in milliseconds. It is longer because only the gateway can list them. */
const IDS_TIMEOUT_MS = 2_000;
const MAX_VALUES = 200;

export type CompletionKind =
  | 'symbols'
  | 'orders'
  | 'threads'
  | 'approvals'
  | 'mandates'
  | 'schedules'
  | 'profiles'
  | 'connections';

/** Returns completion candidates, most likely first. Returns none if that takes too long. Never throws or prompts. */
export async function listCompletionValues(app: App, kind: CompletionKind): Promise<readonly string[]> {
  try {
    if (!localKinds.includes(kind)) await requireRunning(app);
    return (await valueSources[kind](app)).slice(0, MAX_VALUES);
  } catch {
    return [];
  }
}

const localKinds: readonly CompletionKind[] = ['schedules', 'profiles', 'connections'];

/** Rejects if the profile's sandbox isn't running, because completion must not start a sandbox. */
async function requireRunning(app: App): Promise<void> {
  const { findProfile } = await import('../../config/resolve-profile.ts');
  if (!findProfile(await app.config(), app.profileName).sandbox) return;
  const { ensureSandbox } = await import('../sandbox-connection.ts');
  const { sandbox } = await app.home();
  await ensureSandbox({ sandboxHome: sandbox, env: app.env, start: false, notice: () => undefined });
}

const idLister = (list: (gateway: GatewayClient) => Promise<readonly { readonly id: string }[]>) => (app: App) =>
  withTimeout(IDS_TIMEOUT_MS, async () => (await list(await app.gateway())).map(({ id }) => id));

const valueSources: Readonly<Record<CompletionKind, (app: App) => Promise<readonly string[]>>> = {
  symbols: heldSymbols,
  orders: idLister((gateway) => gateway.orders({ status: 'open', limit: 50 })),
  threads: (app) =>
    withTimeout(IDS_TIMEOUT_MS, async () =>
      (await (await app.agent({})).threads({ asKept: true })).map(({ thread }) => thread),
    ),
  approvals: idLister((gateway) => gateway.proposals({ state: 'all', limit: 50 })),
  mandates: idLister((gateway) => gateway.mandates()),
  schedules: async (app) => {
    const { openSchedules } = await import('../schedule/schedule-context.ts');
    const store = await openSchedules(app);
    return store.list().flatMap(({ id, name }) => (name === null ? [id] : [name, id]));
  },
  profiles: async (app) => {
    const { listProfiles } = await import('../profile/profiles.ts');
    return (await listProfiles(app)).map(({ name }) => name);
  },
  connections: async () => {
    const { connectionNames } = await import('../../auth/connections/known-connections.ts');
    return connectionNames;
  },
};

/** Returns the symbols of the current or last known positions, followed by the symbols of well-known companies. */
async function heldSymbols(app: App): Promise<readonly string[]> {
  const { tickersByNickname } = await import('../../agent/reader/symbols-by-name.ts');
  const known = Object.values(tickersByNickname).flat();
  const file = join(ensurePrivateFolder((await app.home()).data), 'symbols.json');
  const { name: profile } = await app.profile();
  const held = await withTimeout(SYMBOLS_TIMEOUT_MS, async () =>
    (await (await app.gateway()).positions()).map(({ symbol }) => symbol),
  ).catch(() => undefined);
  if (held !== undefined) writePrivateFile(file, JSON.stringify({ ...readLastSeen(file), [profile]: held }));
  const own = held ?? readLastSeen(file)[profile] ?? [];
  return [...new Set([...own, ...known])];
}

function readLastSeen(file: string): Record<string, string[]> {
  try {
    return z.record(z.string(), z.array(z.string())).parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return {};
  }
}

/** Runs `work` with a time limit in milliseconds. @throws {Error} when the time is up */
async function withTimeout<T>(ms: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('too late')), ms);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
