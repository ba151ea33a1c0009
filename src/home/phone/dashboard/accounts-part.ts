import { html } from 'hono/html';
import { safeLine } from '../../../text/shown-text.ts';
import { type AccountEntry, ALL_ACCOUNTS } from '../../../trading/account-entry.ts';
import { dollars, todayWords } from '../../../trading/amounts.ts';
import { environmentWord } from '../../../trading/environment.ts';
import { totalsAcross } from '../../../trading/portfolio/totals-across.ts';
import type { Account } from '../../../trading/views.ts';
import type { Markup } from '../page.ts';

/** `PA3ALICE01 at Alpaca` */
export function accountAt({ account, label }: Pick<AccountEntry, 'account' | 'label'>): string {
  return safeLine(account === null ? label : `${account} at ${label}`, 80);
}

/**
 * Which account is looked at, of several: links to each, and to all of them. Nothing where there is but one.
 * @param chosen a number or `all`; undefined for the default one
 * @param linkTo the page about one of them
 */
export function accountsPart(
  entries: readonly AccountEntry[],
  chosen: string | undefined,
  linkTo: (account: string) => string,
): Markup | '' {
  if (entries.length < 2) return '';
  const link = (account: string, text: string, isChosen: boolean) =>
    html`<a href="${linkTo(account)}" ${isChosen ? html`aria-current="page"` : ''}>${text}</a>`;
  return html`<nav class="periods small accounts" aria-label="Account" data-testid="accounts">${entries.map(
    (entry) => {
      const { account, environment } = entry;
      const text = `${accountAt(entry)} ${environmentWord(environment)}`;
      if (account === null) return html`<span class="soft">${text}: can’t be asked now</span>`;
      return link(account, text, chosen === undefined ? entry.default : chosen === account);
    },
  )}${link(ALL_ACCOUNTS, 'All', chosen === ALL_ACCOUNTS)}</nav>`;
}

/** The same of each account, below its name. */
export function eachPart(entries: readonly AccountEntry[], parts: readonly Markup[]): Markup {
  return html`${entries.map(
    (entry, at) =>
      html`<div class="of-account" data-testid="of-account" data-account="${entry.account ?? ''}"><h3>${accountAt(entry)}</h3>${parts[at] ?? ''}</div>`,
  )}`;
}

/** What accounts come to, by currency. @param without those that could not be read */
export function totalsPart(accounts: readonly Account[], without: readonly string[]): Markup {
  const lacking = without.length === 0 ? '' : html` <strong>without ${without.join(', ')}</strong>`;
  return html`<dl class="figures" data-testid="totals">${totalsAcross(accounts).map(
    ({ currency, equity, cash, day_change }) =>
      html`<div><dt>All accounts, ${safeLine(currency, 10)}${lacking}</dt><dd>${dollars(equity)} <span class="soft">${todayWords(day_change, null)}, ${dollars(cash)} in cash</span></dd></div>`,
  )}</dl>`;
}
