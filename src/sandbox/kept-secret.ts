import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const keptSchema = z.looseObject({ gateway_key: z.looseObject({ d: z.string() }) });

/** What the gateway of a sandbox seals and signs by, also while it runs; undefined for a folder that is none's. */
export function keptSandboxSecret(folder: string): string | undefined {
  const file = join(folder, 'seed.json');
  return existsSync(file)
    ? keptSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).gateway_key.d
    : undefined;
}
