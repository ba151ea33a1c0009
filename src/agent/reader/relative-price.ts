/** A price that is given by its distance from another: "10% below the current price". */
export interface RelativePrice {
  /** In percent or in dollars per share. */
  readonly by: string;
  readonly unit: 'percent' | 'dollars';
  readonly side: 'below' | 'above';
  /** The current price, or the average cost of the position. If undefined, the words leave it open. */
  readonly from?: 'last' | 'cost';
}
