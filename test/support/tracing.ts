import type { Tracing } from '../../app/tracing/tracing.ts'

/** Tracing that notes which spans the code under test opens and ends. */
export function memoryTracing() {
  const spans: string[] = []
  const run = async <Result>(span: string, work: () => Promise<Result>): Promise<Result> => {
    spans.push(span)
    return work()
  }
  const tracing: Tracing = {
    receive: (arrival) => {
      const name = arrival.kind === 'poll' ? `poll ${arrival.channel}` : `${arrival.scheme} ${arrival.path}`
      return {
        run: (cloudName, work) => run(`${name} in ${cloudName}`, work),
        end: ({ outcome, code }, status) =>
          spans.push([`end ${outcome}`, code, status].filter((part) => part !== undefined).join(' '))
      }
    },
    send: (events, work) =>
      run(`send ${events.map(({ id }) => id)}`, () =>
        work(events.map((event) => ({ ...event, traceparent: `of ${event.id}` })))
      ),
    process: ({ id }, event, work) => run(`process ${id} ${event.type}`, work),
    processor: (name, work) => run(`processor ${name}`, work),
    cloudinary: ({ name, cloudName, apiUrl }, work) =>
      run(`cloudinary ${name} of ${cloudName} at ${apiUrl}`, work),
    dynamoDb: (operation, table, work) => run(`${operation} ${table}`, work)
  }
  return { tracing, spans }
}
