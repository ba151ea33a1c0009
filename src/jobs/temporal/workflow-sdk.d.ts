/**
 * The parts of Temporal's workflow library that `key-workflow.ts` uses. The library is not a dependency of trade-agent.
 * Times are in milliseconds.
 * @see https://typescript.temporal.io/api/namespaces/workflow
 */
declare module '@temporalio/workflow' {
  export interface ActivityOptions {
    readonly startToCloseTimeout: number;
    readonly heartbeatTimeout: number;
    readonly retry: {
      readonly initialInterval: number;
      readonly backoffCoefficient: number;
      readonly maximumInterval: number;
    };
  }
  export function proxyActivities<Activities>(options: ActivityOptions): Activities;
  export function defineSignal<Args extends unknown[]>(name: string): { readonly args: Args };
  export function setHandler<Args extends unknown[]>(
    signal: { readonly args: Args },
    handler: (...args: Args) => void,
  ): void;
  export function condition(met: () => boolean): Promise<void>;
  export function continueAsNew<Workflow extends (...args: never[]) => Promise<unknown>>(
    ...args: Parameters<Workflow>
  ): Promise<never>;
}
