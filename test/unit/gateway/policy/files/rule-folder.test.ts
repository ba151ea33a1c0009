import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe } from 'vitest';
import { createRuleFolder } from '../../../../../src/gateway/policy/files/rule-folder.ts';
import { ruleStoreContract } from '../../../../contract/stores/rule-store.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-rule-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the rules in a folder', () => {
  ruleStoreContract(async () => ({
    store: createRuleFolder(folder),
    another: createRuleFolder(folder),
    noted: async () => [],
  }));
});
