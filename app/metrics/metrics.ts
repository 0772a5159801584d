import type { METRICS, MetricName } from './metric-names.ts'

type Named<Unit> = {
  [Name in MetricName]: (typeof METRICS)[Name]['unit'] extends Unit ? Name : never
}[MetricName]

export type CountName = Named<'Count'>
export type DurationName = Named<'Milliseconds'>
export type GaugeName = Named<'None'>

/** An object with the value of each dimension of a metric except its role. */
export type DetailOf<Name extends MetricName> =
  Exclude<(typeof METRICS)[Name]['dimensions'][number][number], 'Role'> extends infer Dimension extends string
    ? [Dimension] extends [never]
      ? []
      : [detail: Record<Dimension, string>]
    : never

/** Records metrics. Cheap, and never throws. */
export interface Metrics {
  /** Adds to a count. */
  count: <Name extends CountName>(name: Name, by: number, ...detail: DetailOf<Name>) => void
  /** Records a duration, in milliseconds. */
  time: <Name extends DurationName>(name: Name, milliseconds: number, ...detail: DetailOf<Name>) => void
  /** Registers a value that is read each time that metrics are written. */
  gauge: (name: GaugeName, read: () => number) => void
}

/** The metrics of a role, written from `start` until `stop`, which writes the rest. */
export interface RoleMetrics extends Metrics {
  start: () => void
  stop: () => Promise<void> | void
}

/** Discards all metrics. */
export const NO_METRICS: RoleMetrics = {
  count() {},
  time() {},
  gauge() {},
  start() {},
  stop() {}
}
