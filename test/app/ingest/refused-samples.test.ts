import { pino } from 'pino'
import t from 'tap'
import type { RefusedSample } from '../../../app/activity/activity-store.ts'
import { RefusedSamples } from '../../../app/ingest/refused-samples.ts'

const NOW = Date.parse('2026-06-01T12:00:00Z')

function build(put: (sample: RefusedSample) => Promise<void> = async () => {}) {
  const samples: RefusedSample[] = []
  const lines: { level: number }[] = []
  let now = NOW
  const refused = new RefusedSamples({
    put: async (sample) => {
      samples.push(sample)
      await put(sample)
    },
    log: pino({}, { write: (line) => void lines.push(JSON.parse(line)) }),
    clock: () => now
  })
  const pass = (milliseconds: number) => {
    now += milliseconds
  }
  return { refused, samples, lines, pass }
}

const headers = { signature: undefined, timestamp: undefined }

t.test('stores the form of the headers and no value', async (t) => {
  const { refused, samples } = build()
  const signature = 'ab'.repeat(20)
  refused.offer({
    code: 'SIGNATURE_INVALID',
    headers: { signature, timestamp: '1780315200', signatureV2: 'not hex' },
    bytes: 12
  })
  await refused.idle()
  refused.offer({ code: 'SIGNATURE_MISSING', headers: { signature: '', timestamp: undefined } })
  await refused.idle()
  t.strictSame(samples, [
    {
      at: '2026-06-01T12:00:00.000Z',
      code: 'SIGNATURE_INVALID',
      headers: {
        'X-Cld-Signature': '40 hexadecimal digits',
        'X-Cld-Timestamp': '10 digits',
        'X-Cld-Signature_v2': '7 characters'
      },
      bytes: 12
    },
    { at: '2026-06-01T12:00:00.000Z', code: 'SIGNATURE_MISSING', headers: { 'X-Cld-Signature': 'empty' } }
  ])
})

t.test('stores one sample in 10 s for each code, and one at a time', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  let first: Promise<void> | undefined = promise
  const { refused, samples, pass } = build(async () => {
    const waiting = first
    first = undefined
    await waiting
  })
  refused.offer({ code: 'A', headers })
  refused.offer({ code: 'B', headers })
  resolve()
  await refused.idle()
  refused.offer({ code: 'A', headers })
  await refused.idle()
  t.strictSame(
    samples.map(({ code }) => code),
    ['A']
  )
  refused.offer({ code: 'B', headers })
  await refused.idle()
  pass(10_000)
  refused.offer({ code: 'A', headers })
  await refused.idle()
  t.strictSame(
    samples.map(({ code }) => code),
    ['A', 'B', 'A']
  )
})

t.test('a failed write is logged once a minute and thrown nowhere', async (t) => {
  const { refused, samples, lines, pass } = build(async () => {
    throw new Error('no answer')
  })
  for (const milliseconds of [0, 20_000, 20_000, 20_000]) {
    pass(milliseconds)
    refused.offer({ code: 'A', headers })
    await refused.idle()
  }
  t.equal(samples.length, 4)
  t.match(lines, [{ level: 40 }, { level: 40 }])
  t.equal(lines.length, 2)
})
