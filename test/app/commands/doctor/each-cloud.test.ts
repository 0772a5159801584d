import t from 'tap'
import { ok } from '../../../../app/commands/doctor/check.ts'
import { eachCloud } from '../../../../app/commands/doctor/each-cloud.ts'
import { ListenerError } from '../../../../app/errors.ts'

const signal = new AbortController().signal

t.test('checks each cloud, and warns if one cannot be checked', async (t) => {
  const clients = { for: (cloudName: string) => ({ cloudName }) as never }
  const found = await eachCloud({ cloudNames: ['a', 'b'], clients }, signal, async ({ cloudName }) => {
    if (cloudName === 'a') throw new ListenerError('X', 'not allowed')
    return [ok('good'), ok('better')]
  })
  t.strictSame(found, [
    { level: 'warning', message: 'a: not checked: not allowed' },
    { level: 'ok', message: 'b: good' },
    { level: 'ok', message: 'b: better' }
  ])
})
