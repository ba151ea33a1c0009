import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const storedSeedSchema = z.looseObject({ gateway_key: z.looseObject({ d: z.string() }) });

/** Returns the secret with which a sandbox's gateway seals and signs. Undefined if the folder has no sandbox. */
export function readSandboxSecret(folder: string): string | undefined {
  const file = join(folder, 'seed.json');
  return existsSync(file) ? storedSeedSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).gateway_key.d : undefined;
}
