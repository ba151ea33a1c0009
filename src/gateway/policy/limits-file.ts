import { join } from 'node:path';
import { parseYaml } from '../../config/yaml-file.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { readPrivateFile } from '../../machine/private-file.ts';
import { type Limits, limitsSchema } from './limits.ts';

const LONGEST_FILE = 64 * 1024;

/**
 * The limits of a gateway, `limits.yaml` of its folder; undefined where there is no such file.
 * @throws {TradeAgentError} `invalid_config`, with the line and what may stand there: a gateway must not start without
 *   the limits that its owner meant
 */
export async function readLimits(folder: string): Promise<Limits | undefined> {
  const file = join(folder, 'limits.yaml');
  const text = readPrivateFile(
    file,
    LONGEST_FILE,
    (why) =>
      new TradeAgentError('invalid_config', `${file} can't be used: ${why}`, {
        hint: 'It limits what may be traded, so it must be its owner’s alone.',
        details: { file },
      }),
  );
  return text === undefined ? undefined : await parseYaml(limitsSchema, text, file);
}
