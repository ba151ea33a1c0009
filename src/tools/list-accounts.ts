import { z } from 'zod';
import { environmentName } from '../trading/environment.ts';
import { defineTool, requireGateway } from './tool.ts';

export const listAccounts = defineTool({
  name: 'list_accounts',
  title: 'List your accounts',
  description:
    'Lists the person’s accounts: number, broker, whether paper or live, and which one is the default. Does not show what they hold.',
  schema: z.strictObject({}),
  scopes: ['portfolio:read'],
  risk: 'read',
  async execute(context) {
    const accounts = await requireGateway(context).accounts();
    const words = accounts.map(({ account, label, environment, default: isDefault }) => {
      const number = account ?? 'number unavailable';
      return `${number} at ${label} (${environmentName(environment)})${isDefault ? ', the default' : ''}`;
    });
    return {
      summary: words.length === 0 ? 'no account' : words.join('; '),
      content: JSON.stringify({ accounts }),
    };
  },
});
