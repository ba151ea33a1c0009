import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import { safeLine } from '../text/sanitize.ts';
import { defined } from '../values/defined.ts';
import type { OwnFinding } from './own-rules.ts';
import { defineTool, formatCount, requireGateway } from './tool.ts';

const MAX_FINDINGS = 50;
const MAX_MESSAGE_LENGTH = 300;

export const getFindings = defineTool({
  name: 'get_findings',
  title: 'Check your portfolio',
  description:
    'Returns what the user’s own rules find in the account now, as "trade-agent check" does: new since the last check, ongoing, snoozed. Uses the rules file of their scheduled check, or the default rules. Nobody is notified, and nothing is stored.',
  schema: z.strictObject({}),
  scopes: ['market:read', 'portfolio:read', 'orders:read'],
  risk: 'read',
  async execute(context) {
    requireGateway(context);
    if (context.ownRules === undefined) {
      throw new TradeAgentError('not_found', 'the rules file can’t be read from here', {
        hint: 'Run "trade-agent check" where the rules file is.',
      });
    }
    const { findings, ongoing, snoozed, ...rest } = await context.ownRules.findings();
    const many = [findings, ongoing, snoozed].reduce((sum, { length }) => sum + Math.max(0, length - MAX_FINDINGS), 0);
    return {
      summary: `${formatCount(findings.length, 'finding')}, ${ongoing.length} ongoing${rest.rules_file === null ? '' : `, rules from ${safeLine(rest.rules_file, 60)}`}`,
      content: JSON.stringify({
        ...rest,
        findings: findingViews(findings),
        ongoing: findingViews(ongoing),
        snoozed: findingViews(snoozed),
        ...(many === 0 ? {} : { left_out: many }),
      }),
    };
  },
});

const findingViews = (findings: readonly OwnFinding[]) =>
  findings.slice(0, MAX_FINDINGS).map(({ rule, kind, subject, severity, message, since, problem }) => ({
    rule,
    kind,
    subject,
    severity,
    message: safeLine(message, MAX_MESSAGE_LENGTH),
    since,
    ...defined({ problem }),
  }));
