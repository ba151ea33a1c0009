import { errorObject } from '../../../errors/error-object.ts';
import type { App } from '../../app.ts';
import { type Finding, fail } from '../../doctor/finding.ts';
import { checkNode } from '../../doctor/machine-checks.ts';
import { withHome } from '../open-home.ts';
import { checkAccounts, checkAuthenticators, checkRecord, checkSignature } from './account-checks.ts';
import { checkAddress, checkServed } from './address-check.ts';
import { checkCertificate } from './certificate-check.ts';
import { checkDisk, checkFolder, checkSeparation } from './folder-check.ts';
import { checkRules } from './rules-check.ts';

/**
 * Looks at everything that a home needs, from outside and inside; changes nothing. What can't be opened is a finding, too.
 * @throws the signal's reason when it aborts
 */
export async function homeDoctor(
  app: Pick<App, 'clock' | 'fetch' | 'signal' | 'env'>,
  folder: string,
): Promise<Finding[]> {
  const findings: Finding[] = [checkNode()];
  try {
    await withHome(app, folder, async (home) => {
      findings.push(checkFolder(folder), checkSeparation(folder, app.env), checkDisk(folder));
      findings.push(
        ...(await checkRules(home)),
        await checkRecord(home),
        ...checkSignature(home),
        ...(await checkAuthenticators(home)),
      );
      findings.push(await checkAddress(home.settings), ...(await checkCertificate(app, home.settings)));
      findings.push(await checkServed(app, home.settings, folder), ...(await checkAccounts(app, home)));
    });
  } catch (error) {
    app.signal.throwIfAborted();
    const { message, hint } = errorObject(error);
    findings.push(fail('home', message, hint ?? 'Try again with --verbose.'));
  }
  return findings;
}
