import t from 'tap'
import { Recorder } from '../../../dev/cloudinary/recorder.ts'

t.test('finds a past item at once, and waits for a future one', async (t) => {
  const recorder = new Recorder<string>(10)
  recorder.add('a')
  t.equal(await recorder.when((item) => item === 'a'), 'a')
  const b = recorder.when((item) => item === 'b')
  const c = recorder.when((item) => item === 'c')
  recorder.settle('x')
  recorder.settle('b')
  t.equal(await b, 'b')
  recorder.settle('c')
  t.equal(await c, 'c')
  recorder.settle('b')
})

t.test('keeps the newest items, up to its limit', async (t) => {
  const recorder = new Recorder<number>(10)
  for (let number = 1; number <= 25; number += 1) recorder.add(number)
  t.same(recorder.items, [16, 17, 18, 19, 20, 21, 22, 23, 24, 25])
  const least = new Recorder<number>(0)
  least.add(1)
  least.add(2)
  t.same(least.items, [2])
})
