import { Load, RATE_CONNECTIONS } from '../load.ts'
import { measure } from '../measure.ts'
import { bulk, uploads } from '../notifications.ts'
import type { Schedule } from '../peers/schedule.ts'
import { nextMessage, startPeer, startRole } from '../processes.ts'
import type { Latencies, Rate } from '../rate.ts'
import type { Context, Figures, Run, RunResult, Section } from './section.ts'

const SQS_MS = [0, 5, 20]
/** Loads to measure, as shares of the saturation. */
const LOW = 0.1
const HIGHER = [0.5, 0.9]
/** Warm-up load of the client that makes the bare calls. `web` is already warm from the full-load run. */
const WARM_UP = { perSecond: 500, milliseconds: 2000 }
/** Duration of SQS calls, and load, at which the bulk notification is sent. */
const BULK = { sqsMs: 5, share: 0.5 }

async function open({ standIns, keep }: Context): Promise<Run> {
  const notifications = uploads(2000, 'ack')
  const web = await keep(startRole('web', standIns))
  const load = new Load(web.url, notifications)
  const client = await keep(startPeer('send-message', standIns))

  const bareSendMessage = async ({ perSecond, milliseconds }: Rate): Promise<Latencies> => {
    const answer = nextMessage(client.child)
    const body = notifications[0]!.body.toString()
    client.child.send({ perSecond, milliseconds, body } satisfies Schedule)
    return answer
  }

  const ack = async (rate: Rate, extra?: ReturnType<typeof bulk>): Promise<Figures> => {
    const { usage, result } = await measure([web], standIns, () => load.atRate(rate, extra))
    return {
      perSecond: rate.perSecond,
      p50: result.p50,
      p99: result.p99,
      spread: result.p99 / result.p50,
      cpuUs: (usage.cpuSeconds * 1e6) / result.accepted,
      refused: result.refused,
      ...(extra && { bulkMs: result.extraMs })
    }
  }

  await bareSendMessage(WARM_UP)
  return async (milliseconds) => {
    const results: RunResult = {}
    const besideBulk: RunResult = {}
    for (const sqsMs of SQS_MS) {
      standIns.delay('sqs', sqsMs)
      const { usage, result } = await measure([web], standIns, () =>
        load.atFullLoad(RATE_CONNECTIONS, milliseconds)
      )
      const saturation = result.accepted / usage.seconds
      const rateOf = (share: number): Rate => ({ perSecond: share * saturation, milliseconds })
      const bare = await bareSendMessage(rateOf(LOW))
      results[`one bare \`SendMessage\`, SQS ${sqsMs} ms`] = { ...bare, perSecond: LOW * saturation }
      for (const share of [LOW, ...HIGHER]) {
        const figures = await ack(rateOf(share))
        if (share === LOW) figures.ratio = figures.p50! / bare.p50
        results[`\`web\` at ${share * 100} %, SQS ${sqsMs} ms`] = figures
      }
      if (sqsMs !== BULK.sqsMs) continue
      const without = await ack(rateOf(BULK.share))
      const among = await ack(rateOf(BULK.share), bulk('ack'))
      besideBulk['`web` without a bulk'] = without
      besideBulk['`web` with a bulk of 1,000 assets'] = { ...among, bulkRatio: among.p99! / without.p99! }
    }
    standIns.delay('sqs', 0)
    return { ...results, ...besideBulk }
  }
}

/** Measures how long Cloudinary waits for the response of `web`, at a fixed rate. */
export const ackLatency: Section = {
  name: 'latency',
  cases: 'load',
  columns: [
    { figure: 'perSecond', heading: 'events/s' },
    { figure: 'p50', heading: 'p50, ms', digits: 1, range: true },
    { figure: 'p99', heading: 'p99, ms', digits: 1, range: true },
    { figure: 'ratio', heading: 'p50, × bare `SendMessage`', digits: 2 },
    { figure: 'spread', heading: 'p99 / p50', digits: 1 },
    { figure: 'bulkRatio', heading: 'p99, × without a bulk', digits: 1 },
    { figure: 'bulkMs', heading: 'answer to the bulk, ms' },
    { figure: 'cpuUs', heading: 'CPU, µs per event' },
    { figure: 'refused', heading: 'refused' }
  ],
  plots: [
    {
      kind: 'spans',
      title: 'Answer: p50 to p99, ms, logarithmic',
      figure: 'p50',
      until: 'p99',
      emphasis: '`web`'
    }
  ],
  open
}
