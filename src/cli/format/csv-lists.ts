/** A list in a command's result that can be printed as CSV. */
interface CsvList {
  readonly commands: readonly string[];
  readonly rows: string;
  /** Paths of a row's fields, with dots as separators. The paths are also the column names. */
  readonly columns: readonly string[];
}

const orderColumns = [
  ...['id', 'client_order_id', 'symbol', 'side', 'type', 'time_in_force', 'qty', 'notional', 'limit_price'],
  ...['stop_price', 'trail_price', 'trail_percent', 'extended_hours', 'status', 'filled_qty'],
  ...['filled_avg_price', 'submitted_at', 'filled_at', 'order_class', 'asset_class', 'position_intent'],
  'approved_type',
];
const scheduleColumns = ['id', 'name', 'profile', 'cron', 'at', 'when_open', 'overdue'];
const runColumns = ['schedule', 'due', 'started_at', 'ended_at', 'status', 'exit_code', 'missed', 'attempt'];
const accessColumns = ['id', 'account', 'role', 'who', 'of', 'from', 'until', 'granted_at', 'in_force'];

/** All lists that `--output csv` supports, by the name of the result (docs/reference/schema). */
export const csvLists: Readonly<Record<string, CsvList>> = {
  portfolio: {
    commands: ['portfolio'],
    rows: 'positions',
    columns: [
      ...['symbol', 'side', 'qty', 'qty_available', 'avg_entry_price', 'current_price', 'lastday_price'],
      ...['market_value', 'cost_basis', 'unrealized_pl', 'unrealized_plpc', 'change_today'],
    ],
  },
  orders: { commands: ['orders list'], rows: 'orders', columns: [...orderColumns, 'account', 'broker'] },
  gains: {
    commands: ['gains'],
    rows: 'gains',
    // Columns (a) to (h) of Form 8949, then the fields that the form leaves out.
    columns: [
      ...['description', 'acquired', 'sold', 'proceeds', 'cost', 'adjustment_code', 'adjustment', 'gain'],
      ...['term', 'symbol', 'side', 'qty'],
    ],
  },
  lots: {
    commands: ['lots'],
    rows: 'lots',
    columns: ['symbol', 'side', 'acquired', 'qty', 'cost', 'value', 'gain', 'term', 'long_term_from'],
  },
  imports: { commands: ['import list'], rows: 'imports', columns: ['id', 'file', 'at', 'rows'] },
  quotes: {
    commands: ['quote'],
    rows: 'quotes',
    columns: ['symbol', 'name', 'bid', 'ask', 'last', 'previous_close', 'at', 'simulated'],
  },
  threads: {
    commands: ['threads list'],
    rows: 'threads',
    columns: ['thread', 'updated_at', 'status', 'prompt'],
  },
  approvals: {
    commands: ['approvals list'],
    rows: 'approvals',
    columns: [
      ...['id', 'kind', 'code', 'status', 'expires_at', 'thread', 'requested_by', 'client', 'mandate_id'],
      ...['worst_case.cash', 'worst_case.text', 'order.symbol', 'order.side', 'order.qty', 'order.notional'],
      ...['order.type', 'order.limit_price', 'order.stop_price', 'reason'],
    ],
  },
  mandates: {
    commands: ['mandates list'],
    rows: 'mandates',
    columns: [
      ...['id', 'state', 'terms.account', 'terms.symbols', 'terms.sides', 'terms.order_types'],
      ...['terms.max_order_notional', 'terms.max_day_notional', 'terms.max_total_notional', 'terms.max_orders'],
      ...['terms.cadence', 'terms.expires_at', 'used.total_notional', 'used.day_notional', 'used.orders'],
    ],
  },
  schedules: {
    commands: ['schedule list'],
    rows: 'schedules',
    columns: [...scheduleColumns, 'last.status', 'last.exit_code', 'last.started_at'],
  },
  'schedule-logs': {
    commands: ['schedule logs'],
    rows: 'runs',
    columns: [...runColumns, 'found', 'error.code', 'error.message'],
  },
  'policy-log': {
    commands: ['policy log'],
    rows: 'decisions',
    columns: [
      ...['at', 'id', 'client_order_id', 'sub', 'client', 'account', 'action', 'stage', 'effect', 'reasons'],
      ...['texts', 'limit', 'value', 'policy'],
    ],
  },
  connections: {
    commands: ['connections list'],
    rows: 'connections',
    columns: ['name', 'label', 'provider_name', 'connected', 'scopes', 'connected_at'],
  },
  notices: {
    commands: ['notices list'],
    rows: 'channels',
    columns: ['name', 'kind', 'enabled', 'to', 'min_severity', 'rules', 'secret', 'waiting'],
  },
  profiles: {
    commands: ['profile list'],
    rows: 'profiles',
    columns: ['name', 'environment', 'sandbox', 'current'],
  },
  access: { commands: ['access list'], rows: 'granted', columns: accessColumns },
  'mcp-servers': {
    commands: ['mcp servers list'],
    rows: 'servers',
    columns: ['name', 'at', 'transport', 'enabled'],
  },
  'home-grants': {
    commands: ['home grants list'],
    rows: 'grants',
    columns: ['user', 'id', 'kind', 'name', 'from', 'since', 'ends_at', 'last_used_at'],
  },
  doctor: {
    commands: ['doctor'],
    rows: 'findings',
    columns: ['check', 'status', 'message', 'fix'],
  },
};

/** Returns whether the command supports CSV. @param command such as `orders list` */
export function isCsvCommand(command: string): boolean {
  return Object.values(csvLists).some(({ commands }) => commands.includes(command));
}

export function csvCommandNames(): string {
  return Object.values(csvLists)
    .flatMap(({ commands }) => commands)
    .join(', ');
}
