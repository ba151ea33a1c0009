import { TradeAgentError } from '../../errors/errors.ts';

/** Reads a date of an option, such as `--from`. @throws {TradeAgentError} `usage` */
export function dateOption(flag: string): (text: string) => string {
  return (text) => {
    const at = Date.parse(`${text}T00:00:00Z`);
    const isDate = /^\d{4}-\d\d-\d\d$/.test(text) && new Date(at || 0).toISOString().slice(0, 10) === text;
    if (isDate) return text;
    throw new TradeAgentError('usage', `${flag} can't be "${text}"`, {
      hint: 'Write a date as in 2026-12-24.',
    });
  };
}
