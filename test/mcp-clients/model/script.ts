export interface Conversation {
  readonly tools: readonly string[];
  /** Tool answers and messages of the client since, in order. */
  readonly told: readonly string[];
}

export type Step = { readonly call: string; readonly args: Record<string, unknown> } | { readonly say: string };

/** Places one order, and asks about it until it is decided. */
export interface ScriptedModel {
  readonly saw: readonly string[];
  readonly called: readonly string[];
  next(conversation: Conversation): Step;
}

const settled = /^(executed|denied|expired|cancelled|blocked|unknown|error)$/;

/** @param order what it asks for @param server by whose tools, as a part of their names */
export function orderingModel(order: Record<string, unknown>, server = ''): ScriptedModel {
  const saw: string[] = [];
  const called: string[] = [];
  const call = ({ tools }: Conversation, name: string, args: Record<string, unknown>): Step => {
    // Each client puts something before it.
    const tool = tools.find((known) => new RegExp(`${server}(^|.*[^a-z])${name}$`).test(known));
    if (tool === undefined) return { say: `There is no ${name} among ${tools.length} tools.` };
    called.push(name);
    return { call: tool, args };
  };
  return {
    saw,
    called,
    next(conversation) {
      const { tools, told } = conversation;
      // A title for the conversation.
      if (tools.length === 0) return { say: 'An order' };
      for (const text of told.slice(saw.length)) saw.push(text);
      const last = told.findLast((text) => statusOf(text) !== undefined);
      if (last === undefined) {
        return told.length === 0 ? call(conversation, 'place_order', order) : { say: 'I wait.' };
      }
      const status = statusOf(last) ?? '';
      const id = /\bpr_[\w-]+/.exec(last)?.[0];
      if (settled.test(status) || id === undefined) return { say: `It ends: ${status}.` };
      return call(conversation, 'check_approval', { proposal_id: id, wait_seconds: 20 });
    },
  };
}

/** However often it was quoted. */
export function statusOf(text: string): string | undefined {
  return /"status\\*":\s*\\*"([a-z_]+)/.exec(text)?.[1];
}
