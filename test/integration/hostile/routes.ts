import type { Scope } from '../../../src/oauth/scopes.ts';

/** A route of the gateway's, as a request that is sound. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly scopes: readonly Scope[];
  /** What a body without sense is told. */
  readonly invalid?: string;
}

const get = (path: string, scope: Scope): Route => ({ method: 'GET', path, scopes: [scope] });

/** Every route that asks for a token. */
export const routes: readonly Route[] = [
  get('/v1/accounts', 'portfolio:read'),
  { method: 'PUT', path: '/v1/accounts/default', scopes: ['orders:propose'], invalid: '400 invalid_query' },
  get('/v1/account', 'portfolio:read'),
  get('/v1/positions', 'portfolio:read'),
  get('/v1/portfolio/history', 'portfolio:read'),
  get('/v1/activities', 'portfolio:read'),
  get('/v1/connections', 'portfolio:read'),
  get('/v1/watchlist', 'portfolio:read'),
  { method: 'PATCH', path: '/v1/watchlist', scopes: ['watchlist:write'], invalid: '400 invalid_query' },
  get('/v1/quotes?symbols=AAPL', 'market:read'),
  get('/v1/bars?symbol=AAPL', 'market:read'),
  get('/v1/assets?search=apple', 'market:read'),
  get('/v1/assets/AAPL', 'market:read'),
  get('/v1/option-contracts?underlying=AAPL', 'market:read'),
  get('/v1/news', 'market:read'),
  get('/v1/corporate-actions?symbols=AAPL', 'market:read'),
  get('/v1/calendar', 'market:read'),
  get('/v1/clock', 'market:read'),
  { method: 'POST', path: '/v1/orders', scopes: ['orders:write'], invalid: '400 invalid_order' },
  get('/v1/orders', 'orders:read'),
  get('/v1/orders:by_client_order_id?client_order_id=ta-nothing', 'orders:read'),
  get('/v1/orders/nothing', 'orders:read'),
  { method: 'DELETE', path: '/v1/orders/nothing', scopes: ['orders:cancel'] },
  get('/v1/decisions', 'orders:read'),
  get('/v1/policy', 'orders:read'),
  { method: 'PUT', path: '/v1/policy', scopes: ['orders:cancel'], invalid: '422 invalid_policy' },
  {
    ...{ method: 'POST', path: '/v1/policy/check', invalid: '400 invalid_order' },
    scopes: ['orders:read', 'portfolio:read'],
  },
  { method: 'POST', path: '/v1/messages', scopes: ['messages:write'], invalid: '403 approval_missing' },
  get('/v1/messages/nothing', 'orders:read'),
  { method: 'POST', path: '/v1/proposals', scopes: ['orders:propose'], invalid: '400 invalid_proposal' },
  get('/v1/proposals', 'orders:read'),
  get('/v1/proposals/nothing', 'orders:read'),
  { method: 'DELETE', path: '/v1/proposals/nothing', scopes: [] },
  get('/v1/events', 'orders:read'),
  get('/v1/halt', 'orders:read'),
  { method: 'PUT', path: '/v1/halt', scopes: ['orders:cancel'], invalid: '400 invalid_query' },
  get('/v1/access', 'orders:read'),
  { method: 'DELETE', path: '/v1/access/nothing', scopes: ['orders:cancel'] },
  get('/v1/mandates', 'orders:read'),
  get('/v1/mandates/nothing', 'orders:read'),
  { method: 'DELETE', path: '/v1/mandates/nothing', scopes: ['orders:cancel'] },
  { method: 'PUT', path: '/v1/mandates/nothing/suspension', scopes: ['orders:cancel'] },
  get('/v1/record', 'orders:read'),
  get('/v1/record/verdict', 'orders:read'),
  get('/v1/receipts', 'orders:read'),
  get('/v1/receipts/nothing', 'orders:read'),
];

/** Without the query: as it is written in the table. */
export const named = ({ method, path }: Pick<Route, 'method' | 'path'>): string =>
  `${method} ${path.replace(/\?.*$/, '')}`;
