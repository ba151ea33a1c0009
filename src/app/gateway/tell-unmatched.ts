import type { FolderRules } from '../../gateway/policy/files/rules-source.ts';
import { type KnownAccounts, unmatchedAccounts } from '../../gateway/policy/limited-accounts.ts';

/** Loads the rules, and says which accounts and entries of limits.yaml don't match. Never throws: what can't be read is met again by the first decision. */
export async function tellUnmatched(
  rules: FolderRules,
  known: KnownAccounts,
  tell: (message: string) => void,
): Promise<void> {
  await rules.preload();
  try {
    const { written } = await rules.current();
    for (const message of await unmatchedAccounts(written.limits, known)) tell(message);
  } catch {}
}
