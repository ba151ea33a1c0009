import { errorObject } from '../../../errors/error-object.ts';
import { LIMITS_LOST } from '../../../gateway/policy/files/limits-memory.ts';
import { readFolderRules } from '../../../gateway/policy/files/rules-source.ts';
import { unmatchedAccounts } from '../../../gateway/policy/limited-accounts.ts';
import { hasLimits } from '../../../gateway/policy/limits.ts';
import { type Finding, fail, ok, warn } from '../../doctor/finding.ts';
import type { OpenHome } from '../open-home.ts';

/** Whether the owner's rules can be read, and limit each account: while they are wrong, nothing is traded. */
export async function checkRules({
  folder,
  stores,
  gateway,
}: Pick<OpenHome, 'folder' | 'stores' | 'gateway'>): Promise<Finding[]> {
  try {
    const { written, digest } = await readFolderRules(folder);
    const { limits, texts } = written;
    if (!hasLimits(limits)) {
      return [
        (await stores.limits.hadLimits())
          ? fail('rules', LIMITS_LOST.what, LIMITS_LOST.fix)
          : warn(
              'rules',
              'no limits: whatever is approved goes out',
              'Write limits.yaml; docs/guide/POLICY.md says how.',
            ),
      ];
    }
    const files = texts.length;
    const rules = files === 0 ? '' : `, ${files} ${files === 1 ? 'file' : 'files'} of rules`;
    const accounts = Object.keys(limits?.accounts ?? {}).join(', ');
    const { brokers } = gateway;
    const unmatched = await unmatchedAccounts(limits, { brokers, brokerKeys: stores.brokerKeys });
    return [
      ok('rules', `limits of ${accounts}${rules}; digest ${digest}`),
      ...unmatched.map((message) =>
        warn('rules', message, 'Correct the account number in limits.yaml, or add an entry for "*".'),
      ),
    ];
  } catch (error) {
    const { message, hint } = errorObject(error);
    return [fail('rules', message, hint ?? 'docs/guide/POLICY.md says what may stand there.')];
  }
}
