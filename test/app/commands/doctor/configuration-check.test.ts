import t from 'tap'
import { configuration } from '../../../../app/commands/doctor/configuration-check.ts'

const signal = new AbortController().signal

t.test('accepts a valid configuration', async (t) => {
  t.match(await configuration({ configErrors: [], region: 'eu-west-1' }).run(signal), [
    { level: 'ok', message: /eu-west-1/ }
  ])
})

t.test('reports each error on a line of its own', async (t) => {
  t.match(
    await configuration({ configErrors: ['PORT is bad', 'QUEUE_URL is bad'], region: undefined }).run(signal),
    [
      { level: 'fault', message: 'PORT is bad' },
      { level: 'fault', message: 'QUEUE_URL is bad' },
      { level: 'fault', message: /^AWS_REGION is not set/ }
    ]
  )
})
