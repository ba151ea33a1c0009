import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckStore } from '../../../../src/store/sqlite/check-store.ts';
import { checkStoreContract } from '../../../contract/stores/check-store.ts';

checkStoreContract(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-checks-'));
  const store = openCheckStore(join(folder, 'checks.db'), '00'.repeat(32));
  return {
    store,
    async close() {
      store.close();
      rmSync(folder, { recursive: true });
    },
  };
});
