/** The public API of `trade-agent`, stable within a major version. See docs/guide/LIBRARY.md for an example. */
export type { Agent, ApprovalMode, PruneOptions, RunOptions } from '../agent/agent.ts';
export type { AgentEvent, ApprovalView, RunResult, ThreadRecord, ThreadView } from '../agent/events.ts';
export { type CreateAgentOptions, createAgent } from '../agent/run/create-agent.ts';
export type { Session, User } from '../auth/session/session.ts';
export { type ErrorCode, isTradeAgentError, TradeAgentError } from '../errors/errors.ts';
export { type Clock, systemClock } from '../machine/clock.ts';
export { createGatewayClient, type GatewayClient } from '../tools/gateway/gateway-client.ts';
export {
  describeOrder,
  type OrderDraft,
  type OrderRequest,
  type OrderRequestInput,
  orderDraftSchema,
  orderRequestSchema,
} from '../trading/order.ts';
export {
  type Proposal,
  type ProposalRequest,
  type ProposalRequestInput,
  proposalRequestSchema,
  proposalSchema,
  type WorstCase,
} from '../trading/proposal.ts';
export { type Order, orderSchema, type Quote } from '../trading/views.ts';
export type { App } from './app.ts';
export { type AddedConnection, addConnection, type ConnectionLink } from './connections.ts';
export { type AppOptions, createApp } from './create-app.ts';
export { type StartedLogin, startLogin } from './login.ts';
