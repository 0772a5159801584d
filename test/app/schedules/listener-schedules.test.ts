import t from 'tap'
import { defineListener, type Listener, type Processor, schedule } from '../../../app/listener.ts'
import { problemOfSchedules, schedulesOf } from '../../../app/schedules/listener-schedules.ts'

const named = (name: string) => schedule({ name, cron: '0 3 * * *', expression: 'tags=old' })
const processor = (fields: Partial<Processor> = {}): Processor => ({
  name: 'sweep',
  on: ['scheduled_search'],
  handle: () => {},
  ...fields
})

t.test('returns the schedules of the listener, then of its processors', async (t) => {
  const listener = {
    schedules: [named('a')],
    processors: [processor(), processor({ schedules: [named('b')] })]
  }
  t.strictSame(
    schedulesOf(listener).map(({ name }) => name),
    ['a', 'b']
  )
  t.equal(problemOfSchedules(listener), undefined)
  t.equal(problemOfSchedules({ schedules: [named('a')], processors: [processor({ on: ['*'] })] }), undefined)
  t.strictSame(schedulesOf({ processors: [] }), [])
})

t.test('says what is wrong', async (t) => {
  const plain = { name: 'a', cron: '0 3 * * *' }
  for (const wrong of [{}, [plain], [null]]) {
    t.match(
      problemOfSchedules({ schedules: wrong, processors: [processor()] } as unknown as Listener),
      /^`schedules` must be a list of schedule\(/
    )
  }
  t.match(
    problemOfSchedules({ processors: [processor({ schedules: [plain] as never })] }),
    /^`schedules` of processor "sweep" must be/
  )
  const twice = { schedules: [named('a')], processors: [processor({ schedules: [named('a')] })] }
  t.match(problemOfSchedules(twice), /^two schedules are named "a"/)
  t.throws(() => defineListener(twice), { code: 'LISTENER_CONFIG_INVALID' })
  t.match(
    problemOfSchedules({ schedules: [named('a')], processors: [processor({ on: ['upload'] })] }),
    /^schedule "a" has no processor on scheduled_search/
  )
})
