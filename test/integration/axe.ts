import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults, Result } from 'axe-core';
import type { Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds, of every impact. */
export async function violations(page: Page): Promise<Result[]> {
  await page.evaluate(`${axe};undefined`);
  return (await page.evaluate<AxeResults>('axe.run()')).violations;
}

/** What axe finds that is worse than minor, in the words of its report. */
export async function findings(page: Page): Promise<string[]> {
  return worseThanMinor(await violations(page));
}

/** Those that are worse than minor, in the words of the report. */
export function worseThanMinor(found: readonly Result[]): string[] {
  return found
    .filter(({ impact }) => impact !== 'minor')
    .flatMap(({ id, impact, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} (${impact}) ${target.join(' ')}: ${failureSummary}`),
    );
}
