import t from 'tap'
import { readConfig } from '../../../app/config.ts'
import { loadListener } from '../../../app/listener-config/load-listener.ts'
import { examplesOf, missingVariables } from '../../../app/listener-config/requirements.ts'
import { LOCAL_FORWARD_SECRET } from '../../../app/testing/defaults.ts'
import { reportConfig } from '../../../dev/start/report-config.ts'
import { startSystem } from '../../../dev/start/system.ts'
import { CHILD_ENVIRONMENT, freePort } from '../../support/system.ts'

/** The user's file. No other test reads it. */
const LISTENER_CONFIG = './listener.config.ts'

// starts a whole system, perhaps on a busy machine
t.setTimeout(180_000)

/** Variables that `npm start` sets. */
const EMBEDDED = {
  DATABASE_URL: 'postgres://user:password@localhost/name',
  FORWARD_SECRET: LOCAL_FORWARD_SECRET,
  NOTIFY_TOPIC_ARN: 'arn:aws:sns:us-east-1:000000000000:any',
  WEBHOOK_URL: 'http://localhost/webhooks/cloudinary'
}

t.test('listener.config.ts loads, and a worker starts with it', async (t) => {
  const { processors } = await loadListener(LISTENER_CONFIG)
  const examples = examplesOf(processors.flatMap(({ requires = [] }) => requires))
  const without = missingVariables(processors, readConfig([], EMBEDDED), { ...examples, ...process.env })
  if (without.length > 0) {
    t.pass(`not started: no \`example\` for\n${without.join('\n')}`, { skip: true })
    return
  }
  const lines: string[] = []
  const system = await startSystem({
    environment: {
      ...CHILD_ENVIRONMENT,
      ...Object.fromEntries(Object.keys(examples).map((name) => [name, process.env[name]])),
      LISTENER_CONFIG,
      PORT: String(await freePort())
    },
    inspect: reportConfig,
    onLine: ({ role, level, msg }) => void lines.push(`${role}: ${level}: ${msg}`)
  }).catch((error: Error) => {
    throw new Error(`${error.message}\n${lines.join('\n')}`)
  })
  await system.stop()
  t.ok(lines.includes('worker: info: worker is ready'), lines.join('\n'))
})
