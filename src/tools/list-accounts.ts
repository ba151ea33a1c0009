import { z } from 'zod';
import { environmentWord } from '../trading/environment.ts';
import { defineTool, requireGateway } from './tool.ts';

export const listAccounts = defineTool({
  name: 'list_accounts',
  description:
    'The person’s accounts: number, broker, whether paper or live, and which is meant where none is named. Nothing of what is in them.',
  schema: z.strictObject({}),
  scopes: ['portfolio:read'],
  risk: 'read',
  async execute(context) {
    const accounts = await requireGateway(context).accounts();
    const words = accounts.map(({ account, label, environment, default: isDefault }) => {
      const number = account ?? 'number not known now';
      return `${number} at ${label} (${environmentWord(environment)})${isDefault ? ', the default' : ''}`;
    });
    return {
      summary: words.length === 0 ? 'no account' : words.join('; '),
      content: JSON.stringify({ accounts }),
    };
  },
});
