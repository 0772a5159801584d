import t from 'tap'
import { FakeCloudinary } from '../../../app/testing/fake-cloudinary.ts'
import { wireInMemory } from '../../../app/testing/test-wiring.ts'

t.test('shares one queue, and logs without times', async (t) => {
  const { queue, handling, lines, environments } = wireInMemory(
    { processors: [] },
    {
      cloudinary: new FakeCloudinary(),
      variables: {},
      store: async () => {},
      clock: () => 0,
      random: () => 0
    }
  )
  t.equal(handling.deadLetters, queue)
  await environments.load()
  t.strictSame(environments.cloudNames(), ['demo'])
  handling.log.child({ processor: 'own' }).warn({ err: new Error('a defect') }, 'failed')
  t.match(lines, [
    { level: 'warn', processor: 'own', err: { type: 'Error', message: 'a defect' }, msg: 'failed' }
  ])
  t.strictSame(Object.keys(lines[0] ?? {}).toSorted(), ['err', 'level', 'msg', 'processor'])
})
