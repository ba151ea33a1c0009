/**
 * Sources that are loaded together; see source.mjs. The first group is there whenever any of the others, or anything
 * else that is loaded late, is loaded.
 */
export const groups = {
  // The command line, and what a command needs that asks the gateway or prints a table.
  session: {
    files: [
      'src/app/chosen-model.ts',
      'src/cli/program.ts',
      'src/cli/context.ts',
      'src/cli/run/drive-run.ts',
      'src/app/run/run-report.ts',
      'src/app/sandbox-connection.ts',
      'src/cli/log/trace.ts',
      'src/cli/commands/run/run.ts',
      'src/cli/text/approval-lines.ts',
      'src/cli/text/markdown.ts',
      'src/trading/order-words.ts',
      'src/cli/text/reports.ts',
      'src/net/shown-text.ts',
      'src/cli/text/table.ts',
      'src/cli/text/wrap.ts',
      'src/config/config-file.ts',
      'src/secrets/credential-store.ts',
      'src/secrets/open-credential-store.ts',
      'src/secrets/prefetched-store.ts',
      'src/secrets/database-key.ts',
      'src/machine/home.ts',
      'src/machine/machine-name.ts',
      'src/secrets/model-key.ts',
      'src/config/resolve-profile.ts',
      'src/auth/session/stored-session.ts',
      'src/auth/session/token-session.ts',
      'src/tools/gateway/gateway-client.ts',
      'src/agent/short-id.ts',
      'src/trading/errors.ts',
      'src/trading/message.ts',
      'src/trading/order.ts',
      'src/trading/proposal.ts',
    ],
  },
  // The agent and its state: enough to list approvals.
  agent: {
    files: ['src/app/start-agent.ts'],
    after: 'session',
  },
  // The graph, and all it stands on.
  run: {
    files: [
      'src/store/sqlite/history-saver.ts',
      'src/agent/model/choose-model.ts',
      'src/agent/planner/planner.ts',
      'src/agent/run/runner.ts',
      'src/agent/run/thread-record.ts',
      'src/tools/catalog.ts',
    ],
    after: 'agent',
  },
};
