import t from 'tap'
import { CloudinaryClients } from '../../../../app/cloudinary/clients.ts'
import { cloudinary } from '../../../../app/commands/doctor/cloudinary-check.ts'
import { LOCAL_CLOUDINARY } from '../../../../app/testing/defaults.ts'
import { startCloudinary } from '../../../../dev/cloudinary/server.ts'

const signal = new AbortController().signal

t.test('pings each cloud with its own key', async (t) => {
  const standIn = await startCloudinary({ environments: [LOCAL_CLOUDINARY] })
  const environments = {
    cloudNames: () => ['demo', 'other'],
    get: (cloudName: string) => ({ ...LOCAL_CLOUDINARY, cloudName, uploadPrefix: standIn.url })
  }
  const clients = new CloudinaryClients({ environments })
  t.teardown(async () => {
    clients.close()
    await standIn.stop()
  })
  const answering: string[] = []
  const check = cloudinary({
    environments: Promise.resolve(environments),
    connect: () => clients,
    onAnswer: (cloudName) => answering.push(cloudName)
  })

  t.match(await check.run(signal), [
    { level: 'ok', message: /^demo: / },
    { level: 'fault', message: /^other: ping: 401 .*check the secret/ }
  ])
  t.strictSame(answering, ['demo'])
  standIn.faults.add({
    kind: 'rate_limit',
    until: new Date(Date.now() + 60_000),
    when: ({ cloud }) => cloud === 'demo'
  })
  const [limited] = await check.run(signal)
  t.match(limited, { level: 'warning', message: /^demo: ping: 420 / })
})

t.test('finds nothing without credentials', async (t) => {
  const environments = Promise.reject(new Error('reported by another check'))
  const connect = () => t.fail('nothing to connect to') as never
  t.strictSame(
    await cloudinary({ environments, connect, onAnswer: () => t.fail('nothing answers') }).run(signal),
    []
  )
})
