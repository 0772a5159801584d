import { Load } from '../load.ts'
import { measure } from '../measure.ts'
import { pushes, type SignedNotification, uploads } from '../notifications.ts'
import {
  type InstantStandIns,
  type MeasuredProcess,
  SHARED_QUEUE,
  startPeer,
  startRole
} from '../processes.ts'
import type { Context, Figures, Run, RunResult, Section } from './section.ts'

const CONNECTIONS = 50
/** Number of different notifications; the load repeats them. */
const COUNT = 2000
const SQS_MS = [0, 10]

/** Measures a server at full load. */
async function underFullLoad(
  server: MeasuredProcess,
  load: Load,
  standIns: InstantStandIns,
  milliseconds: number
): Promise<Figures> {
  const before = await standIns.count(SHARED_QUEUE)
  const { usage, result } = await measure([server], standIns, () =>
    load.atFullLoad(CONNECTIONS, milliseconds)
  )
  const { sqsCalls } = await standIns.count(SHARED_QUEUE)
  return {
    cpuUs: (usage.cpuSeconds * 1e6) / result.accepted,
    perSecond: result.accepted / usage.seconds,
    p50: result.p50,
    p99: result.p99,
    perCall: result.accepted / (sqsCalls - before.sqsCalls),
    memoryMb: usage.memoryMb,
    refused: result.refused,
    standInCores: usage.standInSeconds / usage.seconds,
    loadCores: usage.loadSeconds / usage.seconds
  }
}

async function open({ standIns, keep }: Context): Promise<Run> {
  const notifications = uploads(COUNT, 'ingest')
  const server = async (starting: Promise<MeasuredProcess>, path: string, sent: SignedNotification[]) => {
    const measured = await keep(starting)
    return { measured, load: new Load(new URL(path, measured.url).href, sent) }
  }
  const webhook = '/webhooks/cloudinary'
  const bare = await server(startPeer('bare-fastify', standIns), webhook, notifications)
  const octokit = await server(startPeer('octokit-webhooks', standIns), '/webhooks/github', pushes(COUNT))
  const oneSend = await server(startPeer('one-send-message', standIns), webhook, notifications)
  const web = await server(startRole('web', standIns), webhook, notifications)

  return async (milliseconds) => {
    const run = ({ measured, load }: typeof web) => underFullLoad(measured, load, standIns, milliseconds)
    const results: RunResult = {
      'bare Fastify route': await run(bare),
      '`@octokit/webhooks`, stores nothing': await run(octokit)
    }
    for (const sqsMs of SQS_MS) {
      standIns.delay('sqs', sqsMs)
      const [peer, own] = [await run(oneSend), await run(web)]
      results[`one \`SendMessage\` a request, SQS ${sqsMs} ms`] = peer
      results[`\`web\`, SQS ${sqsMs} ms`] = { ...own, ratio: peer.cpuUs! / own.cpuUs! }
    }
    standIns.delay('sqs', 0)
    return results
  }
}

/** `web` at full load, beside other ways to receive the same bodies. */
export const ingest: Section = {
  name: 'ingest',
  cases: 'server',
  columns: [
    { figure: 'cpuUs', heading: 'CPU, µs per event', range: true },
    { figure: 'ratio', heading: 'events per CPU second, × one `SendMessage`', digits: 2, range: true },
    { figure: 'perSecond', heading: 'events/s' },
    { figure: 'p50', heading: 'p50, ms', digits: 1 },
    { figure: 'p99', heading: 'p99, ms', digits: 1 },
    { figure: 'perCall', heading: 'events per SQS call', digits: 1 },
    { figure: 'memoryMb', heading: 'RSS, MB' },
    { figure: 'refused', heading: 'refused' },
    { figure: 'standInCores', heading: 'cores of the stand-ins', digits: 2 },
    { figure: 'loadCores', heading: 'cores of the load', digits: 2 }
  ],
  plots: [{ kind: 'bars', title: 'CPU per event, µs', figure: 'cpuUs', emphasis: '`web`' }],
  open
}
