/**
 * Sources that are loaded together; see source.mjs. The first group is there whenever any of the others, or anything
 * else that is loaded late, is loaded.
 */
export const groups = {
  // The command line, and what a command needs that asks the gateway or prints a table.
  session: {
    files: [
      'src/cli/chosen-model.ts',
      'src/cli/program.ts',
      'src/cli/context.ts',
      'src/cli/drive-run.ts',
      'src/cli/run-report.ts',
      'src/cli/sandbox-connection.ts',
      'src/cli/trace.ts',
      'src/cli/commands/run.ts',
      'src/cli/text/approval-lines.ts',
      'src/cli/text/markdown.ts',
      'src/cli/text/order-fields.ts',
      'src/cli/text/reports.ts',
      'src/cli/text/safe-text.ts',
      'src/cli/text/table.ts',
      'src/cli/text/wrap.ts',
      'src/auth/config-file.ts',
      'src/auth/credential-store/credential-store.ts',
      'src/auth/credential-store/open-credential-store.ts',
      'src/auth/credential-store/prefetched-store.ts',
      'src/auth/database-key.ts',
      'src/auth/home.ts',
      'src/auth/machine-name.ts',
      'src/auth/model-key.ts',
      'src/auth/resolve-profile.ts',
      'src/auth/stored-session.ts',
      'src/auth/token-session.ts',
      'src/tools/gateway-client.ts',
      'src/agent/short-id.ts',
      'src/trading/errors.ts',
      'src/trading/message.ts',
      'src/trading/order.ts',
      'src/trading/proposal.ts',
    ],
  },
  // The agent and its state: enough to list approvals.
  agent: {
    files: ['src/cli/start-agent.ts'],
    after: 'session',
  },
  // The graph, and all it stands on.
  run: {
    files: [
      'src/agent/history-saver.ts',
      'src/agent/model.ts',
      'src/agent/planner/planner.ts',
      'src/agent/runner.ts',
      'src/agent/thread-record.ts',
      'src/tools/catalog.ts',
    ],
    after: 'agent',
  },
};
