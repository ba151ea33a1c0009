/** Whoever decides where a connection goes. `nobody`: the files send nothing by themselves, or only within a process. */
export interface OutboundPath {
  readonly chosenBy: 'stranger' | 'owner' | 'nobody';
  readonly files: readonly string[];
}

const provider = 'home/identity-provider';

/**
 * Every way out of the program, by the files under src that it takes. test/integration/net/outbound.test.ts sends each
 * one to names that change, and test/unit/house/outbound.test.ts finds files that are missing here.
 */
export const outboundPaths = {
  'client documents, their keys and sector documents': {
    chosenBy: 'stranger',
    files: [
      `${provider}/authorization/client-documents.ts`,
      `${provider}/oidc-configuration.ts`,
      `${provider}/oidc-provider.ts`,
    ],
  },
  'pings to registered clients': { chosenBy: 'stranger', files: [`${provider}/clients.ts`] },
  'Web Push': { chosenBy: 'stranger', files: ['home/phone/push/phone-push.ts', 'home/phone/push/push-sender.ts'] },
  'webhooks of people on a server': {
    chosenBy: 'stranger',
    files: ['app/server/open-server.ts', 'server/server-deps.ts', 'notify/http-post.ts'],
  },
  'mail servers of people on a server': { chosenBy: 'stranger', files: ['notify/email.ts'] },
  'what an MCP server refers to': {
    chosenBy: 'stranger',
    files: [
      'mcp/client/authorization.ts',
      'mcp/client/connection.ts',
      'mcp/client/server-access.ts',
      'mcp/client/stored-authorization.ts',
    ],
  },
  'MCP servers': { chosenBy: 'owner', files: ['mcp/client/connection.ts'] },
  webhooks: { chosenBy: 'owner', files: ['notify/http-post.ts', 'notify/sender.ts'] },
  'mail servers': { chosenBy: 'owner', files: ['notify/email.ts', 'notify/sender.ts'] },
  'brokers by REST': {
    chosenBy: 'owner',
    files: [
      'gateway/broker/ibkr/client.ts',
      'gateway/broker/rest-client.ts',
      'gateway/broker/snaptrade/client.ts',
      'gateway/broker/tradier/client.ts',
    ],
  },
  Alpaca: { chosenBy: 'owner', files: ['gateway/broker/alpaca/alpaca-broker.ts'] },
  'Alpaca’s trade updates': { chosenBy: 'owner', files: ['gateway/broker/alpaca/trade-updates.ts'] },
  'brokers by MCP': {
    chosenBy: 'owner',
    files: ['answer', 'answered-fetch', 'connect-client', 'session'].map((name) => `gateway/broker/mcp/${name}.ts`),
  },
  'the gateway’s identity provider': {
    chosenBy: 'owner',
    files: ['gateway/auth/identity-provider.ts', 'gateway/broker/broker-token.ts', `${provider}/companies/company.ts`],
  },
  'signing in': {
    chosenBy: 'owner',
    files: [
      'app/server/server-profile.ts',
      'approval/ciba/ciba-approval-client.ts',
      'approval/ciba/client-registration.ts',
      'auth/logout.ts',
      'auth/provider/provider-clock.ts',
      'auth/provider/provider.ts',
      'auth/session/device-login.ts',
      'auth/session/userinfo.ts',
    ],
  },
  'ID-token keys': { chosenBy: 'owner', files: ['auth/provider/id-token.ts'] },
  'gateways and servers': {
    chosenBy: 'owner',
    files: [
      'app/doctor/server-checks.ts',
      'auth/session/gateway-request.ts',
      'auth/session/session.ts',
      'auth/session/token-session.ts',
    ],
  },
  'connected accounts': {
    chosenBy: 'owner',
    files: ['auth/connections/connected-accounts-client.ts', 'auth/connections/open-connected-accounts.ts'],
  },
  'phones of a sandbox': {
    chosenBy: 'owner',
    files: ['app/phone.ts', 'app/login.ts', 'home/phone/phone-client.ts', 'sandbox/sandbox-company.ts'],
  },
  models: { chosenBy: 'owner', files: ['agent/model/create-chat-model.ts', 'app/model-list.ts'] },
  'updates and the home’s own address': { chosenBy: 'owner', files: ['app/doctor/doctor.ts', 'app/home/doctor.ts'] },
  relations: {
    chosenBy: 'owner',
    files: ['people', 'relations-client', 'relations-settings'].map((name) => `gateway/relations/${name}.ts`),
  },
  messages: { chosenBy: 'owner', files: ['gateway/messages/delivery.ts'] },
  'third parties of a vault': { chosenBy: 'owner', files: [`${provider}/third-party.ts`, `${provider}/vault.ts`] },
  'security events': { chosenBy: 'owner', files: [`${provider}/transmitter/transmitter.ts`] },
  'time-stamp authorities': {
    chosenBy: 'owner',
    files: ['approval/checkpoints/time-stamp-authority.ts', 'gateway/record-checkpoints.ts'],
  },
  'certificate authorities': { chosenBy: 'owner', files: ['app/home/certificate.ts'] },
  traces: { chosenBy: 'owner', files: ['gateway/telemetry/telemetry.ts', 'app/gateway/served-telemetry.ts'] },
  'AWS KMS': { chosenBy: 'owner', files: ['secrets/kms/aws-kms.ts', 'secrets/kms/kms-settings.ts'] },
  'AWS credentials': { chosenBy: 'owner', files: ['secrets/kms/aws/credential-request.ts'] },
  Vault: { chosenBy: 'owner', files: ['secrets/kms/vault-kms.ts'] },
  databases: {
    chosenBy: 'owner',
    files: [
      ...['claims', 'migrate-jobs', 'open-boss', 'pg-boss-queue', 'queues'].map((name) => `jobs/pg-boss/${name}.ts`),
      ...['listener', 'migrate', 'migration-steps', 'move-home', 'open-database', 'pool', 'tenant-database'].map(
        (name) => `store/postgres/${name}.ts`,
      ),
    ],
  },
  'requests that are passed on': {
    chosenBy: 'nobody',
    files: [
      ...['agent/run/create-agent.ts', 'app/app.ts', 'app/create-app.ts', 'app/mcp/serve-stdio.ts', 'app/web.ts'],
      ...['cli/context/cli.ts', 'cli/context/trace.ts', 'cli/program.ts', 'gateway/approvals.ts'],
      ...['gateway/broker-access.ts', 'gateway/broker/accounts.ts', 'gateway/broker/broker-kind.ts'],
      ...['gateway/broker/broker.ts', 'gateway/broker/verify-problems.ts', 'gateway/gateway-options.ts'],
      ...['gateway/gateway.ts', 'gateway/mounts/mount.ts', 'gateway/mounts/mounted-routes.ts'],
      ...['gateway/request-rates.ts', 'home/home.ts', 'home/identity-provider.ts', 'mcp/http/mcp-endpoint.ts'],
      ...[
        'mcp/http/listen-streams.ts',
        'mcp/http/mounted-caller.ts',
        'mcp/http/serve-mcp.ts',
        'sandbox/paper-broker/routes/trade-stream.ts',
      ],
      ...['server/http/gateway-proxy.ts', 'server/person-agent.ts', 'tools/gateway/gateway-requests.ts'],
    ],
  },
} as const satisfies Readonly<Record<string, OutboundPath>>;
