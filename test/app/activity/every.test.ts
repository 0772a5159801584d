import t from 'tap'
import { everyWithTimer } from '../../../app/activity/every.ts'

t.test('calls at an interval until it is stopped', async (t) => {
  let beats = 0
  await new Promise<void>((resolve) => {
    const stop = everyWithTimer(1, () => {
      beats++
      if (beats < 3) return
      stop()
      resolve()
    })
  })
  await new Promise((resolve) => setTimeout(resolve, 10))
  t.equal(beats, 3)
})
