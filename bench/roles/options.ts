import { parseArgs } from 'node:util'

export const USAGE = `Usage: npm run bench -- [options]

Measures the real web and worker processes on loopback, beside other ways to do the same work. Stand-ins for
AWS and Cloudinary answer at once from another process. Linux only. Takes about 7 minutes on a quiet machine.

  --only A,B        measures some sections: ingest, latency, worker, workers, processors, start, backlog
  --runs N          runs of each case, alternating, after a warm-up; default 5
  --seconds N       duration of one measurement; default 1.5
  --out FILE        writes all runs as JSON
  --from FILE       shows runs of an earlier --out, and measures nothing
  --write           writes tables and plots into docs/
  --backlog N       lets the worker process N events of a backlog, instead of those of 30 s
  --soak MINUTES    measures only memory and CPU of web and worker over time
`

export interface Options {
  only: string[]
  runs: number
  milliseconds: number
  out: string | undefined
  from: string | undefined
  write: boolean
  backlogEvents: number | undefined
  soakMinutes: number | undefined
}

/** @throws {TypeError | RangeError} for an unknown option or an invalid number */
export function readOptions(args: string[]): Options | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', short: 'h' },
      only: { type: 'string', default: '' },
      runs: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '1.5' },
      out: { type: 'string' },
      from: { type: 'string' },
      write: { type: 'boolean', default: false },
      backlog: { type: 'string' },
      soak: { type: 'string' }
    }
  })
  if (values.help) return 'help'
  const number = (name: 'runs' | 'seconds' | 'backlog' | 'soak', maximum: number) => {
    const value = Number(values[name])
    if (value >= 1 && value <= maximum) return value
    throw new RangeError(`--${name} must be a number from 1 to ${maximum}`)
  }
  return {
    only: values.only.split(',').filter(Boolean),
    runs: number('runs', 100),
    milliseconds: number('seconds', 60) * 1000,
    out: values.out,
    from: values.from,
    write: values.write,
    backlogEvents: values.backlog === undefined ? undefined : number('backlog', 10_000_000),
    soakMinutes: values.soak === undefined ? undefined : number('soak', 24 * 60)
  }
}
