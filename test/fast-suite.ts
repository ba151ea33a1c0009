import { globSync } from 'node:fs';

/** Tests that `npm test` leaves out: they wait, drive a browser or play long, and take more time than all others. */
const SLOW = new Set(
  globSync([
    'test/integration/agent/{account-tools,history-growth,model-chaos,remote/as-here,remote/openapi-contract,request-signals,resume,sandbox,transcripts}.test.ts',
    'test/integration/approval/{checkpoints,classes,every-order,gateway-clock,hostile-agent,live-updates,mandates,policy-change,receipts,several-accounts,standing-orders,standing-orders-holidays,standing-orders-shared,withdrawing}.test.ts',
    'test/integration/auth/{auth0,company-sign-in,consent,keychain-store,live-login,lying-provider,process-lock,profile-commands,profile-store-commands,refresh-token-reuse,revocation,session-conditions,session-file,session-storm,store-move,token-session,userinfo}.test.ts',
    'test/integration/check/{check,market-hours,one-card,report-page,two-rounds,under-mandate,year}.test.ts',
    'test/integration/cli/{all-accounts,approvals,approvals-settling,commands,connections,halt,live,mandate-forgotten,messages,server-option,standing-orders,threads}.test.ts',
    'test/integration/gateway/{own-record,request-rates,worst-case,worst-case-classes,worst-case-exits}.test.ts',
    'test/integration/home/{accessibility,accessible-pages,authenticators,authorization-ends,backup-while-served,card-paint,companies/firm-rules,decision-card,decision-flow,fills,history,key-rotation,malformed-requests,mandates-by-phone,no-script,pairing,rate-limits,sign-in,signals/leaver,signals/transmitter,streams-broken-off,thief}.test.ts',
    'test/integration/mcp-client/{agent,connection}.test.ts',
    'test/integration/mcp/{changing,connecting,hostile,proposing,stdio,waiting}.test.ts',
    'test/integration/net/{dispatch-fetch,public-resolver}.test.ts',
    'test/integration/notify/notices.test.ts',
    'test/integration/push/{phone,push-crash}.test.ts',
    'test/integration/sandbox/phone-pages.test.ts',
    'test/integration/schedule/{alerts,runs}.test.ts',
    'test/unit/house/adding.test.ts',
    'test/integration/web/{all-accounts,dashboard-live,dashboard-screens,home-dashboard,home-guards,web-guards}.test.ts',
  ]),
);

/** What `npm test` runs besides unit and integration tests: what finds most in a minute. */
const CHOSEN = new Set(
  globSync([
    // The built program and a phone in a real browser: at the sandbox, and at a home of one's own from nothing to a fill.
    'test/e2e/{browser,home-phone}.test.ts',
    // The contracts of the stores, and that no row is another tenant's.
    'test/postgres/{gateway-stores,tenancy,tenancy-api,tenant-database,two-gateways,migrate}.test.ts',
    'test/postgres/state/{state-stores,check-store,credential-store,rate-buckets,tenancy}.test.ts',
    // Histories that once found something.
    'test/chaos/found.test.ts',
  ]),
);

const isFast = (project: string, file: string) =>
  project === 'unit' || project.startsWith('integration') ? !SLOW.has(file) : CHOSEN.has(file);

/** The part of a project's files that `npm test` runs, or the rest. */
export function partOf(
  suite: 'fast' | 'rest',
  { name, include, exclude = [] }: { name: string; include: string[]; exclude?: string[] },
): string[] {
  const left = new Set(globSync(exclude));
  return globSync(include).filter((file) => !left.has(file) && isFast(name, file) === (suite === 'fast'));
}
