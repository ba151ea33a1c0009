import { readFolderRules } from '../../../gateway/policy/rules-source.ts';
import { errorObject } from '../../../trading/error-object.ts';
import { type Finding, fail, ok, warn } from '../../doctor/finding.ts';

/** Whether the owner's rules can be read: while they are wrong, nothing is traded. */
export async function checkRules(folder: string): Promise<Finding> {
  try {
    const { written, digest } = await readFolderRules(folder);
    const accounts = Object.keys(written.limits?.accounts ?? {});
    if (accounts.length === 0) {
      return warn(
        'rules',
        'no limits: whatever is approved goes out',
        'Write limits.yaml; docs/POLICY.md says how.',
      );
    }
    const files = written.texts.length;
    const rules = files === 0 ? '' : `, ${files} ${files === 1 ? 'file' : 'files'} of rules`;
    return ok('rules', `limits of ${accounts.join(', ')}${rules}; digest ${digest}`);
  } catch (error) {
    const { message, hint } = errorObject(error);
    return fail('rules', message, hint ?? 'docs/POLICY.md says what may stand there.');
  }
}
