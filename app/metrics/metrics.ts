import type { METRICS, MetricName } from './metric-names.ts'

type Named<Unit> = {
  [Name in MetricName]: (typeof METRICS)[Name]['unit'] extends Unit ? Name : never
}[MetricName]

export type CountName = Named<'Count'>
export type DurationName = Named<'Milliseconds'>
export type GaugeName = Named<'None'>

/** The dimensions of a metric but its role: an object with a value for each; nothing where there are none. */
export type DetailOf<Name extends MetricName> =
  Exclude<(typeof METRICS)[Name]['dimensions'][number][number], 'Role'> extends infer Dimension extends string
    ? [Dimension] extends [never]
      ? []
      : [detail: Record<Dimension, string>]
    : never

/** What the parts of a role tell of how they fare. Costs them next to nothing, and never throws. */
export interface Metrics {
  /** Adds to a count. */
  count: <Name extends CountName>(name: Name, by: number, ...detail: DetailOf<Name>) => void
  /** Notes how long something took, in milliseconds. */
  time: <Name extends DurationName>(name: Name, milliseconds: number, ...detail: DetailOf<Name>) => void
  /** Has a value read each time that metrics are written. */
  gauge: (name: GaugeName, read: () => number) => void
}

/** The metrics of a role: written from `start` until `stop`, which writes what is left. */
export interface RoleMetrics extends Metrics {
  start: () => void
  stop: () => Promise<void> | void
}

/** What a role has where no metrics are asked for. */
export const NO_METRICS: RoleMetrics = {
  count() {},
  time() {},
  gauge() {},
  start() {},
  stop() {}
}
