import { safeLine } from '../text/sanitize.ts';
import { checkOrder, describeOrder, normalizeOrder, orderRequestSchema } from '../trading/order.ts';
import { defined } from '../values/defined.ts';
import { defineTool, requireGateway } from './tool.ts';

const MAX_TEXT_LENGTH = 300;
const MAX_REASONS = 20;

export const checkRules = defineTool({
  name: 'check_rules',
  title: 'Check your rules',
  description:
    'Returns what the owner’s limits and rules would decide about an order now: allow, ask (the order needs their approval) or deny, with all reasons. Nothing is proposed, nobody is asked, and nothing is stored. Shares and dollars are decimal strings.',
  schema: orderRequestSchema,
  scopes: ['orders:read', 'portfolio:read'],
  risk: 'read',
  async execute(context, args) {
    const gateway = requireGateway(context);
    const order = normalizeOrder(args);
    checkOrder(order);
    const { effect, reasons, texts, limit, value, hint } = await gateway.checkPolicy(order);
    const shown = texts.slice(0, MAX_REASONS).map((text) => safeLine(text, MAX_TEXT_LENGTH));
    return {
      summary: `${describeOrder(order)}: ${effectTexts[effect]}${effect !== 'deny' || shown[0] === undefined ? '' : `, ${shown[0]}`}`,
      content: JSON.stringify({
        order,
        effect,
        reasons: reasons.slice(0, MAX_REASONS),
        texts: shown,
        ...defined({ limit, value }),
        ...(hint === undefined ? {} : { hint: safeLine(hint, MAX_TEXT_LENGTH) }),
      }),
    };
  },
});

const effectTexts = { allow: 'passes', ask: 'passes, with approval', deny: 'does not pass' } as const;
