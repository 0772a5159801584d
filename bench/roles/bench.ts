import { readFile, writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { machine, versions } from './machine.ts'
import { type Options, readOptions, USAGE } from './options.ts'
import { startInstantStandIns } from './processes.ts'
import { writeDocument } from './report/document.ts'
import { origin, type Results, tableOf } from './report/summary.ts'
import { ackLatency } from './sections/ack-latency.ts'
import { backlog } from './sections/backlog.ts'
import { ingest } from './sections/ingest.ts'
import { processors } from './sections/processors.ts'
import type { RunResult, Section } from './sections/section.ts'
import { soak } from './sections/soak.ts'
import { start } from './sections/start.ts'
import { worker } from './sections/worker.ts'
import { workers } from './sections/workers.ts'

const BACKLOG_MS = 30_000

/**
 * Minimum rate of a worker, in events per second: a slower one does not finish a backlog of a stated size.
 */
const MINIMUM_PER_SECOND = 100

const print = (text = '') => process.stdout.write(`${text}\n`)
const fail = (message: string): never => {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

function sectionsOf({ only, backlogEvents, soakMinutes }: Options): Section[] {
  if (soakMinutes !== undefined) return [soak(soakMinutes)]
  const memory = backlog(
    backlogEvents === undefined
      ? { events: Number.POSITIVE_INFINITY, milliseconds: BACKLOG_MS }
      : { events: backlogEvents, milliseconds: BACKLOG_MS + (backlogEvents * 1000) / MINIMUM_PER_SECOND }
  )
  const all = [ingest, ackLatency, worker, workers, processors, start, memory]
  const names = all.map(({ name }) => name)
  const unknown = only.find((name) => !names.includes(name))
  if (unknown !== undefined) fail(`--only ${unknown}: the sections are ${names.join(', ')}`)
  return only.length === 0 ? all : all.filter(({ name }) => only.includes(name))
}

/** Runs a section in processes of its own. */
async function runsOf(section: Section, { runs, milliseconds }: Options): Promise<RunResult[]> {
  const stops: (() => Promise<void>)[] = []
  const keep = async <Process extends { stop: () => Promise<void> }>(starting: Promise<Process>) => {
    const started = await starting
    stops.push(started.stop)
    return started
  }
  try {
    const standIns = await keep(startInstantStandIns())
    const run = await section.open({ standIns, keep })
    if (section.isSeries) return [await run(milliseconds)]
    const results: RunResult[] = []
    // the first run is a warm-up
    for (let index = 0; index <= runs; index++) results.push(await run(milliseconds))
    return results.slice(1)
  } finally {
    // stop the stand-ins last: roles call them while they stop
    for (const stop of stops.reverse()) await stop()
  }
}

async function measureAll(sections: readonly Section[], options: Options): Promise<Results> {
  const results: Results = {
    machine: machine(),
    node: process.versions.node,
    versions: versions(),
    date: new Date().toISOString(),
    load: loadavg()[0] ?? Number.NaN,
    sections: {}
  }
  for (const section of sections) {
    const startedAt = performance.now()
    const runs = await runsOf(section, options)
    results.sections[section.name] = runs
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0)
    print(`\n## ${section.name} (${seconds} s)\n\n${tableOf(section, runs)}`)
  }
  return results
}

const options = (() => {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${USAGE}`)
  }
})()
if (options === 'help') {
  print(USAGE)
} else {
  const sections = sectionsOf(options)
  const results: Results = options.from
    ? JSON.parse(await readFile(options.from, 'utf8'))
    : await measureAll(sections, options)
  if (options.from) {
    for (const section of sections) {
      const runs = results.sections[section.name]
      if (runs)
        print(`\n## ${section.name}\n\n${origin(results, section, runs.length)}\n\n${tableOf(section, runs)}`)
    }
  }
  if (options.out) await writeFile(options.out, `${JSON.stringify(results, null, 2)}\n`)
  if (options.write) await writeDocument(sections, results)
}
