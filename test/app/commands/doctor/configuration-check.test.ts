import t from 'tap'
import { configuration } from '../../../../app/commands/doctor/configuration-check.ts'

const signal = new AbortController().signal

t.test('a valid configuration', async (t) => {
  t.strictSame(await configuration({ faults: [], region: 'eu-west-1' }).run(signal), [
    { level: 'ok', message: 'every variable is valid; AWS region eu-west-1' }
  ])
})

t.test('every fault is a line of its own', async (t) => {
  t.match(
    await configuration({ faults: ['PORT is bad', 'QUEUE_URL is bad'], region: undefined }).run(signal),
    [
      { level: 'fault', message: 'PORT is bad' },
      { level: 'fault', message: 'QUEUE_URL is bad' },
      { level: 'fault', message: /^AWS_REGION is not set/ }
    ]
  )
})
