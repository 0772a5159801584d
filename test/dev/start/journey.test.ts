import t from 'tap'
import { describeJourney, retriedProcessors } from '../../../dev/start/journey.ts'

const at = (milliseconds: number) => new Date(1_780_000_000_000 + milliseconds).toISOString()

t.test('lists the steps in order, with the time since the upload', async (t) => {
  const steps = describeJourney({
    uploadedAt: 1_780_000_000_000,
    deliveries: [
      {
        time: 1_780_000_000_005,
        cloud: 'demo',
        url: '',
        notificationType: 'upload',
        body: '',
        headers: {},
        attempt: 1,
        status: 200,
        outcome: 'delivered',
        retryInMs: null
      }
    ],
    lines: [
      { time: at(-1), msg: 'notification accepted', type: 'upload', events: 1 },
      { time: at(40), msg: 'event processed', type: 'upload', processor: 'mine' },
      { time: at(41), msg: 'event processed', type: 'upload', processor: 'tag', note: 'tagged' },
      { time: at(20), msg: 'notification accepted', type: 'upload', events: 1 },
      { time: at(60), msg: 'event ignored', type: 'resource_tags_changed', reason: 'our own' },
      {
        time: at(50),
        msg: 'event failed; will be retried',
        type: 'upload',
        processor: 'x',
        err: { type: 'TypeError', message: 'fetch failed\n  at the CMS' },
        retryInSeconds: 2
      },
      {
        time: at(70),
        msg: 'event dead-lettered',
        type: 'upload',
        processor: 'x',
        err: { type: 'PermanentError', message: 'not wanted' }
      },
      { msg: 'something else' }
    ]
  })
  t.match(steps, [
    /^ {5}0 ms {2}uploaded/,
    /^ {5}5 ms {2}notified {6}upload/,
    /^ {4}20 ms {2}acknowledged {2}upload: .*1 event stored/,
    /^ {4}40 ms {2}processed {5}upload: mine: done$/,
    /^ {4}41 ms {2}processed {5}upload: tag: tagged$/,
    /^ {4}50 ms {2}failed {8}upload: x: TypeError: fetch failed at the CMS; retry in 2 s$/,
    /^ {4}60 ms {2}ignored {7}resource_tags_changed: our own$/,
    /^ {4}70 ms {2}dead-lettered upload: x: PermanentError: not wanted$/
  ])
  t.equal(steps.length, 8)
})

t.test('names the processors that are being retried', async (t) => {
  const failed = (eventId: string, processor: string, err: object) => ({
    msg: 'event failed; will be retried',
    eventId,
    processor,
    err
  })
  const lines = [
    failed('1', 'chat', { type: 'ListenerError', code: 'CHAT_UNAVAILABLE' }),
    failed('1', 'chat', { type: 'ListenerError', code: 'CHAT_UNAVAILABLE' }),
    failed('2', 'chat', { type: 'ListenerError', code: 'CHAT_UNAVAILABLE' }),
    failed('1', 'mine', { type: 'TypeError' }),
    failed('1', 'tag', { type: 'Error' }),
    failed('1', 'rows', { type: 'Error' })
  ]
  const ended = [
    { msg: 'event processed', eventId: '1', processor: 'tag' },
    { msg: 'event dead-lettered', eventId: '1', processor: 'rows' }
  ]
  t.strictSame(retriedProcessors([...lines, ...ended]), [
    'chat is being retried (CHAT_UNAVAILABLE)',
    'mine is being retried (TypeError)'
  ])
})
