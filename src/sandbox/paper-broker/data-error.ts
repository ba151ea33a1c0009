/** Market data refuses with a message alone, without the trading API's code. */
export class DataError extends Error {
  override name = 'DataError';
  readonly status: 400 | 404;
  constructor(status: DataError['status'], message: string) {
    super(message);
    this.status = status;
  }
}
