import type { InstantStandIns } from '../processes.ts'

/** Figures of one case in one run, by name. */
export type Figures = Record<string, number>

/** Figures of one run, by the name of the case. */
export type RunResult = Record<string, Figures>

export interface Column {
  figure: string
  heading: string
  /** Decimal places. (Default: 0) */
  digits?: number
  /** Shows the lowest and the highest value beside the median. */
  range?: boolean
}

export interface Plot {
  /** `bars` from zero, or `spans` from `figure` to `until` on a logarithmic axis. */
  kind: 'bars' | 'spans'
  title: string
  figure: string
  until?: string
  /** Emphasises the cases that start with this text. */
  emphasis: string
}

export interface Context {
  standIns: InstantStandIns
  /** Keeps a process until the end of the section. */
  keep: <Process extends { stop: () => Promise<void> }>(starting: Promise<Process>) => Promise<Process>
}

/** Measures each case once, each for a number of milliseconds. */
export type Run = (milliseconds: number) => Promise<RunResult>

/** Shows the last row of a series while it is measured. */
export const showProgress = (name: string, figures: Figures): void => {
  const shown = Object.entries(figures).map(([figure, value]) => `${figure} ${value.toFixed(1)}`)
  process.stderr.write(`${name}: ${shown.join(', ')}\n`)
}

/** A part of the benchmark: cases that are compared with each other. */
export interface Section {
  name: string
  /** What the rows are. */
  cases: string
  columns: readonly Column[]
  plots?: readonly Plot[]
  /** Has rows over time instead of several runs. */
  isSeries?: boolean
  /** Starts the processes, and returns a function that measures each case once. */
  open: (context: Context) => Promise<Run>
}
