import t from 'tap'
import { clock, timeServers } from '../../../../app/commands/doctor/clock-check.ts'

const NOW = Date.parse('2026-06-01T12:00:00.400Z')

/** Runs the check with these Date headers; null: no header, undefined: no answer. */
async function found(now: number, answers: Record<string, string | null | undefined>) {
  const asked: string[] = []
  const check = clock({
    clock: () => now,
    servers: async function* () {
      yield* Object.keys(answers)
    },
    fetch: async (server) => {
      asked.push(String(server))
      const date = answers[String(server)]
      if (date === undefined) throw new TypeError('fetch failed')
      return new Response(null, { status: 403, headers: date === null ? {} : { date } })
    }
  })
  return { findings: await check.run(new AbortController().signal), asked }
}

const HTTP_DATE = 'Mon, 01 Jun 2026 12:00:00 GMT'

t.test('accepts a clock that agrees', async (t) => {
  const { findings, asked } = await found(NOW, {
    'http://sqs.example/': HTTP_DATE,
    'http://b.example/': HTTP_DATE
  })
  t.match(findings, [{ level: 'ok', message: 'agrees with sqs.example within 60 s' }])
  t.strictSame(asked, ['http://sqs.example/'])
})

t.test('reports the skew, as a fault once signatures are rejected', async (t) => {
  const skewed = async (seconds: number) =>
    (await found(NOW + seconds * 1000, { 'http://sqs.example/': HTTP_DATE })).findings
  t.match(await skewed(60), [{ level: 'ok' }])
  t.match(await skewed(61), [{ level: 'warning', message: /61 s ahead of sqs\.example/ }])
  t.match(await skewed(-300), [{ level: 'warning', message: /300 s behind sqs\.example/ }])
  t.match(await skewed(-302), [{ level: 'fault', message: /302 s behind sqs\.example/ }])
})

t.test('skips a server that does not answer or has no time', async (t) => {
  const { findings } = await found(NOW, {
    'http://gone.example/': undefined,
    'http://timeless.example/': null,
    'http://other.example/': HTTP_DATE
  })
  t.match(findings, [{ level: 'ok', message: /other\.example/ }])
  t.match((await found(NOW, { 'http://gone.example/': undefined })).findings, [
    { level: 'warning', message: /no server answered/ }
  ])
})

t.test('yields the configured hosts of SQS and Cloudinary', async (t) => {
  const key = { cloudName: 'demo', apiKey: 'k', apiSecret: 's' }
  const servers = (given: Parameters<typeof timeServers>[0]) => Array.fromAsync(timeServers(given))
  const queueUrl = 'https://sqs.eu-west-1.amazonaws.com/1/q.fifo'
  t.strictSame(
    await servers({ queueUrl, environments: Promise.resolve({ verificationKeys: () => [key] }) }),
    ['https://sqs.eu-west-1.amazonaws.com/', 'https://api.cloudinary.com']
  )
  const eu = { ...key, uploadPrefix: 'https://api-eu.cloudinary.com' }
  const environments = Promise.resolve({ verificationKeys: () => [eu, key, eu] })
  t.strictSame(
    await servers({ queueUrl: undefined, environments }),
    ['https://api-eu.cloudinary.com', 'https://api.cloudinary.com'],
    'each host once'
  )
  t.strictSame(await servers({ queueUrl: undefined, environments: undefined }), [])
  t.strictSame(
    await servers({ queueUrl: undefined, environments: Promise.reject(new Error('no secret')) }),
    []
  )
})
