import { basename } from 'node:path';
import { readNamedFile } from '../../config/named-file.ts';

/** Files of rules by their names, as they are kept at the gateway. @throws {TradeAgentError} `invalid_config` */
export function readRuleTexts(files: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    files.map((file) => [
      basename(file),
      readNamedFile(file, 'file of rules', 'docs/guide/POLICY.md says what stands in one.'),
    ]),
  );
}
