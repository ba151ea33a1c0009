import type { noticePlaceholders } from '../config/notice-settings.ts';

export type NoticeFacts = Readonly<Record<(typeof noticePlaceholders)[number], string>>;

export const DEFAULT_NOTICE_TITLE = '{severity}: {rule} ({environment})';
export const DEFAULT_NOTICE_BODY = '{message}\n\nAccount {account}, {environment}; checked {at}.';

/** Fills in a template in a single pass. The placeholders were validated when the configuration was read. */
export function fillTemplate(template: string, facts: NoticeFacts): string {
  return template.replace(/\{([^{}]*)\}/g, (whole, name: string) =>
    Object.hasOwn(facts, name) ? facts[name as keyof NoticeFacts] : whole,
  );
}
