import t from 'tap'
import { CloudinaryError } from '../../../app/cloudinary/cloudinary-error.ts'
import { pauseMs } from '../../../app/poll/poll-pause.ts'

t.test('pauses grow with consecutive failures up to a minute, with full jitter', (t) => {
  const pause = (failures: number, random: number) => pauseMs(new Error(), { failures, random, now: 0 })
  t.equal(pause(1, 0.999), 999)
  t.equal(pause(4, 0.5), 4000)
  t.equal(pause(100, 0.5), 30_000)
  t.equal(pause(100, 0), 0)
  t.end()
})

t.test('waits for the end of a rate limit, plus jitter', (t) => {
  const limited = new CloudinaryError('X', 'x', { kind: 'rate-limited', until: new Date(90_000) })
  t.equal(pauseMs(limited, { failures: 1, random: 0.5, now: 30_000 }), 62_500)
  t.equal(pauseMs(limited, { failures: 1, random: 0.5, now: 100_000 }), 2500)
  t.end()
})
